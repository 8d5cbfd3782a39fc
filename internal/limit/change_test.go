package limit_test

import (
	"testing"
	"time"

	"authd/internal/auth"
)

func testChangedLimits(t *testing.T, fresh func() auth.Limiter) {
	small := rate(100, time.Minute)
	small.Burst = 10
	for name, c := range map[string]struct {
		before auth.Limits
		spent  int
		after  auth.Limits
		want   int           // pass at once
		wait   time.Duration // until one more does
	}{
		"a higher rate":          {rate(10, time.Minute), 10, rate(100, time.Minute), 90, 600 * time.Millisecond},
		"a lower rate":           {rate(100, time.Minute), 100, rate(10, time.Minute), 0, 6 * time.Second},
		"a lower rate, half":     {rate(100, time.Minute), 5, rate(10, time.Minute), 5, 6 * time.Second},
		"a slower rate":          {rate(100, time.Minute), 100, rate(100, time.Hour), 0, 36 * time.Second},
		"a smaller burst":        {rate(100, time.Minute), 50, small, 0, 600 * time.Millisecond},
		"a first rate":           {quota(1000, "d"), 50, rate(10, time.Minute), 10, 6 * time.Second},
		"a higher quota":         {quota(10, "d"), 10, quota(25, "d"), 15, 12 * time.Hour},
		"a lower quota":          {quota(25, "d"), 20, quota(10, "d"), 0, 12 * time.Hour},
		"a quota of less time":   {quota(25, "d"), 20, quota(30, "h"), 10, time.Hour},
		"a quota of more time":   {quota(25, "h"), 20, quota(30, "d"), 10, 12 * time.Hour},
		"a first quota":          {rate(100, time.Minute), 50, quota(10, "h"), 10, time.Hour},
		"the rate is taken away": {auth.Limits{Rate: auth.Rate{Count: 1, Per: time.Hour}, Quota: auth.Quota{Count: 5, Per: "h"}}, 1, quota(5, "h"), 4, time.Hour},
	} {
		l := fresh()
		if got := passes(t, l, key("k", c.before), noon, c.spent); got != c.spent {
			t.Fatalf("%s: %d of the first %d pass", name, got, c.spent)
		}
		k := key("k", c.after)
		wantPasses(t, name, l, k, noon, c.want)
		if s := take(t, l, k, noon); s.RetryAfter != c.wait {
			t.Errorf("%s: again after %s, want %s", name, s.RetryAfter, c.wait)
		}
		if s := take(t, l, k, noon.Add(c.wait)); s.Reason != auth.Allowed {
			t.Errorf("%s: %s after the wait", name, s.Reason)
		}
	}
}

// A quota that becomes one of shorter windows begins with what was used in the window that is new.
func testQuotaOfLessTimeForgetsWhatWasBefore(t *testing.T, fresh func() auth.Limiter) {
	l := fresh()
	wantPasses(t, "the day's", l, key("k", quota(25, "d")), noon, 25)
	wantPasses(t, "the hour's", l, key("k", quota(10, "h")), noon.Add(time.Hour), 10)
}

func testClockSetBack(t *testing.T, fresh func() auth.Limiter) {
	for name, back := range map[string]time.Duration{
		"less than requests may overtake each other": time.Second, "a minute": time.Minute, "a year": 365 * 24 * time.Hour,
	} {
		l, k := fresh(), key("k", rate(10, time.Minute))
		wantPasses(t, name, l, k, noon, 10)
		then := noon.Add(-back)
		wantPasses(t, name+", set back", l, k, then, 0)
		if s := take(t, l, k, then); s.RetryAfter > 7*time.Second {
			t.Errorf("%s: a key waits %s for its next request", name, s.RetryAfter)
		}
		wantPasses(t, name+", and a minute after", l, k, then.Add(back%time.Minute+time.Minute), 10)
	}
	l, k := fresh(), key("k", rate(10, time.Minute))
	if got := passes(t, l, k, noon, 4); got != 4 {
		t.Fatalf("%d of the first 4 pass", got)
	}
	wantPasses(t, "what is left of the burst", l, k, noon.Add(-time.Hour), 6)
	for _, at := range []time.Time{noon.Add(5*time.Second - time.Hour), noon.Add(-2 * time.Hour)} {
		if s := take(t, l, k, at); s.RetryAfter != time.Second {
			t.Errorf("after 5 of 6 seconds a key waits %s, want 1s", s.RetryAfter)
		}
	}
	l, k = fresh(), key("k", quota(10, "d"))
	if got := passes(t, l, k, noon, 6); got != 6 {
		t.Fatalf("%d of the first 6 pass", got)
	}
	wantPasses(t, "quota, the day before", l, k, noon.Add(-24*time.Hour), 4)
	wantPasses(t, "quota, and the day again", l, k, noon, 10)
}

// Requests under way at once may come to be counted in any order: that gives
// nothing back, neither time nor a window.
func testRequestsThatOvertakeEachOther(t *testing.T, fresh func() auth.Limiter) {
	l, k := fresh(), key("k", rate(10, time.Second))
	passed := passes(t, l, k, noon, 10)
	for i := range 1000 {
		passed += passes(t, l, k, noon.Add(time.Duration(i%2)*900*time.Millisecond), 1)
	}
	if passed > 19 {
		t.Errorf("%d pass in 0.9 s, want 19 at most", passed)
	}
	l, k = fresh(), key("k", quota(10, "d"))
	midnight := time.Date(2026, 7, 2, 0, 0, 0, 0, time.UTC)
	passed = 0
	for i := range 1000 {
		passed += passes(t, l, k, midnight.Add(-time.Duration(i%2)*time.Millisecond), 1)
	}
	if passed != 10 {
		t.Errorf("%d pass around midnight, want 10", passed)
	}
}
