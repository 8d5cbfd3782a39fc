package limit_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"authd/internal/auth"
	"authd/internal/limit"
)

func TestKeysAtRestAreForgotten(t *testing.T) {
	l := local()
	const keys = 10_000
	for i := range keys {
		take(t, l, key(fmt.Sprint("rate ", i), rate(60, time.Minute)), noon) // at rest a second later
	}
	slow := key("slow", rate(10, time.Hour))
	wantPasses(t, "slow", l, slow, noon, 10)
	monthly := key("monthly", quota(10, "mo"))
	wantPasses(t, "monthly", l, monthly, noon, 10)
	if got := l.Counted(); got != keys+2 {
		t.Fatalf("%d keys are remembered, want %d", got, keys+2)
	}
	// As many other requests drop them all: each looks at two.
	later := noon.Add(3 * time.Second)
	for i := range keys {
		take(t, l, key(fmt.Sprint("new ", i), rate(600, time.Minute)), later)
	}
	if got := l.Counted(); got != keys+2 {
		t.Errorf("%d keys are remembered, want the %d of the last seconds", got, keys+2)
	}
	wantPasses(t, "slow, still", l, slow, later, 0)
	wantPasses(t, "monthly, still", l, monthly, later, 0)
}

// A key in steady use keeps its entry, and what is counted in it.
func TestKeysInUseStay(t *testing.T) {
	l, k := local(), key("k", quota(1000, "d"))
	at := noon
	for range 1000 {
		if take(t, l, k, at).Reason != auth.Allowed {
			t.Fatal("one of the first 1000 is refused")
		}
		at = at.Add(40 * time.Second)
		take(t, l, key("other", rate(10, time.Second)), at)
	}
	if take(t, l, k, at).Reason == auth.Allowed {
		t.Error("the 1001st passes")
	}
}

// At the bound nothing of a key in use is forgotten, and no key passes uncounted.
func TestBound(t *testing.T) {
	const each = 4
	l := limit.NewLocalOf(prometheus.NewRegistry(), each*limit.Shards)
	daily := func(i int) *auth.Key { return key(fmt.Sprint(i), quota(1, "d")) }
	counted, refused := []int{}, []int{}
	for i := range 100 * limit.Shards {
		switch s, err := l.Take(context.Background(), daily(i), noon, ""); {
		case err != nil:
			if s.Reason.Allows() {
				t.Fatal("a key that is not counted passes")
			}
			refused = append(refused, i)
		case s.Reason == auth.Allowed:
			counted = append(counted, i)
		}
	}
	if len(counted) != each*limit.Shards || len(refused) == 0 || l.Counted() != len(counted) {
		t.Fatalf("%d keys are counted, %d refused, %d remembered; want %d counted", len(counted), len(refused), l.Counted(), each*limit.Shards)
	}
	for _, i := range counted {
		if take(t, l, daily(i), noon.Add(time.Hour)).Reason != auth.QuotaExceeded {
			t.Fatalf("key %d was forgotten", i)
		}
	}
	for _, i := range refused[:each] { // the next day there is room again
		if take(t, l, daily(i), noon.Add(24*time.Hour)).Reason != auth.Allowed {
			t.Fatalf("key %d is refused though all others are at rest", i)
		}
	}
}

// Where there is no room, all that may be at rest is looked at, and not only what comes first.
func TestRoomIsFoundBehindKeysInUse(t *testing.T) {
	const each = 6
	l := limit.NewLocalOf(prometheus.NewRegistry(), each*limit.Shards)
	var ids []string
	for i := 0; len(ids) < each+1; i++ {
		if id := fmt.Sprint(i); l.ShardOf(id) == l.ShardOf("0") {
			ids = append(ids, id)
		}
	}
	for i, id := range ids[:each] {
		limits := quota(1, "d")
		if i == each-1 {
			limits = rate(1, time.Second) // at rest a second later
		}
		take(t, l, key(id, limits), noon.Add(time.Duration(i)))
	}
	if s := take(t, l, key(ids[each], quota(1, "d")), noon.Add(3*time.Second)); s.Reason != auth.Allowed {
		t.Errorf("%s, want it counted in the place of the key at rest", s.Reason)
	}
	for _, id := range ids[:each-1] {
		if take(t, l, key(id, quota(1, "d")), noon.Add(4*time.Second)).Reason == auth.Allowed {
			t.Errorf("key %s was forgotten", id)
		}
	}
}

// A burst that time makes up for after our days is not forgotten in them.
func TestBurstOfCenturiesIsNotForgotten(t *testing.T) {
	limits := rate(1, 24*time.Hour)
	limits.Burst = 90_000 // 246 years
	l, k := local(), key("k", limits)
	wantPasses(t, "the burst", l, k, noon, limits.Burst)
	for i := range 1000 {
		take(t, l, key(fmt.Sprint(i), rate(1, time.Second)), noon.Add(5*time.Second))
	}
	wantPasses(t, "and seconds later", l, k, noon.Add(10*time.Second), 0)
}
