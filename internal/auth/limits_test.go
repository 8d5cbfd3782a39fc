package auth_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"authd/internal/auth"
)

func TestParseRate(t *testing.T) {
	for s, want := range map[string]struct {
		rate auth.Rate
		text string
	}{
		"100/1m":          {auth.Rate{Count: 100, Per: time.Minute}, "100/1m"},
		"100/s":           {auth.Rate{Count: 100, Per: time.Second}, "100/1s"},
		"100/m":           {auth.Rate{Count: 100, Per: time.Minute}, "100/1m"},
		"5/ms":            {auth.Rate{Count: 5, Per: time.Millisecond}, "5/1ms"},
		"1/24h":           {auth.Rate{Count: 1, Per: 24 * time.Hour}, "1/24h"},
		"1/90m":           {auth.Rate{Count: 1, Per: 90 * time.Minute}, "1/1h30m"},
		"1/1h0m10s":       {auth.Rate{Count: 1, Per: time.Hour + 10*time.Second}, "1/1h0m10s"},
		"1/10m":           {auth.Rate{Count: 1, Per: 10 * time.Minute}, "1/10m"},
		"1/20h":           {auth.Rate{Count: 1, Per: 20 * time.Hour}, "1/20h"},
		"1/1.5s":          {auth.Rate{Count: 1, Per: 1500 * time.Millisecond}, "1/1.5s"},
		"1000000000/1h1m": {auth.Rate{Count: 1_000_000_000, Per: 61 * time.Minute}, "1000000000/1h1m"},
	} {
		got, err := auth.ParseRate(s)
		if err != nil || got != want.rate || got.String() != want.text {
			t.Errorf("%q is %v, written %q (%v); want %v, %q", s, got, got, err, want.rate, want.text)
		}
	}
	for _, s := range []string{
		"", "100", "/1m", "100/", "100/1", "100/1x", "100/x", "100/0s", "100/-1m", "100/999us", "100/25h", "100/1d", "0/1m", "-1/1m",
		"1000000001/1m", "99999999999999999999/1m", "1.5/1m", "1e3/1m", " 1/1m", "1/1m ", "1 / 1m", "1/1m/1m", "100/1M", "0x10/1m",
	} {
		if got, err := auth.ParseRate(s); err == nil {
			t.Errorf("%q is taken for %v", s, got)
		} else if !strings.Contains(err.Error(), "100/1m") || got != (auth.Rate{}) {
			t.Errorf("%q: %v, %v; the error has no example", s, got, err)
		}
	}
}

func TestParseQuota(t *testing.T) {
	for s, want := range map[string]struct {
		quota auth.Quota
		text  string
	}{
		"10000/1d":      {auth.Quota{Count: 10000, Per: "d"}, "10000/1d"},
		"10/h":          {auth.Quota{Count: 10, Per: "h"}, "10/1h"},
		"1000000000/mo": {auth.Quota{Count: 1_000_000_000, Per: "mo"}, "1000000000/1mo"},
		"1/1mo":         {auth.Quota{Count: 1, Per: "mo"}, "1/1mo"},
	} {
		got, err := auth.ParseQuota(s)
		if err != nil || got != want.quota || got.String() != want.text {
			t.Errorf("%q is %v, written %q (%v); want %v, %q", s, got, got, err, want.quota, want.text)
		}
	}
	for _, s := range []string{"", "10", "10/", "10/1", "10/1m", "10/2d", "10/11d", "10/1D", "10/1y", "0/1d", "-1/1d", "1000000001/1d", "10/24h", "10/1d ", "10/1d/1d"} {
		if got, err := auth.ParseQuota(s); err == nil {
			t.Errorf("%q is taken for %v", s, got)
		} else if got != (auth.Quota{}) || !strings.Contains(err.Error(), "/1") {
			t.Errorf("%q: %v, %v; the error has no example", s, got, err)
		}
	}
}

func TestWindowsOfTheCalendar(t *testing.T) {
	east := time.FixedZone("east", 5*3600)
	for name, c := range map[string]struct {
		per        string
		at         time.Time
		start, end string
	}{
		"an hour":               {"h", time.Date(2026, 7, 1, 12, 34, 56, 7, time.UTC), "2026-07-01T12:00:00Z", "2026-07-01T13:00:00Z"},
		"an hour of half zones": {"h", time.Date(2026, 7, 1, 12, 34, 0, 0, time.FixedZone("", 5*3600+1800)), "2026-07-01T07:00:00Z", "2026-07-01T08:00:00Z"},
		"a day":                 {"d", time.Date(2026, 12, 31, 23, 59, 59, 999, time.UTC), "2026-12-31T00:00:00Z", "2027-01-01T00:00:00Z"},
		"a day, seen elsewhere": {"d", time.Date(2026, 7, 2, 4, 59, 0, 0, east), "2026-07-01T00:00:00Z", "2026-07-02T00:00:00Z"},
		"its first moment":      {"d", time.Date(2026, 7, 2, 0, 0, 0, 0, time.UTC), "2026-07-02T00:00:00Z", "2026-07-03T00:00:00Z"},
		"a month":               {"mo", time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC), "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"},
		"February of a leap":    {"mo", time.Date(2028, 2, 29, 12, 0, 0, 0, time.UTC), "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"},
		"the last of a year":    {"mo", time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
	} {
		start, end, ok := auth.Quota{Count: 1, Per: c.per}.Window(c.at)
		if !ok || start.Format(time.RFC3339Nano) != c.start || end.Format(time.RFC3339Nano) != c.end {
			t.Errorf("%s: %s to %s, %v; want %s to %s", name, start, end, ok, c.start, c.end)
		}
	}
	for _, per := range []string{"", "m", "y", "1d", "D"} {
		if _, _, ok := (auth.Quota{Count: 1, Per: per}).Window(noon); ok {
			t.Errorf("%q is taken for a window", per)
		}
	}
}

func TestWindowsHaveNoGaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := auth.Quota{Count: 1, Per: rapid.SampledFrom([]string{"h", "d", "mo"}).Draw(t, "per")}
		at := time.Unix(rapid.Int64Range(0, 250_000_000_000).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanos"))
		start, end, ok := q.Window(at)
		if !ok || at.Before(start) || !at.Before(end) {
			t.Fatalf("%s lies in %s to %s, %v", at, start, end, ok)
		}
		if again, last, _ := q.Window(end.Add(-1)); again != start || last != end {
			t.Fatalf("the last moment of %s to %s lies in %s to %s", start, end, again, last)
		}
		if next, _, _ := q.Window(end); next != end {
			t.Fatalf("behind %s comes %s", end, next)
		}
	})
}

func TestLimitsValidate(t *testing.T) {
	minute := auth.Rate{Count: 100, Per: time.Minute}
	for name, l := range map[string]auth.Limits{
		"none": {}, "a rate": {Rate: minute}, "a burst": {Rate: minute, Burst: 1}, "a burst above the count": {Rate: minute, Burst: 1_000_000_000},
		"a quota": {Quota: auth.Quota{Count: 1, Per: "mo"}}, "all": {Rate: minute, Burst: 5, Quota: auth.Quota{Count: 1, Per: "h"}},
	} {
		if err := l.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if l.IsZero() != (name == "none") {
			t.Errorf("%s: IsZero is %v", name, l.IsZero())
		}
	}
	for name, l := range map[string]auth.Limits{
		"no count": {Rate: auth.Rate{Per: time.Minute}}, "no period": {Rate: auth.Rate{Count: 1}}, "a negative count": {Rate: auth.Rate{Count: -1, Per: time.Minute}},
		"too many": {Rate: auth.Rate{Count: 1_000_000_001, Per: time.Minute}}, "too short": {Rate: auth.Rate{Count: 1, Per: time.Microsecond}}, "too long": {Rate: auth.Rate{Count: 1, Per: 25 * time.Hour}},
		"a negative burst": {Rate: minute, Burst: -1}, "too large a burst": {Rate: minute, Burst: 1_000_000_001}, "a burst of nothing": {Burst: 1},
		"no such window": {Quota: auth.Quota{Count: 1, Per: "y"}}, "no window": {Quota: auth.Quota{Count: 1}}, "a quota of none": {Quota: auth.Quota{Per: "d"}}, "too large a quota": {Quota: auth.Quota{Count: 1_000_000_001, Per: "d"}},
	} {
		if l.Validate() == nil {
			t.Errorf("%s: taken", name)
		}
	}
	err := auth.Limits{Rate: auth.Rate{Count: 7, Per: -1}, Burst: -3, Quota: auth.Quota{Count: 9, Per: "y"}}.Validate()
	for _, part := range []string{"a rate of 7", "burst -3", `a quota of 9 per "y"`} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not told in\n%v", part, err)
		}
	}
}

func TestLimitsKeepTheirFormInJSON(t *testing.T) {
	l := auth.Limits{Rate: auth.Rate{Count: 100, Per: time.Minute}, Burst: 20, Quota: auth.Quota{Count: 10000, Per: "d"}}
	b, err := json.Marshal(l)
	if want := `{"rate":"100/1m","burst":20,"quota":"10000/1d"}`; err != nil || string(b) != want {
		t.Fatalf("%s (%v), want %s", b, err, want)
	}
	var again auth.Limits
	if err := json.Unmarshal(b, &again); err != nil || again != l {
		t.Errorf("read back as %+v (%v)", again, err)
	}
	if b, err := json.Marshal(auth.Limits{}); err != nil || string(b) != "{}" {
		t.Errorf("none are written as %s (%v)", b, err)
	}
	if text := (auth.Rate{}).String() + (auth.Quota{}).String(); text != "" {
		t.Errorf("none are written %q", text)
	}
	if err := json.Unmarshal([]byte(`{"rate":"","quota":""}`), &again); err != nil || again.Rate != (auth.Rate{}) || again.Quota != (auth.Quota{}) {
		t.Errorf("empty texts are read as %+v (%v), want none", again, err)
	}
	for _, bad := range []string{`{"rate":"100"}`, `{"rate":100}`, `{"quota":"1/1y"}`, `{"quota":{"Count":1}}`} {
		if json.Unmarshal([]byte(bad), &again) == nil {
			t.Errorf("%s is read", bad)
		}
	}
}

func FuzzParseRate(f *testing.F) {
	for _, s := range []string{"100/1m", "100/s", "1/1h30m", "1/1.5s", "5/ms", "100/1d", "+5/1m", "007/m5s", "1/µs", "1/1h0m0.001s", "/", "9/9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := auth.ParseRate(s)
		if err != nil {
			return
		}
		if err := (auth.Limits{Rate: r}).Validate(); err != nil {
			t.Errorf("%q is %v: %v", s, r, err)
		}
		if again, err := auth.ParseRate(r.String()); err != nil || again != r {
			t.Errorf("%q is written %q, and that is read as %v (%v)", s, r, again, err)
		}
	})
}

func FuzzParseQuota(f *testing.F) {
	for _, s := range []string{"10000/1d", "1/mo", "5/h", "5/11h", "5/m", "-1/d", "1/", "+1/1d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q, err := auth.ParseQuota(s)
		if err != nil {
			return
		}
		if err := (auth.Limits{Quota: q}).Validate(); err != nil {
			t.Errorf("%q is %v: %v", s, q, err)
		}
		if again, err := auth.ParseQuota(q.String()); err != nil || again != q {
			t.Errorf("%q is written %q, and that is read as %v (%v)", s, q, again, err)
		}
	})
}
