package postgres

import (
	"errors"
	"strings"
	"testing"

	"authd/internal/auth"
	"authd/internal/pgtest"
)

// A standby that takes its primary's place without the last commits gives none of their numbers out
// again, and counts those replicas as not stopped whose rows it may have lost.
func TestLostCommits(t *testing.T) {
	t.Parallel()
	primary := pgtest.Start(t)
	url := primary.Database(t)
	standby := primary.Standby(t)
	both := strings.Replace(url, primary.Address(), standby.Address()+","+primary.Address(), 1)
	s := at(t, both, Options{Listen: true})
	kept, lost := replica("kept"), replica("lost")
	register := func(r auth.Replica) {
		t.Helper()
		if err := s.Register(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	acknowledge := func(r auth.Replica, applied int64) (there bool) {
		t.Helper()
		until(t, "the store answers", func() bool {
			var err error
			there, err = s.Acknowledge(t.Context(), r.ID, applied)
			return err == nil
		})
		return there
	}
	register(kept)
	before := addKey(t, s, 1)
	standby.CaughtUp(t, primary)
	standby.Stop(t)
	register(lost)
	gone := addKey(t, s, 2)
	if auth.EpochOf(gone.Seq) != 0 || len(list(t, s)) != 2 {
		t.Fatalf("before the fail-over: change %d, replicas %v", gone.Seq, list(t, s))
	}
	primary.Kill(t)
	standby.Again(t)
	standby.Promote(t)

	// A poll alone is enough: it begins the epoch, and the log tells of it. What it has read from the server
	// before is no ground for a lease, whoever began the epoch.
	until(t, "the epoch has begun", func() bool {
		_, err := s.Acknowledge(t.Context(), kept.ID, gone.Seq)
		return err != nil && strings.Contains(err.Error(), "another server has taken its place")
	})
	if _, err := s.Acknowledge(t.Context(), kept.ID, gone.Seq); err == nil || !strings.Contains(err.Error(), "another server has taken its place") {
		t.Errorf("a poll that has read of the server before counts: %v", err)
	}
	changes, err := s.Changes(t.Context(), gone.Seq, 10)
	if err != nil || len(changes) != 1 || auth.EpochOf(changes[0].Seq) <= auth.EpochOf(before.Seq) {
		t.Fatalf("the log goes on with %+v, %v", changes, err)
	}
	if !acknowledge(kept, changes[0].Seq) {
		t.Error("a replica whose row is there was given up")
	}
	if acknowledge(lost, gone.Seq) {
		t.Error("a row that was lost was written to")
	}
	// The replica that was lost is waited for, although nobody knows of it.
	found := false
	for _, r := range list(t, s) {
		found = found || strings.Contains(r.Name, "fail-over") && r.Applied < gone.Seq && r.StopsAfter() >= lost.StopsAfter()
	}
	if !found {
		t.Errorf("nobody waits for replicas that were lost: %+v", list(t, s))
	}
	next := addKey(t, s, 3)
	if auth.EpochOf(next.Seq) != auth.EpochOf(changes[0].Seq) || next.Seq <= changes[0].Seq {
		t.Errorf("change %d follows on %d", next.Seq, changes[0].Seq)
	}
	run(t, raw(t, standby.URL(name(t, url))), `UPDATE epochs SET at = 1`) // its time is over
	if got := list(t, s); len(got) != 1 || got[0].ID != kept.ID {
		t.Errorf("long after the fail-over there are %+v", got)
	}
}

func name(t *testing.T, url string) string {
	t.Helper()
	_, rest, ok := strings.Cut(strings.TrimPrefix(url, "postgres://"), "/")
	if name, _, _ := strings.Cut(rest, "?"); ok {
		return name
	}
	t.Fatal(errors.New("the URL has no database"))
	return ""
}

func list(t *testing.T, s *Store) []auth.Replica {
	t.Helper()
	all, err := s.ListReplicas(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// One epoch is begun once, however many come upon it, and each is above all before.
func TestEpochs(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	s, other := at(t, url, Options{Listen: true}), at(t, url, Options{})
	last := addKey(t, s, 1).Seq
	for n := range 3 {
		run(t, raw(t, url), `UPDATE epochs SET place = 'another' WHERE n = (SELECT max(n) FROM epochs)`)
		first, second := addKey(t, s, 10+n).Seq, addKey(t, other, 20+n).Seq
		if auth.EpochOf(first) <= auth.EpochOf(last) || second != first+1 {
			t.Errorf("after %d come %d and %d", last, first, second)
		}
		last = second
	}
	run(t, raw(t, url), `DELETE FROM epochs WHERE n > 0`) // as if a standby had not heard of them
	run(t, raw(t, url), `UPDATE epochs SET place = 'another'`)
	if c := addKey(t, s, 30); auth.EpochOf(c.Seq) <= auth.EpochOf(last) {
		t.Errorf("after %d comes %d", last, c.Seq)
	}
}

// Where the server can't be asked for its history, everything else works.
func TestNoTimeline(t *testing.T) {
	t.Parallel()
	s := at(t, pgtest.Database(t), Options{Listen: true})
	s.timeline = noTimeline
	if c := addKey(t, s, 1); auth.EpochOf(c.Seq) != 0 {
		t.Errorf("an epoch was begun: %d", c.Seq)
	}
}
