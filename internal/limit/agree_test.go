package limit_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"authd/internal/auth"
	"authd/internal/redistest"
)

// Both limiters say the same of any sequence, to the nanosecond and the letter.
func TestSharedAgreesWithLocal(t *testing.T) {
	conn := connect(t, redistest.Start(t).URL, patience)
	rapid.Check(t, func(rt *rapid.T) {
		a, b, at := local(), newTimed(t, conn), noon
		keys := someKeys(rt)
		longest := rapid.SampledFrom([]time.Duration{100 * time.Millisecond, time.Minute, 20 * time.Hour, 400 * 24 * time.Hour}).Draw(rt, "pause at most")
		for i := range rapid.IntRange(1, 60).Draw(rt, "requests") {
			at = at.Add(time.Duration(rapid.Int64Range(0, int64(longest)).Draw(rt, "pause")))
			when := at
			if rapid.IntRange(0, 9).Draw(rt, "overtaken") == 0 {
				when = when.Add(-time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(rt, "by")))
			}
			agree(rt, fmt.Sprintf("request %d", i), a, b, rapid.SampledFrom(keys).Draw(rt, "key"), when)
		}
	})
}

// The same where the limits change while it goes on, and the clock is set back.
func TestSharedAgreesWithLocalOverChanges(t *testing.T) {
	conn := connect(t, redistest.Start(t).URL, patience)
	rapid.Check(t, func(rt *rapid.T) {
		a, b, at := local(), newTimed(t, conn), noon
		for c := range rapid.IntRange(1, 6).Draw(rt, "changes") {
			k := of("u", "k", anyLimits(rt), anyLimits(rt))
			for i := range rapid.IntRange(1, 20).Draw(rt, "requests") {
				// Shorter than what is at rest is kept by either, which is for each to choose.
				at = at.Add(time.Duration(rapid.Int64Range(-int64(time.Minute), int64(900*time.Millisecond)).Draw(rt, "step")))
				agree(rt, fmt.Sprintf("change %d, request %d", c, i), a, b, k, at)
			}
		}
	})
}

// Every month has its length in the script as well.
func TestSharedAgreesOnTheCalendar(t *testing.T) {
	conn := connect(t, redistest.Start(t).URL, patience)
	b := newTimed(t, conn)
	n := 0
	sees := func(t failer, at time.Time) {
		for _, per := range []string{"h", "d", "mo"} {
			n++
			once := quota(1, per)
			k := of("u", fmt.Sprint(n), &once, nil)
			a := local()
			take(t, a, k, at)
			take(t, b, k, at)
			agree(t, at.Format(time.RFC3339Nano)+" "+per, a, b, k, at)
		}
	}
	for month := time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC); month.Year() < 2009; month = month.AddDate(0, 1, 0) {
		sees(t, month)
		sees(t, month.Add(-1))
	}
	// In process, the time ends with 2262.
	for _, year := range []int{1970, 2000, 2099, 2100, 2104, 2200} {
		sees(t, time.Date(year, 2, 28, 23, 59, 59, 999_999_999, time.UTC))
		sees(t, time.Date(year, 3, 1, 0, 0, 0, 0, time.UTC))
		sees(t, time.Date(year, 12, 31, 12, 0, 0, 0, time.UTC))
	}
	rapid.Check(t, func(rt *rapid.T) {
		sees(rt, time.Unix(rapid.Int64Range(0, 4_000_000_000).Draw(rt, "second"), 0))
	})
}

func agree(t failer, what string, a, b auth.Limiter, k *auth.Key, at time.Time) {
	t.Helper()
	if k.Limits == nil && k.UserLimits == nil {
		return
	}
	if own, redis := take(t, a, k, at), take(t, b, k, at); own != redis {
		t.Fatalf("%s, at %s of %+v: in process %+v, in Redis %+v", what, at, k, own, redis)
	}
}

func anyLimits(t *rapid.T) *auth.Limits {
	var l auth.Limits
	kind := rapid.SampledFrom([]string{"rate", "quota", "both", "none"}).Draw(t, "kind")
	if kind == "none" {
		return nil
	}
	if kind != "quota" {
		l = anyRate(t)
	}
	if kind != "rate" {
		l.Quota = anyQuota(t)
	}
	return &l
}

// someKeys are three of two users.
func someKeys(t *rapid.T) []*auth.Key {
	u, v := anyLimits(t), anyLimits(t)
	return []*auth.Key{of("u", "a", anyLimits(t), u), of("u", "b", anyLimits(t), u), of("v", "c", anyLimits(t), v)}
}
