package postgres

import (
	"context"
	"errors"
	"testing"
	"time"

	"authd/internal/auth"
	"authd/internal/pgtest"
)

// A server that goes and comes again: nobody is told "unknown" meanwhile, and
// nothing has to be started again, whoever looks at the log.
func TestServerGoesAndComesAgain(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{"listen": {Listen: true}, "look": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := pgtest.Start(t)
			url := server.Database(t)
			s := at(t, url, o)
			addKey(t, s, 1)
			if err := s.Register(t.Context(), replica("r")); err != nil {
				t.Fatal(err)
			}
			server.Stop(t)
			for _, c := range calls {
				unavailable(t, c.name, c.do(t.Context(), s), s.place)
			}
			server.Again(t)
			until(t, "the key is found again", func() bool {
				k, err := s.ByDigest(t.Context(), digest(1))
				if err != nil && !errors.Is(err, auth.ErrUnavailable) {
					t.Errorf("an outage is told as: %v", err)
				}
				return err == nil && k.Name == "Key 1"
			})
			if there, err := s.Acknowledge(t.Context(), "r", 1); err != nil || !there {
				t.Errorf("the replica's row: %v, %v", there, err)
			}
			drain(s)
			other := at(t, url, o)
			until(t, "it is woken again", func() bool {
				if _, err := other.SetUserActive(t.Context(), "user1", time.Now().UnixNano()%2 == 0); err != nil {
					t.Fatal(err)
				}
				return drain(s)
			})
		})
	}
}

// drain takes a signal that waits, and reports whether there was one.
func drain(s *Store) bool {
	select {
	case <-s.Woken():
		return true
	default:
		return false
	}
}

// A server that neither answers nor refuses holds nobody longer than the context says.
func TestServerHangs(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	s := at(t, server.Database(t), Options{Listen: true})
	addKey(t, s, 1)
	thaw := server.Freeze(t)
	for _, c := range calls {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		unavailable(t, c.name, c.do(ctx, s), s.place, context.DeadlineExceeded.Error())
		cancel()
	}
	thaw()
	until(t, "the key is found again", func() bool { _, err := s.ByDigest(t.Context(), digest(1)); return err == nil })
}

// However many look-ups hang, the log is followed and the row is written.
func TestLookupsCostNoLease(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	s := at(t, url, Options{Listen: true})
	s.lookupTime = patience
	if err := s.Register(t.Context(), replica("r")); err != nil {
		t.Fatal(err)
	}
	locker := raw(t, url)
	run(t, locker, `BEGIN`)
	run(t, locker, `LOCK TABLE secrets IN ACCESS EXCLUSIVE MODE`)
	ctx, cancel := context.WithCancel(t.Context())
	results := make(chan error)
	const flood = 50
	for n := range flood {
		go func() { _, err := s.ByDigest(ctx, digest(1)); results <- err }()
		until(t, "a connection for look-ups is taken", func() bool { return len(s.lookups) == min(n+1, cap(s.lookups)) })
	}
	if there, err := s.Acknowledge(t.Context(), "r", 0); err != nil || !there {
		t.Errorf("the row is written: %v, %v", there, err)
	}
	if _, err := s.Changes(t.Context(), 0, 10); err != nil {
		t.Error(err)
	}
	if err := s.CreateUser(t.Context(), "user9"); err != nil {
		t.Error(err)
	}
	cancel()
	for range flood {
		unavailable(t, "a look-up", <-results, context.Canceled.Error())
	}
}

// Whoever stands still with the writers' lock in hand loses it, and the others go on.
func TestSilentWriterLosesTheLock(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	s := at(t, url, Options{Listen: true})
	addKey(t, s, 1)
	inside, leave := make(chan struct{}), make(chan struct{})
	stuck := make(chan error)
	go func() {
		_, err := at(t, url, Options{}).UpdateKey(context.WithoutCancel(t.Context()), "Key 1", func(r *auth.Record) error {
			close(inside)
			<-leave
			r.Note = "too late"
			return nil
		})
		stuck <- err
	}()
	<-inside
	if _, err := s.RevokeKey(t.Context(), "Key 1", time.Now()); err != nil {
		t.Errorf("the next writer: %v", err)
	}
	close(leave)
	unavailable(t, "the one that stood still", <-stuck)
	if r, err := s.Key(t.Context(), "Key 1"); err != nil || r.Note != "" || r.RevokedAt.IsZero() {
		t.Errorf("the record: %+v, %v", r, err)
	}
}

// A text that Postgres can't hold is not in it, which is an answer.
func TestImpossibleTexts(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{{Listen: true}, {}} {
		s := at(t, pgtest.Database(t), o)
		for _, text := range []string{"a\x00b", "\xff", "\xc3("} {
			if _, err := s.ByName(t.Context(), text); !errors.Is(err, auth.ErrKeyNotFound) {
				t.Errorf("ByName %q: %v", text, err)
			}
			if _, err := s.RevokeKey(t.Context(), text, time.Now()); !errors.Is(err, auth.ErrKeyNotFound) {
				t.Errorf("RevokeKey %q: %v", text, err)
			}
			if _, err := s.SetUserActive(t.Context(), text, true); !errors.Is(err, auth.ErrUserNotFound) {
				t.Errorf("SetUserActive %q: %v", text, err)
			}
			if list, err := s.ListKeys(t.Context(), auth.KeyFilter{User: text}); err != nil || len(list) > 0 {
				t.Errorf("ListKeys of %q: %v, %v", text, list, err)
			}
			r := record(1)
			r.Note = text
			if _, err := s.CreateKey(t.Context(), r); err == nil || errors.Is(err, auth.ErrUnavailable) {
				t.Errorf("a note of %q is stored: %v", text, err)
			}
		}
	}
}
