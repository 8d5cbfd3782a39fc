package config

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// parse reads a value as a file, a variable or a flag has it into the type of
// the field. INI, the environment and flags know text alone, so every type is
// read from text as well; what is anything but plain is refused.
func (f *field) parse(v any) (any, error) {
	if v == nil {
		return nil, errNothing
	}
	switch t := f.Type; {
	case t == durationType:
		return parseDuration(v, f.Tag.Get("min"), f.Tag.Get("max"))
	case t == levelType:
		return parseLevel(v)
	case t == listType:
		return parseList(v)
	case t.Kind() == reflect.Int:
		return parseInt(v, f.Tag.Get("min"), f.Tag.Get("max"))
	case t.Kind() == reflect.Bool, t.Kind() == reflect.Pointer:
		return parseBool(v)
	}
	return parseText(v, f.enum())
}

func parseText(v any, enum []string) (any, error) {
	s, ok := v.(string)
	if len(enum) > 0 {
		if !ok || !slices.Contains(enum, s) {
			return nil, fmt.Errorf("%s is none of %s", shownAny(v), strings.Join(enum, ", "))
		}
		return s, nil
	}
	if !ok {
		return nil, errors.New("text is wanted: put it in quotes")
	}
	return s, nil
}

func parseBool(v any) (any, error) {
	if b, ok := v.(bool); ok {
		return b, nil
	}
	if s, ok := scalar(v); ok {
		switch strings.ToLower(s) {
		case "true", "yes", "on", "1":
			return true, nil
		case "false", "no", "off", "0":
			return false, nil
		}
	}
	return nil, fmt.Errorf("%s is neither true nor false (yes, no, on, off, 1, 0 will do as well)", shownAny(v))
}

func parseInt(v any, least, most string) (any, error) {
	s, ok := scalar(v)
	n, err := strconv.Atoi(s)
	if !ok || err != nil {
		return nil, fmt.Errorf("%s is no whole number", shownAny(v))
	}
	if low, err := strconv.Atoi(least); err == nil && n < low {
		return nil, fmt.Errorf("%d is less than %s", n, least)
	}
	if high, err := strconv.Atoi(most); err == nil && n > high {
		return nil, fmt.Errorf("%d is more than %s", n, most)
	}
	return n, nil
}

func parseDuration(v any, least, most string) (any, error) {
	s, ok := v.(string)
	s = strings.TrimSpace(s)
	d, err := readDuration(s)
	if !ok || err != nil {
		return nil, fmt.Errorf("%s is no length of time: a number and its unit are wanted, as in 50ms, 30s, 10m, 12h, 7d or 1h30m", shownAny(v))
	}
	if low, err := readDuration(least); err == nil && d < low {
		return nil, fmt.Errorf("%s is less than %s", s, least)
	}
	if high, err := readDuration(most); err == nil && d > high {
		return nil, fmt.Errorf("%s is more than %s", s, most)
	}
	return d, nil
}

// readDuration reads what time.ParseDuration does, with weeks and days before it.
func readDuration(s string) (time.Duration, error) {
	rest, sum := s, time.Duration(0)
	for _, u := range []struct {
		unit string
		size time.Duration
	}{{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}} {
		number, after, ok := strings.Cut(rest, u.unit)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 31)
		if err != nil || n > uint64((math.MaxInt64-sum)/u.size) {
			return 0, strconv.ErrRange
		}
		sum += time.Duration(n) * u.size
		rest = after
	}
	if rest == "" && s != "" {
		return sum, nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil || rest != s && d < 0 || d > math.MaxInt64-sum {
		return 0, strconv.ErrRange
	}
	return sum + d, nil
}

func parseLevel(v any) (any, error) {
	s, _ := v.(string)
	var level slog.Level
	if !slices.Contains(levels, s) || level.UnmarshalText([]byte(s)) != nil {
		return nil, fmt.Errorf("%s is none of %s", shownAny(v), strings.Join(levels, ", "))
	}
	return level, nil
}

// parseList reads a list of texts, or one text that has its items between commas.
func parseList(v any) (any, error) {
	list := []string{}
	switch v := v.(type) {
	case string:
		if strings.TrimSpace(v) == "" {
			return list, nil
		}
		for item := range strings.SplitSeq(v, ",") {
			list = append(list, strings.TrimSpace(item))
		}
	case []any:
		for i, item := range v {
			s, ok := item.(string)
			if !ok {
				return nil, fmt.Errorf("item %d is no text: put it in quotes", i+1)
			}
			list = append(list, s)
		}
	default:
		return nil, errors.New("a list is wanted, or text with commas")
	}
	if i := slices.Index(list, ""); i >= 0 {
		return nil, fmt.Errorf("item %d is empty", i+1)
	}
	return list, nil
}

// scalar is a value as INI would write it.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	}
	return "", false
}

// shownAny is shown for a value of any kind.
func shownAny(v any) string {
	switch v := v.(type) {
	case string:
		return shown(v)
	case bool, int64, float64:
		return fmt.Sprint(v)
	case []any:
		return "a list"
	}
	return "a table"
}
