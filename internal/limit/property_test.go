package limit_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"authd/internal/auth"
)

// asked is a request as it came out.
type asked struct {
	at     time.Time
	passed bool
}

// checkRate holds what passed against the rate: between any two requests
// no more than the burst and what the time between them makes up for.
func checkRate(t *rapid.T, l auth.Limits, log []asked) {
	burst := l.Burst
	if burst == 0 {
		burst = l.Rate.Count
	}
	for i := range log {
		n := 0
		for j := i; j < len(log); j++ {
			if !log[j].passed {
				continue
			}
			n++
			elapsed := log[j].at.Sub(log[i].at)
			if most := float64(burst) + float64(l.Rate.Count)*float64(elapsed)/float64(l.Rate.Per); float64(n) > most+1e-6 {
				t.Fatalf("requests %d to %d: %d passed in %s, want %v at most", i, j, n, elapsed, most)
			}
		}
	}
}

// checkQuota holds what passed against the calendar.
func checkQuota(t *rapid.T, q auth.Quota, log []asked) {
	layout := map[string]string{"h": "2006-01-02 15", "d": "2006-01-02", "mo": "2006-01"}[q.Per]
	used := map[string]int{}
	for _, a := range log {
		if a.passed {
			used[a.at.UTC().Format(layout)]++
		}
	}
	for window, n := range used {
		if n > q.Count {
			t.Fatalf("%d passed in %s, want %d at most", n, window, q.Count)
		}
	}
}

func anyRate(t *rapid.T) auth.Limits {
	l := rate(rapid.IntRange(1, 20).Draw(t, "count"), time.Duration(rapid.IntRange(1, 5000).Draw(t, "per"))*time.Millisecond)
	l.Burst = rapid.IntRange(0, 30).Draw(t, "burst")
	return l
}

func anyQuota(t *rapid.T) auth.Quota {
	return auth.Quota{Count: rapid.IntRange(1, 20).Draw(t, "quota"), Per: rapid.SampledFrom([]string{"h", "d", "mo"}).Draw(t, "window")}
}

func testNoSequenceGetsMoreThanTheLimits(t *testing.T, fresh func() auth.Limiter) {
	rapid.Check(t, func(t *rapid.T) {
		var limits auth.Limits
		kind := rapid.SampledFrom([]string{"rate", "quota", "both"}).Draw(t, "kind")
		if kind != "quota" {
			limits = anyRate(t)
		}
		if kind != "rate" {
			limits.Quota = anyQuota(t)
		}
		longest := rapid.SampledFrom([]time.Duration{100 * time.Millisecond, time.Minute, 20 * time.Hour}).Draw(t, "pause at most")
		l, at := fresh(), noon
		var log []asked
		for i := range rapid.IntRange(1, 100).Draw(t, "requests") {
			at = at.Add(time.Duration(rapid.Int64Range(0, int64(longest)).Draw(t, "pause")))
			s := take(t, l, key("k", limits), at)
			log = append(log, asked{at, s.Reason == auth.Allowed})
			// Others come and go: an entry that is dropped for them must not be missed.
			take(t, l, key(fmt.Sprint("other ", i), rate(5, time.Second)), at)
		}
		if kind != "quota" {
			checkRate(t, limits, log)
		}
		if kind != "rate" {
			checkQuota(t, limits.Quota, log)
		}
	})
}

// Nobody is refused who may pass: one more would have been too many, and
// exactly from RetryAfter on it no longer is. Refused ones in between change nothing.
func testNoneIsRefusedThatFits(t *testing.T, fresh func() auth.Limiter) {
	rapid.Check(t, func(t *rapid.T) {
		limits := anyRate(t)
		if rapid.Bool().Draw(t, "quota too") {
			limits.Quota = anyQuota(t)
		}
		bothered, left, at := fresh(), fresh(), noon
		k := key("k", limits)
		for range rapid.IntRange(1, 60).Draw(t, "requests") {
			at = at.Add(time.Duration(rapid.Int64Range(0, int64(3*time.Second)).Draw(t, "pause")))
			s := take(t, bothered, k, at)
			if s.Reason == auth.Allowed {
				if take(t, left, k, at).Reason != auth.Allowed {
					t.Fatal("a key that was not bothered with refusals is refused where the other passes")
				}
				continue
			}
			if s.RetryAfter <= 0 || s.Policy == "" || s.State == "" {
				t.Fatalf("a refusal that tells nothing: %+v", s)
			}
			if early := take(t, bothered, k, at.Add(s.RetryAfter-1)); early.Reason == auth.Allowed {
				t.Fatalf("one passes before the %s that it was told to wait", s.RetryAfter)
			}
			at = at.Add(s.RetryAfter)
			if s := take(t, bothered, k, at); s.Reason != auth.Allowed {
				t.Fatalf("one that waited is refused: %+v", s)
			}
			if s := take(t, left, k, at); s.Reason != auth.Allowed {
				t.Fatalf("one that waited without a word is refused: %+v", s)
			}
		}
	})
}

// Whatever becomes of the limits and the clock, from a change on nobody gets
// more than the new burst and what the forward steps of the clock make up for.
func testNoChangeGivesMoreThanTheNewLimits(t *testing.T, fresh func() auth.Limiter) {
	rapid.Check(t, func(t *rapid.T) {
		l, at := fresh(), noon
		for range rapid.IntRange(1, 6).Draw(t, "changes") {
			limits := anyRate(t)
			var log []asked
			forward := noon // a clock without the steps back
			for range rapid.IntRange(0, 40).Draw(t, "requests") {
				step := time.Duration(rapid.Int64Range(-int64(time.Minute), int64(time.Second)).Draw(t, "step"))
				if rapid.Bool().Draw(t, "forward") && step < 0 {
					step = -step % time.Second
				}
				at, forward = at.Add(step), forward.Add(max(step, 0))
				log = append(log, asked{forward, take(t, l, key("k", limits), at).Reason == auth.Allowed})
			}
			checkRate(t, limits, log)
		}
	})
}
