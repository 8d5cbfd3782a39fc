package override

import (
	"encoding"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"authd/internal/auth"
)

// What a file has for a field is a string in INI; the other formats have
// types. Nothing at all (null) is read as the empty string: "key:" in YAML says
// what "key =" says in INI.

// errNoText says nothing of the value: it may be that of a key.
var errNoText = errors.New("text is wanted: put it in quotes")

func readText(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	}
	return "", errNoText
}

// scalar is v as INI would write it.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return strings.TrimSpace(v), true
	case bool, int64:
		return fmt.Sprint(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	}
	return "", false
}

func readBool(v any) (bool, error) {
	s, ok := scalar(v)
	if ok {
		switch strings.ToLower(s) {
		case "true", "yes", "on", "1":
			return true, nil
		case "false", "no", "off", "0":
			return false, nil
		}
	}
	return false, fmt.Errorf("%s is neither true nor false (yes, no, on, off, 1, 0 will do as well)", shown(s, ok))
}

func readCount(v any) (int, error) {
	s, ok := scalar(v)
	if ok && s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if !ok || err != nil || len(s) >= auth.MinForeign { // as long, it might be a key
		return 0, fmt.Errorf("%s is no whole number that a field has", shown(s, ok))
	}
	return n, nil
}

func shown(s string, ok bool) string {
	if !ok {
		return "a list or a table"
	}
	return strconv.Quote(s)
}

const wantTime = "2027-01-31 (00:00 UTC on that day) or 2027-01-31T18:00:00+01:00 is wanted"

// readTime returns Unix milliseconds; zero for the empty string: no bound.
func readTime(v any) (int64, error) {
	s, err := readText(v)
	if s = strings.TrimSpace(s); err != nil {
		return 0, errors.New(wantTime)
	} else if s == "" {
		return 0, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return checkTime(t)
		}
	}
	return 0, fmt.Errorf("%q is no time: %s", s, wantTime)
}

// checkTime refuses what Unix milliseconds could take for "no bound".
func checkTime(t time.Time) (int64, error) {
	ms := t.UnixMilli()
	if ms <= 0 {
		return 0, errors.New("a time before 1970 is no bound")
	}
	return ms, nil
}

func readList(v any, split func(string) []string) ([]string, error) {
	switch v := v.(type) {
	case nil:
		return []string{}, nil
	case string:
		if strings.TrimSpace(v) == "" {
			return []string{}, nil
		}
		list := split(v)
		for i := range list {
			list[i] = strings.TrimSpace(list[i])
		}
		return list, nil
	case []any:
		list := make([]string, len(v))
		for i := range v {
			s, ok := v[i].(string)
			if !ok {
				return nil, fmt.Errorf("item %d is no text: put it in quotes", i+1)
			}
			list[i] = s
		}
		return list, nil
	}
	return nil, errors.New("a list is wanted, or text with commas")
}

// listOf reads a list and checks it. The check may bring its items to a normal form.
func listOf(split func(string) []string, check func([]string) error) func(any) ([]string, error) {
	return func(v any) ([]string, error) {
		list, err := readList(v, split)
		if err == nil {
			err = check(list)
		}
		return list, err
	}
}

// textOf reads what knows its own text.
func textOf[T any, P interface {
	*T
	encoding.TextUnmarshaler
}](v any) (T, error) {
	var t T
	s, err := readText(v)
	if err == nil {
		err = P(&t).UnmarshalText([]byte(strings.TrimSpace(s)))
	}
	return t, err
}
