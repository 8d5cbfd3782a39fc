package cache

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/redis/go-redis/v9"

	"authd/internal/auth"
	"authd/internal/logtest"
	"authd/internal/redisconn"
	"authd/internal/redistest"
)

// unhurried is a time-out that no busy machine makes too short.
const unhurried = 20 * time.Second

// sharing is a replica with a cache in Redis.
type sharing struct {
	*Local
	t   *testing.T
	up  prometheus.Gauge
	log logtest.Log
}

// newSharing makes a replica of the store.
func newSharing(t *testing.T, s *store, url string, timeout time.Duration) *sharing {
	t.Helper()
	return newSharingOf(t, s, url, timeout, "db")
}

func newSharingOf(t *testing.T, s *store, url string, timeout time.Duration, database string) *sharing {
	t.Helper()
	r := &sharing{t: t}
	m := NewMetrics(prometheus.NewRegistry())
	r.up, _ = BackendMetrics("redis", m.reg)
	conn, err := redisconn.New(redisconn.Options{URL: url, Timeout: timeout, Up: r.up, Log: slog.New(slog.NewTextHandler(&r.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	shared, err := NewShared(SharedOptions{Redis: conn, Database: database, Pepper: pepper(t, "a"), Metrics: m})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shared.Close(); _ = conn.Close() })
	f := NewFeed(s, auth.Replica{Name: "r", Lease: time.Hour, Outage: auth.OutageDeny}, quiet())
	f.begin()
	mustPoll(t, f)
	r.Local = NewLocal(f, s, Options{MaxEntries: 1000, TTL: time.Hour, Metrics: m, Shared: shared})
	return r
}

// forget empties the replica's own memory, so that Redis is asked again.
func (r *sharing) forget() {
	r.used.InvalidateAll()
	r.known.all.InvalidateAll()
	r.absent.InvalidateAll()
}

// want reads the counters of outcomes, as in "hit 1, miss 2"; what is not named is 0.
func (r *sharing) want(text string) {
	r.t.Helper()
	s := r.shared
	var got []string
	for _, o := range []struct {
		name string
		c    prometheus.Counter
	}{{"hit", s.hit}, {"miss", s.miss}, {"stale", s.stale}, {"invalid", s.invalid}, {"error", s.failed}, {"skipped", s.skipped}} {
		if n := testutil.ToFloat64(o.c); n > 0 {
			got = append(got, fmt.Sprintf("%s %v", o.name, n))
		}
	}
	if strings.Join(got, ", ") != text {
		r.t.Errorf("outcomes of look-ups in Redis: %s; want %s", strings.Join(got, ", "), text)
	}
}

func (r *sharing) hits() float64 { return testutil.ToFloat64(r.shared.hit) }

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("this did not come: %s", what)
		}
	}
}

// awaitShared waits until Redis holds the entry of a digest.
func (r *sharing) awaitShared(c redis.Cmdable, d auth.Digest) {
	r.t.Helper()
	await(r.t, "the entry in Redis", func() bool { return c.Exists(r.t.Context(), r.shared.sealer.name(d)).Val() == 1 })
}

// calls is how often a command was sent to the server: "total" is all of them but the asking itself.
func calls(t *testing.T, c *redis.Client) (total, get int) {
	t.Helper()
	info, err := c.Info(t.Context(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(info) {
		var n int
		name, rest, _ := strings.Cut(strings.TrimPrefix(line, "cmdstat_"), ":calls=")
		if _, err := fmt.Sscanf(rest, "%d", &n); err != nil || name == "info" {
			continue
		}
		if total += n; name == "get" {
			get = n
		}
	}
	return total, get
}

// What one replica has read, another gets from Redis, in one round trip; and it lives no longer than it would have.
func TestSharedHit(t *testing.T) {
	server := redistest.Start(t)
	c := server.Client(t)
	s := newStore()
	for i := range byte(3) {
		s.put(digest(i), key(i, string('a'+rune(i))))
	}
	a, b := newSharing(t, s, server.URL, unhurried), newSharing(t, s, server.URL, unhurried)
	for i := range byte(3) {
		expectKey(t, a.Local, digest(i), string('a'+rune(i)))
		a.awaitShared(c, digest(i))
	}
	expectKey(t, b.Local, digest(0), "a") // b has a connection now
	total, get := calls(t, c)
	expectKey(t, b.Local, digest(1), "b")
	expectKey(t, b.Local, digest(2), "c")
	nowTotal, nowGet := calls(t, c)
	if nowTotal-total != 2 || nowGet-get != 2 {
		t.Errorf("two hits took %d commands, %d of them GET", nowTotal-total, nowGet-get)
	}
	if got := s.asked(); got != 3 {
		t.Errorf("%d look-ups in the store, want 3", got)
	}
	a.want("miss 3")
	b.want("hit 3")
	if left := c.PTTL(t.Context(), b.shared.sealer.name(digest(1))).Val(); left <= 0 || left > time.Hour {
		t.Errorf("it stays in Redis for %s", left)
	}
	mine, yours := a.known.get(digest(1)), b.known.get(digest(1))
	if mine.stamp != yours.stamp || mine.expiresAt != yours.expiresAt {
		t.Errorf("the copy of %+v is %+v", mine, yours)
	}
	before := s.asked()
	total, _ = calls(t, c)
	expectKey(t, b.Local, digest(1), "b")
	if now, _ := calls(t, c); now != total || s.asked() != before {
		t.Error("a warm look-up asked somebody")
	}
}

// Unknown keys are not shared: a flood of them fills no Redis.
func TestSharedHoldsNoUnknownKeys(t *testing.T) {
	server := redistest.Start(t)
	s := newStore()
	s.put(digest(0), key(0, "a"))
	r := newSharing(t, s, server.URL, unhurried)
	for i := range byte(50) {
		expectErr(t, r.Local, digest(100+i), auth.ErrKeyNotFound)
	}
	expectKey(t, r.Local, digest(0), "a") // the queue is in order of time
	r.awaitShared(server.Client(t), digest(0))
	r.shared.Close()
	if n := server.Client(t).DBSize(t.Context()).Val(); n != 1 {
		t.Errorf("%d entries in Redis", n)
	}
}

// TestSharedIsJudged: what Redis brings is judged by the stamp that it was made under, however it came
// to be there (rule 16): after a change, after Redis lost what it knew of it, for a new replica, and for one that is behind.
func TestSharedIsJudged(t *testing.T) {
	server := redistest.Start(t)
	c := server.Client(t)
	s := newStore()
	s.put(digest(0), key(0, "a"))
	r := newSharing(t, s, server.URL, unhurried)
	expectKey(t, r.Local, digest(0), "a")
	r.awaitShared(c, digest(0))
	old, err := c.Get(t.Context(), r.shared.sealer.name(digest(0))).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	server.Stop(t) // with the old entry saved
	server.Again(t)

	s.put(digest(0), nil) // revoked
	mustPoll(t, r.feed)   // and acknowledged
	expectErr(t, r.Local, digest(0), auth.ErrKeyNotFound)
	r.want("miss 1, stale 1")

	s.put(digest(0), key(0, "another"))
	mustPoll(t, r.feed)
	expectKey(t, r.Local, digest(0), "another")
	await(t, "the new entry in Redis", func() bool {
		now, _ := c.Get(t.Context(), r.shared.sealer.name(digest(0))).Bytes()
		return !bytes.Equal(now, old)
	})
	r.forget()
	expectKey(t, r.Local, digest(0), "another")
	r.want("hit 1, miss 1, stale 2")

	server.Kill()
	server.Again(t) // and the old entry is back
	r.forget()
	expectKey(t, r.Local, digest(0), "another")
	newcomer := newSharing(t, s, server.URL, unhurried)
	if err := c.Set(t.Context(), newcomer.shared.sealer.name(digest(0)), old, time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	expectKey(t, newcomer.Local, digest(0), "another")
	newcomer.want("stale 1")
}

// What is copied has to be of this log, current, and not near its end.
func TestUsable(t *testing.T) {
	s, f, l := newCached(t, auth.OutageDeny)
	s.put(digest(1), key(1, "a"))
	s.put(digest(2), key(2, "b"))
	mustPoll(t, f)
	now := time.Now()
	for what, c := range map[string]struct {
		d     auth.Digest
		stamp int64
		left  time.Duration
		want  bool
	}{
		"in order":                       {digest(1), 2, 50 * time.Minute, true},
		"as old as the change":           {digest(1), 1, 50 * time.Minute, true},
		"of before the change":           {digest(2), 1, 50 * time.Minute, false},
		"of a later log":                 {digest(1), 3, 50 * time.Minute, false},
		"over":                           {digest(1), 2, -time.Second, false},
		"to be refreshed":                {digest(1), 2, 10 * time.Minute, false},
		"for longer than authd would it": {digest(1), 2, 61 * time.Minute, false},
	} {
		if got := l.usable(c.d)(&entry{stamp: c.stamp, expiresAt: now.Add(c.left).UnixMilli()}); got != c.want {
			t.Errorf("%s: %v", what, got)
		}
	}
}

// TestSharedForeign: whatever else stands in Redis is no answer.
func TestSharedForeign(t *testing.T) {
	server := redistest.Start(t)
	c := server.Client(t)
	s := newStore()
	s.put(digest(1), key(1, "a"))
	s.put(digest(2), key(2, "b"))
	r := newSharing(t, s, server.URL, unhurried)
	forger := testSealer(t, "b", "db")
	name := r.shared.sealer.name(digest(1))
	good := func(seal *sealer) []byte {
		k := key(1, "forged")
		return seal.seal(digest(1), &entry{key: k, stamp: r.feed.Applied(), expiresAt: time.Now().Add(50 * time.Minute).UnixMilli()})
	}
	mine := good(r.shared.sealer)
	set := func(v []byte) func() error { return func() error { return c.Set(t.Context(), name, v, 0).Err() } }
	puts := map[string]func() error{
		"nothing":     set(nil),
		"text":        set([]byte("true")),
		"a part":      set(mine[:len(mine)-1]),
		"a forgery":   set(good(forger)),
		"no MAC":      set(good(testSealer(t, "", "db"))),
		"another's":   set(r.shared.sealer.seal(digest(2), &entry{key: key(2, "b"), stamp: 2, expiresAt: time.Now().Add(50 * time.Minute).UnixMilli()})),
		"a list":      func() error { return c.RPush(t.Context(), name, mine).Err() },
		"2 MiB of it": set(make([]byte, 2<<20)),
	}
	for what, put := range puts {
		await(t, "the end of the writes", func() bool { return len(r.shared.writes) == 0 })
		c.Del(t.Context(), name)
		if err := put(); err != nil {
			t.Fatal(what, err)
		}
		r.forget()
		k, err := r.ByDigest(t.Context(), digest(1))
		if err != nil || k.Name != "a" {
			t.Errorf("%s: %v, %v", what, k, err)
		}
	}
	r.want(fmt.Sprintf("invalid %d", len(puts)))

	r.shared.Close() // and whatever it was still to write is written
	again := newSharing(t, s, server.URL, unhurried)
	if err := set(mine)(); err != nil {
		t.Fatal(err)
	}
	expectKey(t, again.Local, digest(1), "forged") // so the values above could have been taken
	another := newSharingOf(t, s, server.URL, unhurried, "other")
	expectKey(t, another.Local, digest(1), "a")
	another.want("miss 1")
}

// What is put while Redis is slow is bounded, and waits for nobody.
func TestSharedWritesAreBounded(t *testing.T) {
	server := redistest.Start(t)
	r := newSharing(t, newStore(), server.URL, unhurried)
	thaw := server.Freeze()
	e := r.entry(key(1, "a"), 1)
	for i := range byte(2 * maxWrites) {
		r.shared.put(digest(i), e)
	}
	if n := len(r.shared.writes); n != maxWrites {
		t.Errorf("%d writes are under way", n)
	}
	thaw()
	r.shared.Close()
	if n := server.Client(t).DBSize(context.Background()).Val(); n != maxWrites {
		t.Errorf("%d entries in Redis", n)
	}
}
