package cache

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"authd/internal/auth"
)

// TestPollOrder holds the order of a poll's steps: rules 2, 7 and 12.
func TestPollOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		f := newTestFeed(s, auth.OutageDeny)
		began := time.Now()
		s.onPoll = func() { time.Sleep(time.Second) }
		s.onAck = func() {
			if f.Standing(time.Now()) != Lost {
				t.Error("the lease was extended before the acknowledgement was written")
			}
		}
		mustPoll(t, f)
		if want := []string{"register", "last", "changes", "acknowledge"}; !slices.Equal(s.taken(), want) {
			t.Errorf("steps %v, want %v", s.taken(), want)
		}
		if got := f.lease.from.Load(); !got.Equal(began) {
			t.Errorf("the lease begins %v after the poll did", got.Sub(began))
		}
	})
}

// TestPollReadsToTheEnd: no partial batch is acknowledged (rule 8), and what
// is acknowledged is known before (rule 3 of following).
func TestPollReadsToTheEnd(t *testing.T) {
	s := newStore()
	f := newTestFeed(s, auth.OutageDeny)
	mustPoll(t, f)
	for range 2*batch + 7 {
		s.put(digest(1), nil)
	}
	s.onAck = func() {
		if f.Current(digest(1), int64(2*batch+6)) {
			t.Error("acknowledged before it was known")
		}
	}
	mustPoll(t, f)
	if got := s.acked(); got != 2*batch+7 {
		t.Errorf("acknowledged %d, want %d", got, 2*batch+7)
	}
}

// TestGivenUp: a replica whose row is gone answers nothing, and comes back as another (rule 4).
func TestGivenUp(t *testing.T) {
	s := newStore()
	s.put(digest(1), key(1, "a"))
	f := newTestFeed(s, auth.OutageServe)
	mustPoll(t, f)
	l := newTestLocal(f, s)
	if _, err := l.ByDigest(t.Context(), digest(1)); err != nil {
		t.Fatal(err)
	}
	first := f.replica.ID
	delete(s.rows, first)
	s.put(digest(1), nil) // revoked, and confirmed: nobody waits for us
	if _, err := f.poll(t.Context(), true); !errors.Is(err, errGivenUp) {
		t.Fatalf("poll: %v", err)
	}
	if _, err := l.ByDigest(t.Context(), digest(1)); !errors.Is(err, auth.ErrLeaseLost) {
		t.Errorf("without a row, a look-up answers %v", err)
	}
	if _, back := s.rows[first]; back {
		t.Error("the row was written back")
	}
	mustPoll(t, f)
	if _, err := l.ByDigest(t.Context(), digest(1)); !errors.Is(err, auth.ErrKeyNotFound) {
		t.Errorf("after registering anew: %v", err)
	}
	if f.replica.ID == first {
		t.Error("the same incarnation came back")
	}
}

// TestWokenForNothing: a wake-up without news writes nothing, and does not put off the poll that must.
func TestWokenForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		f := newTestFeed(s, auth.OutageDeny)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- f.Run(ctx) }()
		for range 100 { // 10 s, at ten wake-ups a second: more than three leases
			time.Sleep(testLease / 30)
			wake(s.woken)
			synctest.Wait()
			if f.Standing(time.Now()) != Following {
				t.Fatal("the lease ran out between wake-ups")
			}
		}
		acks := 0
		for _, step := range s.taken() {
			if step == "acknowledge" {
				acks++
			}
		}
		if acks > 12 {
			t.Errorf("%d acknowledgements in 10 s for nothing new", acks)
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}

// TestEnd: the row goes away last, when nothing can be answered any more (rule 5).
func TestEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		f := newTestFeed(s, auth.OutageServe)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- f.Run(ctx) }()
		synctest.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		steps := s.taken()
		if steps[len(steps)-1] != "unregister" || len(s.rows) != 0 {
			t.Errorf("the last step is %q, with %d rows left", steps[len(steps)-1], len(s.rows))
		}
		if f.Standing(time.Now()) != Lost {
			t.Error("it answers without a row")
		}
	})
}

// TestOutage: what each mode does while the store is away, and that it comes back by itself.
func TestOutage(t *testing.T) {
	for _, tc := range []struct {
		outage          string
		within, beyond  Standing // the lease, and max_stale
		duringOutage    Standing
		refusedRequests bool
	}{
		{outage: auth.OutageDeny, within: Following, duringOutage: Lost, beyond: Lost},
		{outage: auth.OutageServe, within: Following, duringOutage: Stale, beyond: Lost},
	} {
		t.Run(tc.outage, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStore()
				f := newTestFeed(s, tc.outage)
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error)
				go func() { done <- f.Run(ctx) }()
				synctest.Wait()
				s.fail(errAway)
				expect := func(when string, want Standing) {
					t.Helper()
					synctest.Wait()
					if got := f.Standing(time.Now()); got != want {
						t.Errorf("%s: standing %d, want %d", when, got, want)
					}
				}
				time.Sleep(testLease / 2)
				expect("within the lease", tc.within)
				time.Sleep(testLease)
				expect("after the lease", tc.duringOutage)
				if !f.Ready() {
					t.Error("an outage made the replica unready")
				}
				time.Sleep(time.Minute)
				expect("after max_stale", tc.beyond)
				s.fail(nil)
				time.Sleep(2 * retryAfter)
				expect("back", Following)
				cancel()
				if err := <-done; err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// TestSleepingMachine: time that only the wall clock saw counts against the lease.
func TestSleepingMachine(t *testing.T) {
	now := time.Now()
	slept := now.Round(0).Add(-time.Hour) // no monotonic reading: an hour by the wall clock
	if got := age(slept, now); got < time.Hour {
		t.Errorf("age %v, want at least an hour", got)
	}
	if got := age(now.Add(-time.Second), now); got != time.Second {
		t.Errorf("age %v, want 1s", got)
	}
}

// In a new epoch nothing holds that was read before it, whether or not a change tells of it.
func TestNewEpoch(t *testing.T) {
	s, f, l := newCached(t, auth.OutageServe)
	s.put(digest(1), key(1, "a"))
	mustPoll(t, f)
	expectKey(t, l, digest(1), "a")
	asked := s.asked()
	s.mu.Lock()
	s.keys[digest(1)] = nil // lost with the server before
	s.changes = append(s.changes, auth.Change{Seq: auth.EpochStart(2) + 1})
	s.mu.Unlock()
	expectKey(t, l, digest(1), "a") // it is not known yet
	mustPoll(t, f)
	expectErr(t, l, digest(1), auth.ErrKeyNotFound)
	if s.asked() == asked {
		t.Error("the store was not asked anew")
	}
}
