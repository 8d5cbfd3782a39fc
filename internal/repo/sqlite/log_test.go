package sqlite

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"authd/internal/auth"
)

// Two stores write at once, and a third follows: whoever has seen a change has
// seen all that were before it.
func TestSeqOrderIsCommitOrder(t *testing.T) {
	s := fresh(t)
	writers := []*Store{s, at(t, s.path, patience)}
	const each = 25
	var wg sync.WaitGroup
	for w, writer := range writers {
		wg.Go(func() {
			for i := range each {
				if _, err := writer.CreateKey(t.Context(), record(w*each+i), secret(w*each+i)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	follower := at(t, s.path, writeBusy)
	var seen []string
	var last int64
	for len(seen) < len(writers)*each && !t.Failed() {
		list, err := follower.Changes(t.Context(), last, 7)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			woken(t, follower)
		}
		for _, c := range list {
			if c.Seq != last+1 {
				t.Fatalf("change %d after %d", c.Seq, last)
			}
			last = c.Seq
			seen = append(seen, c.KeyID)
		}
	}
	wg.Wait()
	slices.Sort(seen)
	if n := len(slices.Compact(seen)); n != len(writers)*each {
		t.Errorf("%d keys of %d in the log", n, len(writers)*each)
	}
}

// woken waits for the next signal.
func woken(t *testing.T, s *Store) {
	t.Helper()
	select {
	case <-s.Woken():
	case <-time.After(patience):
		t.Fatal("not woken")
	}
}

// Signals may be left of what came before: so there are more commits than those can be, and each is awaited.
const commits = 10

// A commit wakes every store, that of the process that made it as well.
func TestWoken(t *testing.T) {
	s := fresh(t)
	other := at(t, s.path, writeBusy)
	for n, writer := range []*Store{s, other} {
		for i := range commits {
			addKey(t, writer, n*commits+i)
			woken(t, s)
			woken(t, other)
		}
	}
}

// The watcher outlasts what goes wrong: here, the file is there only later.
func TestWokenAfterAFailure(t *testing.T) {
	l, err := parse(path(t))
	if err != nil {
		t.Fatal(err)
	}
	watcher := &Store{path: l.path, woken: make(chan struct{}, 1)}
	if watcher.readers, err = pool(1, l.dsn(readBusy, nil)); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = watcher.readers.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { watcher.watch(ctx) })
	if err := watcher.readers.PingContext(t.Context()); err == nil {
		t.Fatal("there is a file")
	}
	s := at(t, l.path, writeBusy)
	for n := range commits {
		addKey(t, s, n)
		woken(t, watcher)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	before := goleak.IgnoreCurrent()
	s, err := Open(t.Context(), path(t), false)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	addKey(t, s, 1)
	register(t, s, "r")
	if _, err := s.ByDigest(t.Context(), digest(1)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	for range s.Woken() { // ends, as it is closed
	}
	goleak.VerifyNone(t, before)
}

// The last change there was is what a change that changes nothing returns.
func TestNothingChanged(t *testing.T) {
	s := fresh(t)
	made := addKey(t, s, 1)
	off, err := s.SetUserActive(t.Context(), "user1", false)
	if err != nil {
		t.Fatal(err)
	}
	same, err := s.UpdateKey(t.Context(), "key_1", func(*auth.Record) error { return nil })
	if err != nil || !equal(same, made) {
		t.Errorf("UpdateKey = %+v, %v", same, err)
	}
	again, err := s.SetUserActive(t.Context(), "user1", false)
	if err != nil || !equal(again, off) || !slices.Contains(off.Digests, digest(1)) || !slices.Contains(off.Names, "key_1") {
		t.Errorf("SetUserActive = %+v, %v", again, err)
	}
	if last, err := s.LastChange(t.Context()); err != nil || last != off.Seq {
		t.Errorf("last change %d, %v", last, err)
	}
}

func equal(a, b auth.Change) bool {
	return a.Seq == b.Seq && a.At.Equal(b.At) && a.KeyID == b.KeyID && slices.Equal(a.Digests, b.Digests) && slices.Equal(a.Names, b.Names)
}

// A zero time where an end is meant is no way to have none.
func TestAnEndWithoutATime(t *testing.T) {
	s := fresh(t)
	addKey(t, s, 1)
	if _, err := s.RotateKey(t.Context(), "Key 1", secret(2), time.Time{}); err != nil {
		t.Fatal(err)
	}
	if r, err := s.Key(t.Context(), "Key 1"); err != nil || !r.Secrets[0].ExpiresAt.Before(time.Now()) || r.Secrets[0].ExpiresAt.IsZero() {
		t.Errorf("the rotated secret: %+v, %v", r, err)
	}
	if _, err := s.RevokeKey(t.Context(), "Key 1", time.Time{}); err != nil {
		t.Fatal(err)
	}
	if k, err := s.ByName(t.Context(), "Key 1"); err != nil || !k.Revoked {
		t.Errorf("%+v, %v", k, err)
	}
}

func TestAnEditRevokesAsRevokeDoes(t *testing.T) {
	s := fresh(t)
	addKey(t, s, 1)
	at := time.Now().UTC().Truncate(time.Millisecond)
	first, err := s.UpdateKey(t.Context(), "Key 1", func(r *auth.Record) error { r.RevokedAt = at; return nil })
	if err != nil {
		t.Fatal(err)
	}
	if r, err := s.Key(t.Context(), "Key 1"); err != nil || !r.RevokedAt.Equal(at) || !r.Secrets[0].Revoked {
		t.Errorf("%+v, %v", r, err)
	}
	if second, err := s.RevokeKey(t.Context(), "Key 1", time.Now()); err != nil || !equal(first, second) {
		t.Errorf("RevokeKey = %+v, %v", second, err)
	}
	for _, back := range []time.Time{{}, at.Add(time.Hour)} {
		_, err := s.UpdateKey(t.Context(), "Key 1", func(r *auth.Record) error { r.RevokedAt = back; return nil })
		if !errors.Is(err, auth.ErrRevoked) {
			t.Errorf("revoked at %v: %v", back, err)
		}
	}
}
