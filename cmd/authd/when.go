package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// span is a length of time as people write it: 90d, 2w, 12h, 1d12h, 45s; 0 for none.
type span time.Duration

// mostSpan bounds a span: a hundred years.
const mostSpan = 36525 * 24 * time.Hour

var spanUnits = map[byte]time.Duration{
	'w': 7 * 24 * time.Hour, 'd': 24 * time.Hour, 'h': time.Hour, 'm': time.Minute, 's': time.Second,
}

var errSpan = errors.New("a length of time is wanted: a whole number and w, d, h, m or s, as in 90d, 12h or 1d12h")

func parseSpan(s string) (time.Duration, error) {
	if s == "0" {
		return 0, nil
	}
	var sum time.Duration
	for rest := s; rest != ""; {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		if digits == 0 || digits == len(rest) {
			return 0, errSpan
		}
		n, err := strconv.ParseInt(rest[:digits], 10, 64)
		unit, known := spanUnits[rest[digits]]
		if err != nil || !known {
			return 0, errSpan
		}
		if n > int64((mostSpan-sum)/unit) {
			return 0, fmt.Errorf("longer than %d days", mostSpan/(24*time.Hour))
		}
		sum += time.Duration(n) * unit
		rest = rest[digits+1:]
	}
	if s == "" {
		return 0, errSpan
	}
	return sum, nil
}

// Set reads a span from a flag.
func (s *span) Set(v string) error {
	d, err := parseSpan(v)
	*s = span(d)
	return err
}

// String writes what Set reads.
func (s *span) String() string {
	d := time.Duration(*s)
	if d == 0 {
		return "0"
	}
	var b strings.Builder
	for _, unit := range "dhms" {
		size := spanUnits[byte(unit)]
		if n := d / size; n > 0 {
			fmt.Fprintf(&b, "%d%c", n, unit)
			d -= n * size
		}
	}
	return b.String()
}

// Type names the value in the help.
func (s *span) Type() string { return "time" }

// when is an instant as people write it: a span from now, a day in UTC, or
// RFC 3339; the zero time for never.
type when struct {
	time.Time
	now func() time.Time
}

var errWhen = errors.New("an instant is wanted: a length of time from now (90d, 12h), a day (2027-01-31, from 00:00 UTC), " +
	"RFC 3339 (2027-01-31T18:00:00+01:00), or never")

// Set reads an instant from a flag.
func (w *when) Set(v string) error {
	if v == "never" {
		w.Time = time.Time{}
		return nil
	}
	if d, err := parseSpan(v); err == nil {
		w.Time = w.now().UTC().Add(d)
		return nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, v); err == nil && t.Year() >= 1970 {
			w.Time = t.UTC()
			return nil
		}
	}
	return errWhen
}

// String is empty: an instant has no default.
func (w *when) String() string { return "" }

// Type names the value in the help.
func (w *when) Type() string { return "when" }
