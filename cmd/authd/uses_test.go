package main

import (
	"testing"
	"time"

	"authd/internal/auth"
)

func TestUnused(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	day := func(n int) time.Time { return now.AddDate(0, 0, -n) }
	keys := []auth.Record{
		{ID: "never used", CreatedAt: day(100)}, {ID: "new", CreatedAt: day(10)}, {ID: "used long ago", CreatedAt: day(300)},
		{ID: "used lately", CreatedAt: day(300)}, {ID: "used by its new secret", CreatedAt: day(300)}, {ID: "denied lately", CreatedAt: day(300)},
	}
	u := uses{
		"used long ago":          {{FirstUsed: day(290), LastUsed: day(91)}},
		"used lately":            {{FirstUsed: day(290), LastUsed: day(89)}},
		"used by its new secret": {{LastUsed: day(1)}, {LastUsed: day(200)}},
		"denied lately":          {{LastDenied: day(1)}},
	}
	var got []string
	for _, k := range u.unused(keys, day(90)) {
		got = append(got, k.ID)
	}
	want := []string{"never used", "used long ago", "denied lately"}
	if len(got) != len(want) || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("unused are %q, want %q", got, want)
	}
	if begin := u.begin(); !begin.Equal(day(290)) {
		t.Errorf("counting began at %s", begin)
	}
}

// Periods are of one length, end with the present, and hold every hour once.
func TestPeriods(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 34, 56, 0, time.UTC)
	for back, want := range map[time.Duration]struct {
		length time.Duration
		number int
	}{
		0:                    {time.Hour, 1},
		30 * time.Minute:     {time.Hour, 1},
		48 * time.Hour:       {time.Hour, 49},
		49 * time.Hour:       {24 * time.Hour, 3},
		7 * 24 * time.Hour:   {24 * time.Hour, 8},
		400 * 24 * time.Hour: {7 * 24 * time.Hour, 58},
	} {
		begin := now.Add(-back)
		var hours []auth.UsageHour
		for at := begin.Truncate(time.Hour); !at.After(now); at = at.Add(time.Hour) {
			hours = append(hours, auth.UsageHour{Hour: at, UsageCounts: auth.UsageCounts{Allowed: 1}})
		}
		list := periods(hours, begin, now)
		sum := int64(0)
		for i, p := range list {
			sum += p.Allowed
			if i > 0 && p.Hour.Sub(list[i-1].Hour) != want.length {
				t.Errorf("%s back: a period of %s", back, p.Hour.Sub(list[i-1].Hour))
			}
		}
		if len(list) != want.number || sum != int64(len(hours)) || list[0].Hour.After(begin) || list[len(list)-1].Hour.After(now) {
			t.Errorf("%s back: %d periods from %s to %s hold %d of %d hours", back, len(list), list[0].Hour, list[len(list)-1].Hour, sum, len(hours))
		}
	}
}

func TestBars(t *testing.T) {
	rows := withBars(make([][]string, 4), []int64{1 << 40, 1 << 39, 1, 0})
	for i, want := range []int{barLength, barLength / 2, 1, 1} {
		if got := len([]rune(rows[i][0])); got != want {
			t.Errorf("bar %d is %q", i, rows[i][0])
		}
	}
	if rows[3][0] != " " || rows[2][0] != "▏" {
		t.Errorf("the least bar is %q, none is %q", rows[2][0], rows[3][0])
	}
}
