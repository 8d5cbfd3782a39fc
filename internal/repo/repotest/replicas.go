package repotest

import (
	"slices"
	"testing"
	"time"

	"authd/internal/auth"
	"authd/internal/repo"
)

var replicas = []test{
	{"a row is there for all once it is registered, by the store's clock", register},
	{"replicas are listed by name, and no row is taken over", listReplicas},
	{"an acknowledgement is written, and says that it was seen", acknowledge},
	{"a row that is gone is never put back", goneIsGone},
	{"a silent row goes when its time is over, and no sooner", silentRowGoes},
}

func newReplica(name string) auth.Replica {
	return auth.Replica{
		ID: newID(), Name: name, Version: "v1.2.3", Lease: 30*time.Second + time.Nanosecond,
		Outage: auth.OutageServe, MaxStale: time.Hour, Applied: 7,
	}
}

func (db *base) register(t *testing.T, r auth.Replica) {
	t.Helper()
	if err := db.Register(db.ctx, r); err != nil {
		t.Fatalf("registering %q: %v", r.Name, err)
	}
}

// row reads a replica's row; nil where there is none.
func (db *base) row(t *testing.T, id string) *auth.Replica {
	t.Helper()
	list := db.rows(t, db.other)
	if i := slices.IndexFunc(list, func(r auth.Replica) bool { return r.ID == id }); i >= 0 {
		return &list[i]
	}
	return nil
}

func (db *base) rows(t *testing.T, s repo.Store) []auth.Replica {
	t.Helper()
	list, err := s.ListReplicas(db.ctx)
	if err != nil {
		t.Fatalf("listing the replicas: %v", err)
	}
	return list
}

func (db *base) acknowledge(t *testing.T, s repo.Store, id string, applied int64) bool {
	t.Helper()
	there, err := s.Acknowledge(db.ctx, id, applied)
	if err != nil {
		t.Fatalf("acknowledging %d: %v", applied, err)
	}
	return there
}

func register(t *testing.T, db *base) {
	want := newReplica("pod-1")
	wrong := want
	wrong.StartedAt, wrong.SeenAt, wrong.Silent = early.AddDate(-20, 0, 0), early.AddDate(-20, 0, 0), time.Hour
	db.register(t, wrong)
	got := db.row(t, want.ID)
	if got == nil {
		t.Fatal("no row")
	}
	if got.StartedAt.Before(early.AddDate(-10, 0, 0)) || got.SeenAt.Before(got.StartedAt) || got.Silent < 0 {
		t.Errorf("started at %s, seen at %s, silent for %s", got.StartedAt, got.SeenAt, got.Silent)
	}
	want.StartedAt, want.SeenAt, want.Silent = got.StartedAt, got.SeenAt, got.Silent
	same(t, "the row", want, *got)
	own := db.rows(t, db.Store)
	if len(own) != 1 || own[0].ID != want.ID {
		t.Errorf("by its own handle: %+v", own)
	}
}

func listReplicas(t *testing.T, db *base) {
	if list := db.rows(t, db.other); len(list) != 0 {
		t.Errorf("in a new database: %+v", list)
	}
	for _, name := range []string{"pod-2", "pod-1", "pod-3", "pod-1"} {
		db.register(t, newReplica(name))
	}
	var names []string
	for _, r := range db.rows(t, db.other) {
		names = append(names, r.Name)
	}
	same(t, "the names", []string{"pod-1", "pod-1", "pod-2", "pod-3"}, names)
}

func acknowledge(t *testing.T, db *base) {
	r, silent := newReplica("pod-1"), newReplica("pod-2")
	db.register(t, r)
	db.register(t, silent)
	before, other := db.row(t, r.ID), db.row(t, silent.ID)
	// Also where nothing is new: it is what keeps the row.
	for db.row(t, r.ID).SeenAt.Equal(before.SeenAt) && db.ctx.Err() == nil {
		if !db.acknowledge(t, db.Store, r.ID, r.Applied) {
			t.Fatal("the row is gone")
		}
	}
	db.acknowledge(t, db.Store, r.ID, 9)
	after := db.row(t, r.ID)
	if after.Applied != 9 || !after.SeenAt.After(before.SeenAt) || !after.StartedAt.Equal(before.StartedAt) || after.Silent < 0 {
		t.Errorf("before: %+v\nafter: %+v", before, after)
	}
	still := db.row(t, silent.ID)
	if still.Silent < other.Silent {
		t.Errorf("silent for %s, and then for %s", other.Silent, still.Silent)
	}
	still.Silent = other.Silent
	same(t, "the other's row", other, still)
}

func goneIsGone(t *testing.T, db *base) {
	r, other := newReplica("pod-1"), newReplica("pod-1")
	if db.acknowledge(t, db.Store, r.ID, 8) {
		t.Error("a row that never was is there")
	}
	db.register(t, r)
	db.register(t, other)
	if err := db.Unregister(db.ctx, r.ID); err != nil {
		t.Fatal(err)
	}
	for _, s := range []repo.Store{db.Store, db.other} {
		if db.acknowledge(t, s, r.ID, 8) {
			t.Error("the row that was removed is there")
		}
	}
	if db.row(t, r.ID) != nil {
		t.Error("the row was put back")
	}
	if row := db.row(t, other.ID); row == nil || row.Applied != other.Applied {
		t.Errorf("the other one's row: %+v", row)
	}
}

// Whoever lists removes the row: here another process than the replica's own.
func silentRowGoes(t *testing.T, db *base) {
	patient := newReplica("serves for an hour")
	patient.Lease = time.Millisecond
	db.register(t, patient)
	silent := newReplica("denies at once")
	silent.Lease, silent.Outage = 10*time.Millisecond, auth.OutageDeny // whatever max_stale says
	began := time.Now()
	db.register(t, silent)
	for db.row(t, silent.ID) != nil {
		select {
		case <-db.ctx.Done():
			t.Fatal("the row stays")
		case <-time.After(5 * time.Millisecond):
		}
	}
	// Times are kept to the millisecond.
	if after := time.Since(began); after < silent.StopsAfter()-time.Millisecond {
		t.Errorf("the row was removed within %s, and may answer for %s", after, silent.StopsAfter())
	}
	if db.acknowledge(t, db.Store, silent.ID, 8) {
		t.Error("the row that was removed is there")
	}
	if db.row(t, patient.ID) == nil {
		t.Error("a row was removed before its time")
	}
}
