package cache

import (
	"errors"
	"testing"
	"time"

	"authd/internal/auth"
)

// A Register that is carried out after the replica gave up on it puts back no row that the replica
// goes by: that would hide that it was given up in between (rule 4).
func TestLateRegister(t *testing.T) {
	s := newStore()
	s.put(digest(1), key(1, "a"))
	f := newTestFeed(s, auth.OutageServe)
	late := f.replica
	s.fail(errAway)
	if _, err := f.poll(t.Context(), true); !errors.Is(err, errAway) {
		t.Fatalf("poll: %v", err)
	}
	s.fail(nil)
	mustPoll(t, f)
	l := newTestLocal(f, s)
	if _, err := l.ByDigest(t.Context(), digest(1)); err != nil {
		t.Fatal(err)
	}

	delete(s.rows, f.replica.ID) // taken for dead
	s.put(digest(1), nil)        // and so the revocation is confirmed
	if err := s.Register(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	if _, err := f.poll(t.Context(), true); !errors.Is(err, errGivenUp) {
		t.Errorf("poll: %v, want to be told that it was given up", err)
	}
	if _, err := l.ByDigest(t.Context(), digest(1)); !errors.Is(err, auth.ErrLeaseLost) {
		t.Errorf("a look-up answers %v", err)
	}
}

// What is in another store, this replica does not follow: it answers nothing from the old one.
func TestReplacedStore(t *testing.T) {
	s := newStore()
	s.put(digest(1), key(1, "a"))
	f := newTestFeed(s, auth.OutageServe)
	mustPoll(t, f)
	l := newTestLocal(f, s)
	if _, err := l.ByDigest(t.Context(), digest(1)); err != nil {
		t.Fatal(err)
	}
	s.fail(auth.ErrStoreReplaced)
	if _, err := f.follow(t.Context(), true); !errors.Is(err, auth.ErrStoreReplaced) {
		t.Fatalf("follow: %v", err)
	}
	if got := f.Standing(time.Now()); got != Lost {
		t.Errorf("the standing is %v", got)
	}
	if _, err := l.ByDigest(t.Context(), digest(1)); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("a look-up answers %v", err)
	}
}
