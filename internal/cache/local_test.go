package cache

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"authd/internal/auth"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newCached(t *testing.T, outage string) (*store, *Feed, *Local) {
	t.Helper()
	s := newStore()
	f := newTestFeed(s, outage)
	mustPoll(t, f)
	return s, f, newTestLocal(f, s)
}

func expectKey(t *testing.T, l *Local, d auth.Digest, name string) {
	t.Helper()
	k, err := l.ByDigest(t.Context(), d)
	if err != nil || k.Name != name {
		t.Fatalf("got %v, %v; want key %q", k, err, name)
	}
}

func expectErr(t *testing.T, l *Local, d auth.Digest, want error) {
	t.Helper()
	if k, err := l.ByDigest(t.Context(), d); !errors.Is(err, want) {
		t.Fatalf("got %v, %v; want %v", k, err, want)
	}
}

func TestWarmAnswersAskNobody(t *testing.T) {
	s, _, l := newCached(t, auth.OutageDeny)
	s.put(digest(1), key(1, "a"))
	for range 10 {
		expectKey(t, l, digest(1), "a")
		expectErr(t, l, digest(2), auth.ErrKeyNotFound)
	}
	if got := s.asked(); got != 2 {
		t.Errorf("%d look-ups in the store, want 2", got)
	}
}

// TestChangeIsSeen: once a change is acknowledged, the next answer knows it; for keys that go and that come.
func TestChangeIsSeen(t *testing.T) {
	s, f, l := newCached(t, auth.OutageDeny)
	s.put(digest(1), key(1, "a"))
	mustPoll(t, f)
	expectKey(t, l, digest(1), "a")
	expectErr(t, l, digest(2), auth.ErrKeyNotFound)
	s.put(digest(1), nil)
	s.put(digest(2), key(2, "b"))
	expectKey(t, l, digest(1), "a") // not acknowledged yet
	mustPoll(t, f)
	expectErr(t, l, digest(1), auth.ErrKeyNotFound)
	expectKey(t, l, digest(2), "b")
}

func TestNames(t *testing.T) {
	s, f, l := newCached(t, auth.OutageDeny)
	expect := func(name, want string) {
		t.Helper()
		k, err := l.ByName(t.Context(), name)
		if want == "" && !errors.Is(err, auth.ErrKeyNotFound) || want != "" && (err != nil || k.ID != want) {
			t.Fatalf("%s: %v, %v; want %q", name, k, err, want)
		}
	}
	expect("a", "")
	s.put(digest(1), key(1, "a"))
	mustPoll(t, f)
	expect("a", "a")
	before := s.asked()
	expect("a", "a")
	if s.asked() != before {
		t.Error("a warm name was looked up again")
	}
	s.put(digest(1), key(1, "renamed"))
	mustPoll(t, f)
	expect("a", "")
	expect("renamed", "renamed")
	if err := func() error { f.lease.drop(); _, err := l.ByName(t.Context(), "renamed"); return err }(); !errors.Is(err, auth.ErrLeaseLost) {
		t.Errorf("without a lease: %v", err)
	}
}

// TestSlowRead: a read that a change overtook does not bring the old answer
// back, neither for the one who read (rule 14) nor for those who joined (rule 17).
func TestSlowRead(t *testing.T) {
	s, f, l := newCached(t, auth.OutageDeny)
	s.put(digest(1), key(1, "a"))
	mustPoll(t, f)
	entered, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.onRead = func() { once.Do(func() { close(entered); <-release }) }

	answers := make(chan error, 2)
	ask := func() {
		_, err := l.ByDigest(context.Background(), digest(1))
		answers <- err
	}
	go ask()
	<-entered             // it holds the old answer
	s.put(digest(1), nil) // revoked
	mustPoll(t, f)        // and acknowledged
	go ask()              // joins the read, after the confirmation
	close(release)
	for range 2 {
		if err := <-answers; !errors.Is(err, auth.ErrKeyNotFound) {
			t.Errorf("an answer from before the change: %v", err)
		}
	}
	expectErr(t, l, digest(1), auth.ErrKeyNotFound)
}

// TestChangedWithoutEnd: what changes faster than it is read is unavailable, not guessed.
func TestChangedWithoutEnd(t *testing.T) {
	s, f, l := newCached(t, auth.OutageDeny)
	s.onRead = func() {
		s.put(digest(1), key(1, "a"))
		mustPoll(t, f)
	}
	expectErr(t, l, digest(1), auth.ErrUnavailable)
}

// TestLeaderCancelled: who leaves during a look-up fails none of those who share it.
func TestLeaderCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, l := newCached(t, auth.OutageDeny)
		s.put(digest(1), key(1, "a"))
		release := make(chan struct{})
		var once sync.Once
		s.onRead = func() { once.Do(func() { <-release }) }
		ctx, cancel := context.WithCancel(t.Context())
		answers := make(chan error, 2)
		go func() { _, err := l.ByDigest(ctx, digest(1)); answers <- err }()
		synctest.Wait()
		cancel()
		go func() { _, err := l.ByDigest(context.Background(), digest(1)); answers <- err }()
		synctest.Wait()
		close(release)
		for range 2 {
			if err := <-answers; err != nil {
				t.Errorf("after the first had left, one got %v", err)
			}
		}
		if n := s.asked(); n != 1 {
			t.Errorf("%d look-ups for two that asked at once", n)
		}
	})
}

// TestLeftBefore: nothing is looked up for who has left.
func TestLeftBefore(t *testing.T) {
	s, _, l := newCached(t, auth.OutageDeny)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.ByDigest(ctx, digest(1)); !errors.Is(err, auth.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("who had left got %v", err)
	}
	if n := s.asked(); n != 0 {
		t.Errorf("%d look-ups for who had left", n)
	}
}

// TestOutageAnswers: an outage is never "no such key", and never ends what is still proven.
func TestOutageAnswers(t *testing.T) {
	for _, outage := range []string{auth.OutageServe, auth.OutageDeny} {
		t.Run(outage, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, _, l := newCached(t, outage)
				s.put(digest(1), key(1, "a"))
				expectKey(t, l, digest(1), "a")
				expectErr(t, l, digest(2), auth.ErrKeyNotFound)
				s.fail(errAway)
				expectErr(t, l, digest(3), auth.ErrUnavailable)
				expectKey(t, l, digest(1), "a")
				time.Sleep(testLease)
				expectErr(t, l, digest(2), auth.ErrUnavailable)
				expectErr(t, l, digest(3), auth.ErrUnavailable)
				if outage == auth.OutageServe {
					expectKey(t, l, digest(1), "a")
				} else {
					expectErr(t, l, digest(1), auth.ErrLeaseLost)
				}
				time.Sleep(time.Minute)
				expectErr(t, l, digest(1), auth.ErrLeaseLost)
			})
		})
	}
}

// TestLifetime: an entry is read anew in the background before its lifetime ends, and
// in the foreground after; where the store can't be read, the lease still vouches for it.
func TestLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f, l := newCached(t, auth.OutageDeny)
		s.put(digest(1), key(1, "a"))
		mustPoll(t, f)
		expectKey(t, l, digest(1), "a")
		at := func(d time.Duration) { time.Sleep(d); mustPoll(t, f) }

		at(50 * time.Minute)
		s.mu.Lock()
		s.keys[digest(1)] = key(1, "edited past the log")
		s.mu.Unlock()
		expectKey(t, l, digest(1), "a")
		synctest.Wait()
		expectKey(t, l, digest(1), "edited past the log")

		at(2 * time.Hour)
		s.fail(errAway)
		expectKey(t, l, digest(1), "edited past the log")
		s.fail(nil)
		before := s.asked()
		expectKey(t, l, digest(1), "edited past the log")
		if s.asked() == before {
			t.Error("an entry past its lifetime was not read anew")
		}
	})
}

// TestFlood: unknown keys without end evict no known one, and have a bounded space.
// In a bubble, so that no lease runs out while a busy machine takes its time.
func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, l := newCached(t, auth.OutageDeny)
		s.put(digest(1), key(1, "a"))
		expectKey(t, l, digest(1), "a")
		for i := range uint32(20 * minAbsent) {
			d := auth.Digest{0xff}
			binary.BigEndian.PutUint32(d[4:], i)
			expectErr(t, l, d, auth.ErrKeyNotFound)
		}
		l.absent.CleanUp()
		if found, absent := l.size(); found != 1 || absent > minAbsent {
			t.Errorf("%d known and %d unknown entries", found, absent)
		}
		before := s.asked()
		expectKey(t, l, digest(1), "a")
		if s.asked() != before {
			t.Error("the flood evicted a known key")
		}
	})
}

func TestWarmAllocatesNothing(t *testing.T) {
	s, _, l := newCached(t, auth.OutageDeny)
	s.put(digest(1), key(1, "a"))
	expectKey(t, l, digest(1), "a")
	if n := testing.AllocsPerRun(100, func() { _, _ = l.ByDigest(t.Context(), digest(1)) }); n != 0 {
		t.Errorf("%v allocations a warm look-up", n)
	}
}

func BenchmarkLocalWarm(b *testing.B) {
	s := newStore()
	f := NewFeed(s, auth.Replica{Lease: time.Hour, Outage: auth.OutageDeny}, quiet())
	f.begin()
	if _, err := f.poll(b.Context(), true); err != nil {
		b.Fatal(err)
	}
	l := NewLocal(f, s, Options{MaxEntries: 1000, TTL: time.Hour, Metrics: NewMetrics(prometheus.NewRegistry())})
	s.put(digest(1), key(1, "a"))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := l.ByDigest(b.Context(), digest(1)); err != nil {
				b.Error(err)
			}
		}
	})
}
