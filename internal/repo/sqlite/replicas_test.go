package sqlite

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"authd/internal/auth"
)

func replica(id string) auth.Replica {
	return auth.Replica{
		ID: id, Name: "name of " + id, Version: "v1", Lease: 30 * time.Second,
		Outage: auth.OutageServe, MaxStale: time.Hour,
	}
}

// listed checks which replicas there are, by id, in the order of their names.
func listed(t *testing.T, s *Store, want ...string) {
	t.Helper()
	if got := ids(t, s); !slices.Equal(got, want) {
		t.Errorf("replicas %q, want %q", got, want)
	}
}

func ids(t *testing.T, s *Store) (ids []string) {
	t.Helper()
	list, err := s.ListReplicas(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		ids = append(ids, r.ID)
	}
	return ids
}

// lockFiles are the files of locks that lie beside the database.
func lockFiles(t *testing.T, s *Store) []string {
	t.Helper()
	files, err := filepath.Glob(s.path + "*.lock")
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func register(t *testing.T, s *Store, id string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.Register(ctx, replica(id)); err != nil {
		t.Fatal(err)
	}
}

// silence makes the row of a replica look as if it had said nothing for d.
func silence(t *testing.T, s *Store, id string, d time.Duration) {
	t.Helper()
	run(t, s.writer, `UPDATE replicas SET seen_at = ? WHERE id = ?`, time.Now().Add(-d).UnixMilli(), id)
}

// roleReplica registers a replica, and lives.
func roleReplica(args []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := Open(ctx, args[0], true)
	if err != nil {
		return err
	}
	if err := s.Register(ctx, replica(args[1])); err != nil {
		return err
	}
	point()
	return nil // without Close: a process that ends has let go of everything
}

func TestADeadProcessIsDroppedAtOnce(t *testing.T) {
	s := fresh(t)
	register(t, s, "ours")
	other := start(t, "replica", s.path, "other")
	other.ready()
	listed(t, s, "other", "ours")
	if err := other.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	listed(t, s, "other", "ours") // it may go on, and answer
	if err := other.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = other.cmd.Wait()
	listed(t, s, "ours")
	if files := lockFiles(t, s); len(files) != 1 {
		t.Errorf("locks that are left: %q", files)
	}
}

// Two stores of one process stand for two replicas, and don't take each other for dead.
func TestCloseIsProof(t *testing.T) {
	s := fresh(t)
	other := at(t, s.path, writeBusy)
	register(t, s, "a")
	register(t, other, "b")
	for _, lister := range []*Store{s, other} {
		listed(t, lister, "a", "b")
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	listed(t, s, "a")
}

func TestUnregisterLeavesNothing(t *testing.T) {
	s := fresh(t)
	register(t, s, "r")
	for range 2 { // the second time, there is nothing to remove
		if err := s.Unregister(t.Context(), "r"); err != nil {
			t.Fatal(err)
		}
	}
	listed(t, s)
	if files := lockFiles(t, s); len(files) != 0 {
		t.Errorf("locks that are left: %q", files)
	}
}

func TestAnIDMayHoldAnything(t *testing.T) {
	s := fresh(t)
	odd := []string{"../a", "/b", "c\x00d", "é", strings.Repeat("long", 100), ""}
	for _, id := range odd {
		register(t, s, id)
		if ok, err := s.Acknowledge(t.Context(), id, 3); err != nil || !ok {
			t.Errorf("%q: %v, %v", id, ok, err)
		}
	}
	if got := ids(t, s); len(got) != len(odd) {
		t.Errorf("replicas %q", got)
	}
	if files := lockFiles(t, s); len(files) != len(odd) {
		t.Errorf("locks %q", files)
	}
}

// Registered, but the read that was to found its lease has failed: it registers again.
func TestRegisterAgain(t *testing.T) {
	s := fresh(t)
	register(t, s, "r")
	register(t, s, "r")
	other := at(t, s.path, writeBusy)
	listed(t, other, "r")
	if err := s.Unregister(t.Context(), "r"); err != nil {
		t.Fatal(err)
	}
	if files := lockFiles(t, s); len(files) != 0 {
		t.Errorf("locks that are left: %q", files)
	}
}

func TestNobodyTakesOverARow(t *testing.T) {
	s := fresh(t)
	register(t, s, "r")
	other := at(t, s.path, writeBusy)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	again := replica("r")
	again.Name = "another"
	unavailable(t, "Register", other.Register(ctx, again), "another process holds "+s.lockOf("r"))
	if list, err := s.ListReplicas(t.Context()); err != nil || len(list) != 1 || list[0].Name != "name of r" {
		t.Errorf("%+v, %v", list, err)
	}
}

// A process that lives, and has not been heard of: only its time removes it.
func TestSilence(t *testing.T) {
	deny, serve, strange := replica("deny"), replica("serve"), replica("strange")
	deny.Outage, strange.Outage = auth.OutageDeny, "strange"
	tests := []struct {
		name   string
		silent time.Duration
		want   []string
	}{
		{"for no longer than its lease", deny.Lease, []string{"deny", "serve", "strange"}},
		{"deny: the lease and the margin are over", deny.Lease + auth.ClockMargin + time.Second, []string{"serve", "strange"}},
		{"serve: max_stale goes on", deny.Lease + serve.MaxStale, []string{"serve", "strange"}},
		{"all is over", serve.StopsAfter() + time.Second, nil},
		{"seen in the future, by a clock that was set back", -time.Hour, []string{"deny", "serve", "strange"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := fresh(t)
			for _, r := range []auth.Replica{deny, serve, strange} {
				if err := s.Register(t.Context(), r); err != nil {
					t.Fatal(err)
				}
				silence(t, s, r.ID, tt.silent)
			}
			listed(t, s, tt.want...)
		})
	}
}

func TestARowIsNeverPutBack(t *testing.T) {
	s := fresh(t)
	register(t, s, "r")
	silence(t, s, "r", 2*time.Hour)
	other := at(t, s.path, writeBusy)
	listed(t, other)
	if ok, err := s.Acknowledge(t.Context(), "r", 3); ok || err != nil {
		t.Errorf("Acknowledge = %v, %v", ok, err)
	}
	listed(t, other)
	if files := lockFiles(t, s); len(files) != 0 {
		t.Errorf("locks of rows that have gone: %q", files)
	}
}

func TestAMissingLockFileProvesNothing(t *testing.T) {
	s := fresh(t)
	register(t, s, "r")
	if err := os.Remove(s.lockOf("r")); err != nil {
		t.Fatal(err)
	}
	listed(t, at(t, s.path, writeBusy), "r")
	silence(t, s, "r", 2*time.Hour)
	listed(t, s)
}

// A removal that fails leaves the proof for the next one.
func TestTheProofOutlastsAFailure(t *testing.T) {
	s := at(t, path(t), 10*time.Millisecond)
	other := at(t, s.path, writeBusy)
	register(t, other, "r")
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	free := lockOut(t, s.path)
	_, err := s.ListReplicas(t.Context())
	unavailable(t, "ListReplicas", err)
	free()
	listed(t, s)
}

func TestAcknowledgeTells(t *testing.T) {
	s := fresh(t)
	register(t, s, "r")
	silence(t, s, "r", time.Minute)
	before := time.Now().Add(-time.Second)
	if ok, err := s.Acknowledge(t.Context(), "r", 7); err != nil || !ok {
		t.Fatalf("%v, %v", ok, err)
	}
	list, err := s.ListReplicas(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	if r := list[0]; r.Applied != 7 || r.SeenAt.Before(before) || r.Silent >= time.Minute || r.Silent < 0 {
		t.Errorf("%+v", r)
	}
}
