package limit_test

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"authd/internal/auth"
	"authd/internal/limit"
)

func testRate(t *testing.T, fresh func() auth.Limiter) {
	burst := func(l auth.Limits, n int) auth.Limits { l.Burst = n; return l }
	for name, c := range map[string]struct {
		limits      auth.Limits
		first       int           // pass at once
		wait        time.Duration // until one more does
		after, then int           // so many seconds later, so many do
	}{
		"the burst is the count":     {rate(100, time.Minute), 100, 600 * time.Millisecond, 6, 10},
		"a small burst":              {burst(rate(100, time.Minute), 5), 5, 600 * time.Millisecond, 3, 5},
		"a burst of one":             {burst(rate(100, time.Minute), 1), 1, 600 * time.Millisecond, 3600, 1},
		"a large burst":              {burst(rate(1, time.Second), 50), 50, time.Second, 20, 20},
		"one a day":                  {rate(1, 24*time.Hour), 1, 24 * time.Hour, 86399, 0},
		"a burst of more than years": {burst(rate(1, 24*time.Hour), 4_000), 4_000, 24 * time.Hour, 86400, 1},
		"no whole nanoseconds":       {rate(3, time.Second), 3, 333_333_334, 1, 2}, // rounded against the key
		"more than there are nanoseconds": {
			burst(rate(1_000_000_000, time.Millisecond), 7), 7, 1, 1, 7,
		},
	} {
		l, k := fresh(), key("k", c.limits)
		wantPasses(t, name+", at once", l, k, noon, c.first)
		s := take(t, l, k, noon)
		if s.Reason != auth.RateLimited || s.RetryAfter != c.wait {
			t.Errorf("%s: %s, again after %s; want rate_limited, %s", name, s.Reason, s.RetryAfter, c.wait)
		}
		if c.wait > 1 && take(t, l, k, noon.Add(c.wait-1)).Reason == auth.Allowed {
			t.Errorf("%s: one passes before its time", name)
		}
		later := time.Duration(c.after) * time.Second
		wantPasses(t, name+", later", l, k, noon.Add(later), c.then)
	}
}

// One that comes when it was told to passes, and the next has to wait as long again.
func testRetryAfterIsExact(t *testing.T, fresh func() auth.Limiter) {
	l, k, at := fresh(), key("k", rate(7, time.Second)), noon
	wantPasses(t, "the burst", l, k, at, 7)
	for range 20 {
		s := take(t, l, k, at)
		if s.Reason != auth.RateLimited || s.RetryAfter <= 0 {
			t.Fatalf("%s, again after %s", s.Reason, s.RetryAfter)
		}
		at = at.Add(s.RetryAfter)
		if s := take(t, l, k, at); s.Reason != auth.Allowed || s != (auth.LimitState{Reason: auth.Allowed}) {
			t.Fatalf("one that waited as it was told gets %+v", s)
		}
	}
}

func testQuota(t *testing.T, fresh func() auth.Limiter) {
	date := func(s string) time.Time {
		at, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for name, c := range map[string]struct {
		per, at string
		next    string // window
	}{
		"an hour":                {"h", "2026-07-01T12:34:56Z", "2026-07-01T13:00:00Z"},
		"the last of an hour":    {"h", "2026-07-01T12:59:59.999999999Z", "2026-07-01T13:00:00Z"},
		"the first of an hour":   {"h", "2026-07-01T12:00:00Z", "2026-07-01T13:00:00Z"},
		"a day":                  {"d", "2026-07-01T12:34:56Z", "2026-07-02T00:00:00Z"},
		"a day elsewhere":        {"d", "2026-07-01T23:30:00-05:00", "2026-07-03T00:00:00Z"},
		"a month":                {"mo", "2026-07-31T23:59:59Z", "2026-08-01T00:00:00Z"},
		"February":               {"mo", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"},
		"February of a leap":     {"mo", "2028-02-29T12:00:00Z", "2028-03-01T00:00:00Z"},
		"December":               {"mo", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"},
		"the end of the century": {"d", "2099-12-31T12:00:00Z", "2100-01-01T00:00:00Z"},
	} {
		l, k, at, next := fresh(), key("k", quota(10, c.per)), date(c.at), date(c.next)
		wantPasses(t, name, l, k, at, 10)
		s := take(t, l, k, at)
		if s.Reason != auth.QuotaExceeded || !at.Add(s.RetryAfter).Equal(next) {
			t.Errorf("%s: %s, again after %s; want quota_exceeded, at %s", name, s.Reason, s.RetryAfter, next)
		}
		if take(t, l, k, next.Add(-1)).Reason == auth.Allowed {
			t.Errorf("%s: one passes before the window is over", name)
		}
		wantPasses(t, name+", the next window", l, k, next, 10)
	}
}

func testRefusedRequestsCostNothing(t *testing.T, fresh func() auth.Limiter) {
	both := auth.Limits{Rate: auth.Rate{Count: 1, Per: time.Second}, Quota: auth.Quota{Count: 3, Per: "h"}}
	l, k := fresh(), key("k", both)
	if got := passes(t, l, k, noon, 1000); got != 1 {
		t.Fatalf("%d pass at once, want 1", got)
	}
	for i := range 2 { // the 999 that the rate refused are not in the quota
		wantPasses(t, "the rate's next", l, k, noon.Add(time.Duration(i+1)*time.Second), 1)
	}
	s := take(t, l, k, noon.Add(3*time.Second))
	if s.Reason != auth.QuotaExceeded {
		t.Fatalf("%s, want quota_exceeded", s.Reason)
	}
	passes(t, l, k, noon.Add(time.Hour-1), 1000) // none of them is in the rate
	wantPasses(t, "the next window", l, k, noon.Add(time.Hour), 1)
}

func testKeysAreCountedApart(t *testing.T, fresh func() auth.Limiter) {
	l := fresh()
	for _, id := range []string{"a", "b", "c"} {
		wantPasses(t, id, l, key(id, rate(10, time.Minute)), noon, 10)
	}
}

// What RateLimit and RateLimit-Policy tell, in the words of their draft.
func testFields(t *testing.T, fresh func() auth.Limiter) {
	both := rate(100, time.Minute)
	both.Quota = auth.Quota{Count: 100, Per: "d"}
	slow := auth.Limits{Rate: auth.Rate{Count: 1, Per: 24 * time.Hour}, Quota: auth.Quota{Count: 1, Per: "h"}}
	for name, c := range map[string]struct {
		limits        auth.Limits
		policy, state string
	}{
		"rate":                       {rate(100, time.Minute), `"rate";q=100;w=60`, `"rate";r=0;t=1`},
		"rate of hours":              {rate(2, time.Hour), `"rate";q=2;w=3600`, `"rate";r=0;t=1800`},
		"part of a second":           {rate(5, 100*time.Millisecond), `"rate";q=50;w=1`, `"rate";r=0;t=1`},
		"one second and a half":      {rate(3, 1500*time.Millisecond), `"rate";q=4;w=2`, `"rate";r=0;t=1`},
		"as much as there can be":    {auth.Limits{Rate: auth.Rate{Count: 1_000_000_000, Per: time.Millisecond}, Burst: 1}, `"rate";q=1000000000000;w=1`, `"rate";r=0;t=1`},
		"quota of an hour":           {quota(10, "h"), `"quota";q=10;w=3600`, `"quota";r=0;t=3600`},
		"quota of a day":             {quota(10, "d"), `"quota";q=10;w=86400`, `"quota";r=0;t=43200`},
		"quota of July":              {quota(10, "mo"), `"quota";q=10;w=2678400`, `"quota";r=0;t=2635200`},
		"both, and the quota longer": {both, `"rate";q=100;w=60, "quota";q=100;w=86400`, `"quota";r=0;t=43200`},
		"both, and the rate longer":  {slow, `"rate";q=1;w=86400, "quota";q=1;w=3600`, `"rate";r=0;t=86400`},
	} {
		l, k := fresh(), key("k", c.limits)
		passes(t, l, k, noon, 100)
		s := take(t, l, k, noon)
		if s.Policy != c.policy || s.State != c.state {
			t.Errorf("%s: %s and %s, want %s and %s", name, s.Policy, s.State, c.policy, c.state)
		}
	}
}

func TestLimitsThatAreNoneOfThese(t *testing.T) {
	reg := prometheus.NewRegistry()
	l := limit.NewLocal(reg)
	for name, bad := range map[string]auth.Limits{
		"a rate in no time":  rate(1, 0),
		"a negative rate":    rate(-1, time.Second),
		"a quota in no time": quota(1, ""),
		"a burst of nothing": {Burst: 5},
	} {
		if s, err := l.Take(context.Background(), key("k", bad), noon, ""); err == nil || s.Reason.Allows() {
			t.Errorf("%s: %s, %v; want an error", name, s.Reason, err)
		}
	}
	if l.Counted() != 0 {
		t.Error("what can't be counted is remembered")
	}
}

func TestDecisionsAreCounted(t *testing.T) {
	reg := prometheus.NewRegistry()
	l := limit.NewLocal(reg)
	passes(t, l, key("rate", rate(3, time.Minute)), noon, 5)
	passes(t, l, key("quota", quota(4, "d")), noon, 5)
	for range 2 {
		takeRequest(t, l, key("repeated", rate(1, time.Minute)), noon, "id")
	}
	want := map[string]float64{"allowed": 8, "quota_exceeded": 1, "rate_limited": 2, "repeated": 1, "unavailable": 0}
	for result, n := range want {
		if got := decided(t, reg, result, "local"); got != n {
			t.Errorf("%s: %v, want %v", result, got, n)
		}
	}
}

// However many ask at once, exactly as many pass as may.
func testManyAtOnce(t *testing.T, fresh func() auth.Limiter) {
	both := rate(500, time.Hour)
	both.Quota = auth.Quota{Count: 300, Per: "d"}
	l := fresh()
	keys := []*auth.Key{key("rate", rate(500, time.Hour)), key("quota", quota(400, "d")), key("both", both)}
	passed := make([]atomic.Int64, len(keys))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				for i, k := range keys {
					s, err := l.Take(context.Background(), k, noon, "")
					if err != nil {
						t.Error(err)
						return
					}
					if s.Reason == auth.Allowed {
						passed[i].Add(1)
					}
				}
			}
		})
	}
	wg.Wait()
	for i, want := range []int64{500, 400, 300} {
		if got := passed[i].Load(); got != want {
			t.Errorf("%s: %d of 1600 pass, want %d", keys[i].ID, got, want)
		}
	}
}

func TestAllowingAllocatesNothing(t *testing.T) {
	both := auth.Limits{Rate: auth.Rate{Count: 1_000_000_000, Per: time.Second}, Quota: auth.Quota{Count: 1_000_000_000, Per: "mo"}}
	l, k, ctx := local(), key("k", both), context.Background()
	take(t, l, k, noon)
	if n := testing.AllocsPerRun(1000, func() { _, _ = l.Take(ctx, k, noon, "") }); n != 0 {
		t.Errorf("%v allocations a request, want none", math.Ceil(n))
	}
}
