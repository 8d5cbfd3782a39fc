package limit_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"authd/internal/auth"
	"authd/internal/limit"
	"authd/internal/redistest"
)

var _ auth.Limiter = (*limit.Shared)(nil)

// replicas are as many, each with connections of its own.
func replicas(t testing.TB, url, database string, n int) []*limit.Shared {
	t.Helper()
	var all []*limit.Shared
	for range n {
		all = append(all, shared(t, connect(t, url, patience), database, limit.FailClosed, prometheus.NewRegistry(), slog.New(slog.DiscardHandler)))
	}
	return all
}

// Five replicas under three times the limit let it pass, and no request more or less.
func TestReplicasShareTheLimits(t *testing.T) {
	const n = 1000
	server := redistest.Start(t)
	burst := rate(1, 24*time.Hour)
	burst.Burst = n
	monthly := quota(n, "mo") // whoever runs this at the turn of a month has 2n: see below
	for name, l := range map[string]*auth.Limits{"rate": &burst, "quota": &monthly} {
		for whose, key := range map[string]func(i int) *auth.Key{
			"key":  func(int) *auth.Key { return of("u", name, l, nil) },
			"user": func(i int) *auth.Key { return of(name, fmt.Sprint(i%7), nil, l) },
		} {
			month := time.Now().UTC().Month()
			passed := offer(t, replicas(t, server.URL, "db", 5), key, 3*n)
			if month != time.Now().UTC().Month() && l.Quota.Count > 0 {
				passed = min(passed, n)
			}
			if passed != n {
				t.Errorf("%s of a %s: %d of %d pass, want %d", name, whose, passed, 3*n, n)
			}
		}
	}
}

// offer sends requests through all replicas at once, and tells how many passed.
func offer(t *testing.T, through []*limit.Shared, key func(i int) *auth.Key, requests int) int {
	t.Helper()
	var passed, next atomic.Int64
	var all sync.WaitGroup
	for i := range 4 * len(through) {
		all.Go(func() {
			for {
				n := int(next.Add(1))
				if n > requests {
					return
				}
				s, err := through[i%len(through)].Take(context.Background(), key(n), time.Now(), "")
				if err != nil {
					t.Error(err)
					return
				}
				if s.Reason == auth.Allowed {
					passed.Add(1)
				}
			}
		})
	}
	all.Wait()
	return int(passed.Load())
}

// A replica whose own clock is wrong counts as the others do: the time is Redis'.
func TestReplicasOwnClocksDoNotMatter(t *testing.T) {
	all := replicas(t, redistest.Start(t).URL, "db", 3)
	l := rate(100, 24*time.Hour)
	k, passed := of("u", "k", &l, nil), 0
	for i := range 300 {
		passed += passes(t, all[i%3], k, time.Now().Add(time.Duration(i%3-1)*24*time.Hour), 1)
	}
	if passed != 100 {
		t.Errorf("%d pass, want 100", passed)
	}
}

// A request that a proxy asks another replica about counts once.
func TestReplicasShareRepeats(t *testing.T) {
	all := replicas(t, redistest.Start(t).URL, "db", 2)
	l := quota(1, "mo")
	k := of("u", "k", &l, nil)
	for _, s := range all {
		s.SetRemember(time.Hour)
		if got := takeRequest(t, s, k, noon, "1").Reason; got != auth.Allowed {
			t.Error(got)
		}
	}
	if got := takeRequest(t, all[0], k, noon, "2").Reason; got != auth.QuotaExceeded {
		t.Errorf("the next request: %s", got)
	}
	// And is forgotten in time.
	all[0].SetRemember(20 * time.Millisecond)
	short := of("u", "short", &l, nil)
	takeRequest(t, all[0], short, noon, "1")
	await(t, "the id is forgotten", func() bool { return takeRequest(t, all[0], short, noon, "1").Reason == auth.QuotaExceeded })
}

// Databases that share a Redis share nothing else; nothing there outlives its use, and no name tells a digest.
func TestWhatRedisHolds(t *testing.T) {
	server := redistest.Start(t)
	c := server.Client(t)
	one, other := replicas(t, server.URL, "one", 1)[0], replicas(t, server.URL, "other", 1)[0]
	both := auth.Limits{Rate: auth.Rate{Count: 1, Per: time.Hour}, Quota: auth.Quota{Count: 2, Per: "mo"}}
	k := of("u", "id", &both, &both)
	k.Digest = auth.Digest{1, 2, 3}
	for _, s := range []*limit.Shared{one, other} {
		if got := takeRequest(t, s, k, noon, "request").Reason; got != auth.Allowed {
			t.Error(got)
		}
	}
	names := c.Keys(t.Context(), "*").Val()
	if len(names) != 6 {
		t.Errorf("%q", names)
	}
	for _, name := range names {
		if ttl := c.PTTL(t.Context(), name).Val(); ttl <= 0 || ttl > 32*24*time.Hour {
			t.Errorf("%s stays for %s", name, ttl)
		}
		if !strings.HasPrefix(name, "authd:limit:1:") || strings.Contains(name, k.Digest.String()) || strings.Contains(name, "request:request") {
			t.Errorf("the name %s", name)
		}
	}
	brief := rate(10, 10*time.Millisecond)
	take(t, one, of("brief", "brief", &brief, nil), noon)
	for _, name := range c.Keys(t.Context(), "*brief*").Val() {
		if ttl := c.PTTL(t.Context(), name).Val(); ttl > 61*time.Second {
			t.Errorf("%s, at rest after a millisecond, stays for %s", name, ttl)
		}
	}
}

// What somebody else put under a counter's name is no counter, and no key passes uncounted for it.
func TestForeignValues(t *testing.T) {
	server := redistest.Start(t)
	c := server.Client(t)
	s := replicas(t, server.URL, "db", 1)[0]
	l := quota(2, "mo")
	k := of("u", "k", &l, nil)
	take(t, s, k, noon)
	name := c.Keys(t.Context(), "*").Val()[0]
	c.Set(t.Context(), name, "x", time.Hour)
	wantPasses(t, "a value that is none", s, k, noon, 2)
	c.Del(t.Context(), name)
	c.RPush(t.Context(), name, "x")
	if state, err := s.Take(t.Context(), k, noon, ""); err == nil || state.Reason.Allows() {
		t.Errorf("a value of another type: %+v", state)
	}
}

// A cluster has all of a user's counters on one node, whatever the user is called.
func TestCluster(t *testing.T) {
	url := redistest.StartCluster(t)
	all := replicas(t, url, "db", 2)
	l := quota(4, "mo")
	for _, user := range []string{"", "}", "{}", "}{", "a}b", "ä", "{a}", "a", "b", "c", "d", "e", "f"} {
		passed := 0
		for i := range 10 {
			if takeRequest(t, all[i%2], of(user, "k", &l, &l), noon, fmt.Sprint(i)).Reason == auth.Allowed {
				passed++
			}
		}
		if passed != 4 {
			t.Errorf("user %q: %d pass, want 4", user, passed)
		}
	}
	used := 0
	for _, address := range strings.Split(strings.TrimPrefix(url, "redis://"), ",") {
		c := redis.NewClient(&redis.Options{Addr: address})
		if c.DBSize(t.Context()).Val() > 0 {
			used++
		}
		_ = c.Close()
	}
	if used < 2 {
		t.Errorf("%d nodes are used", used)
	}
}

func TestFailIsKnown(t *testing.T) {
	conn := connect(t, "redis://127.0.0.1:1", time.Second)
	if _, err := limit.NewShared(limit.SharedOptions{Redis: conn, Fail: "perhaps", Registerer: prometheus.NewRegistry()}); err == nil {
		t.Error("limits.fail: perhaps")
	}
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("this did not come: %s", what)
		}
	}
}
