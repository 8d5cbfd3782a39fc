package main

import (
	"errors"
	"time"
)

// since is an instant of the past as people write it: a span back from now, a
// day in UTC, or RFC 3339.
type since struct {
	time.Time
	now func() time.Time
}

var errSince = errors.New("an instant is wanted: a length of time back from now (7d, 12h), a day (2027-01-31, from 00:00 UTC), " +
	"or RFC 3339 (2027-01-31T18:00:00+01:00)")

// Set reads an instant from a flag.
func (s *since) Set(v string) error {
	if d, err := parseSpan(v); err == nil {
		s.Time = s.now().UTC().Add(-d)
		return nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, v); err == nil {
			s.Time = t.UTC()
			return nil
		}
	}
	return errSince
}

// String is empty: there is no default.
func (s *since) String() string { return "" }

// Type names the value in the help.
func (s *since) Type() string { return "when" }
