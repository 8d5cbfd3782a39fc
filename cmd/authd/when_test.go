package main

import (
	"testing"
	"time"
)

func TestSpan(t *testing.T) {
	const day = 24 * time.Hour
	for in, want := range map[string]time.Duration{
		"0": 0, "0d": 0, "45s": 45 * time.Second, "90d": 90 * day, "2w": 14 * day, "1d12h": 36 * time.Hour, "10m": 10 * time.Minute,
	} {
		var s span
		if err := s.Set(in); err != nil || time.Duration(s) != want {
			t.Errorf("%q is %v, %v", in, time.Duration(s), err)
		}
		var back span
		if err := back.Set(s.String()); err != nil || back != s {
			t.Errorf("%q is written %q, and read again %v, %v", in, s.String(), time.Duration(back), err)
		}
	}
	for _, in := range []string{"", "d", "5", "5y", "-5d", "1.5d", "5d ", "5 d", "99999999999999999999d", "36526d", "36525d1s", "1d5", "٣d", "\x00"} {
		if d, err := parseSpan(in); err == nil {
			t.Errorf("%q is %v", in, d)
		}
	}
}

func TestWhen(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 30, 0, 0, time.UTC)
	for in, want := range map[string]string{
		"90d":                       "2026-05-30T12:30:00Z",
		"2027-01-31":                "2027-01-31T00:00:00Z",
		"2027-01-31T18:00:00+01:00": "2027-01-31T17:00:00Z",
		"never":                     "-",
	} {
		w := when{now: func() time.Time { return now }, Time: now}
		if err := w.Set(in); err != nil || instant(w.Time) != want {
			t.Errorf("%q is %s, %v", in, instant(w.Time), err)
		}
	}
	for _, in := range []string{"", "tomorrow", "2027-02-30", "31.01.2027", "2027-01-31 18:00", "1969-01-01", "-5d", "-"} {
		w := when{now: func() time.Time { return now }}
		if err := w.Set(in); err == nil {
			t.Errorf("%q is %v", in, w.Time)
		}
	}
}

func TestSince(t *testing.T) {
	now := time.Date(2026, 3, 8, 12, 30, 0, 0, time.UTC)
	for in, want := range map[string]string{
		"7d":                        "2026-03-01T12:30:00Z",
		"0":                         "2026-03-08T12:30:00Z",
		"2026-01-31":                "2026-01-31T00:00:00Z",
		"2026-01-31T18:00:00+01:00": "2026-01-31T17:00:00Z",
	} {
		s := since{now: func() time.Time { return now }}
		if err := s.Set(in); err != nil || instant(s.Time) != want {
			t.Errorf("%q is %s, %v", in, instant(s.Time), err)
		}
	}
	for _, in := range []string{"", "yesterday", "-7d", "never", "2026-02-30"} {
		s := since{now: time.Now}
		if err := s.Set(in); err == nil {
			t.Errorf("%q is %v", in, s.Time)
		}
	}
}

func FuzzSpan(f *testing.F) {
	for _, seed := range []string{"0", "90d", "1d12h", "5", "99999999999999999999w", "1w1w1w"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		d, err := parseSpan(in)
		if err == nil && (d < 0 || d > mostSpan) {
			t.Errorf("%q is %v", in, d)
		}
	})
}
