package cache

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/redis/go-redis/v9"

	"authd/internal/auth"
	"authd/internal/redisconn"
	"authd/internal/redistest"
)

// answers looks everything up past the replica's own memory.
func (r *sharing) answers() {
	r.t.Helper()
	r.forget()
	expectKey(r.t, r.Local, digest(1), "a")
	expectErr(r.t, r.Local, digest(2), auth.ErrKeyNotFound)
}

// TestRedisGoesAway: whether it refuses or is silent, answers go on as without it, after a few requests it is
// left alone, and when it is back it is used again.
func TestRedisGoesAway(t *testing.T) {
	for how, away := range map[string]func(*testing.T, *redistest.Server) (back func()){
		"stopped": func(t *testing.T, s *redistest.Server) func() { s.Stop(t); return func() { s.Again(t) } },
		"hung":    func(_ *testing.T, s *redistest.Server) func() { return s.Freeze() },
	} {
		t.Run(how, func(t *testing.T) {
			server := redistest.Start(t)
			s := newStore()
			s.put(digest(1), key(1, "a"))
			// A time-out is what ends a request to one that is silent.
			r := newSharing(t, s, server.URL, 200*time.Millisecond)
			await(t, "a hit", func() bool { r.answers(); return r.hits() > 0 })

			back := away(t, server)
			await(t, "Redis is left alone", func() bool { r.answers(); return testutil.ToFloat64(r.shared.skipped) > 0 })
			if n := testutil.ToFloat64(r.shared.failed); n < 1 || n > redisconn.TripAfter {
				t.Errorf("%v requests failed before", n)
			}
			if up := testutil.ToFloat64(r.up); up != 0 {
				t.Errorf("authd_backend_up is %v", up)
			}
			back()
			before := r.hits()
			await(t, "a hit", func() bool { r.answers(); return r.hits() > before })
			if up := testutil.ToFloat64(r.up); up != 1 {
				t.Errorf("authd_backend_up is %v", up)
			}
			if text := r.log.String(); strings.Count(text, "Redis does not answer") != strings.Count(text, "Redis answers again") || !strings.Contains(text, "again") {
				t.Error(text)
			}
		})
	}
}

// A replica starts without Redis as well.
func TestRedisComesLater(t *testing.T) {
	server := redistest.Start(t)
	server.Stop(t)
	s := newStore()
	s.put(digest(1), key(1, "a"))
	r := newSharing(t, s, server.URL, unhurried)
	r.answers()
	server.Again(t)
	await(t, "a hit", func() bool { r.answers(); return r.hits() > 0 })
}

// With TLS and a password it works; without either, and without the right authority, it is as if Redis were away.
func TestRedisSecure(t *testing.T) {
	server := redistest.StartSecure(t)
	s := newStore()
	s.put(digest(1), key(1, "a"))
	r := newSharing(t, s, server.URL, unhurried)
	await(t, "a hit", func() bool { r.answers(); return r.hits() > 0 })
	_, place, _ := strings.Cut(server.URL, "@")
	unverified, _, _ := strings.Cut(server.URL, "?")
	for what, url := range map[string]string{
		"another password": strings.Replace(server.URL, "p%2Fss", "hunter2", 1),
		"no password":      "rediss://" + place,
		"no authority":     unverified,
		"no TLS":           strings.Replace(unverified, "rediss", "redis", 1),
	} {
		r := newSharing(t, s, url, time.Second)
		await(t, "a failure", func() bool { r.answers(); return testutil.ToFloat64(r.shared.skipped) > 0 })
		if text := r.log.String(); r.hits() > 0 || strings.Contains(text, "hunter2") || !strings.Contains(text, "does not answer") {
			t.Errorf("%s: %s", what, text)
		}
	}
}

// When a Sentinel makes another Redis the master, that one is used.
func TestSentinel(t *testing.T) {
	watched := redistest.StartWatched(t)
	s := newStore()
	s.put(digest(1), key(1, "a"))
	r := newSharing(t, s, watched.URL, 2*time.Second)
	await(t, "a hit", func() bool { r.answers(); return r.hits() > 0 })
	watched.Master.Kill()
	before := r.hits()
	r.answers()
	await(t, "a hit on the new master", func() bool { r.answers(); return r.hits() > before })
}

// In a cluster, each entry is asked of the node that has it.
func TestCluster(t *testing.T) {
	url := redistest.StartCluster(t)
	s := newStore()
	const keys = 60
	for i := range byte(keys) {
		s.put(digest(i), key(i, "a"))
	}
	a := newSharing(t, s, url, unhurried)
	b := newSharing(t, s, url, unhurried)
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: strings.Split(strings.TrimPrefix(url, "redis://"), ",")})
	defer func() { _ = c.Close() }()
	for i := range byte(keys) {
		expectKey(t, a.Local, digest(i), "a")
		a.awaitShared(c, digest(i))
		expectKey(t, b.Local, digest(i), "a")
	}
	a.want("miss 60")
	b.want("hit 60")

	// Those of one round trip may be of several nodes.
	together := newSharing(t, s, url, unhurried)
	var all sync.WaitGroup
	for i := range byte(keys) {
		all.Go(func() {
			if k, err := together.ByDigest(t.Context(), digest(i)); err != nil || k.Digest != digest(i) {
				t.Errorf("key %d: %v, %v", i, k, err)
			}
		})
	}
	all.Wait()
	together.want("hit 60")
}
