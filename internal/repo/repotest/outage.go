package repotest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"authd/internal/auth"
	"authd/internal/repo"
)

var outages = []test{
	{"every method is tried", everyMethod},
	{"a context that has ended is ErrUnavailable, and changes nothing", endedContext},
	{"a context that ends within an edit changes nothing", endsInEdit},
	{"a closed store is ErrUnavailable", closedStore},
}

// calls are all methods of a store that ask the database, on what there is and on what is not.
func calls(ctx context.Context, s repo.Store, r *auth.Record, replica string) map[string]func() error {
	edit := func(r *auth.Record) error { r.Note = "edited"; return nil }
	return map[string]func() error{
		"ByDigest":      func() error { return second(s.ByDigest(ctx, r.Secrets[0].Digest)) },
		"ByName":        func() error { return second(s.ByName(ctx, "unknown")) },
		"Key":           func() error { return second(s.Key(ctx, "unknown")) },
		"CreateKey":     func() error { next := newRecord(r.Name); return second(s.CreateKey(ctx, &next, newSecret())) },
		"ImportKeys":    func() error { return second(s.ImportKeys(ctx, auth.Batch{Writes: newWrites(1, "New")}, nil)) },
		"ListKeys":      func() error { return second(s.ListKeys(ctx, auth.KeyFilter{})) },
		"UpdateKey":     func() error { return second(s.UpdateKey(ctx, r.Name, edit)) },
		"RotateKey":     func() error { return second(s.RotateKey(ctx, r.Name, newSecret(), early)) },
		"RevokeKey":     func() error { return second(s.RevokeKey(ctx, r.Name, early)) },
		"DeleteKey":     func() error { return second(s.DeleteKey(ctx, r.Name)) },
		"CountExpiring": func() error { return second(s.CountExpiring(ctx, early, early)) },
		"CountKeys":     func() error { return second(s.CountKeys(ctx, early)) },
		"CountPeppers":  func() error { return second(s.CountPeppers(ctx)) },
		"CreateUser":    func() error { return s.CreateUser(ctx, login) },
		"ListUsers":     func() error { return second(s.ListUsers(ctx)) },
		"SetUserActive": func() error { return second(s.SetUserActive(ctx, login, false)) },
		"SetUserLimits": func() error { return second(s.SetUserLimits(ctx, login, func(*auth.Limits) error { return nil })) },
		"Changes":       func() error { return second(s.Changes(ctx, 0, 10)) },
		"LastChange":    func() error { return second(s.LastChange(ctx)) },
		"Register":      func() error { return s.Register(ctx, newReplica("late")) },
		"Acknowledge":   func() error { return second(s.Acknowledge(ctx, replica, 1000)) },
		"Unregister":    func() error { return s.Unregister(ctx, replica) },
		"ListReplicas":  func() error { return second(s.ListReplicas(ctx)) },
		"AddUsage":      func() error { return s.AddUsage(ctx, auth.UsageBatch{Writer: "w", Number: 1}) },
		"UsageHours":    func() error { return second(s.UsageHours(ctx, r.ID, early)) },
		"UsageTotals":   func() error { return second(s.UsageTotals(ctx, early)) },
		"SecretUses":    func() error { return second(s.SecretUses(ctx, "")) },
		"PruneUsage":    func() error { return second(s.PruneUsage(ctx, early, 10)) },
		"AppendAudit":   func() error { return s.AppendAudit(ctx, auth.AuditEntry{Action: "test", Fields: "[]"}) },
		"AuditEntries":  func() error { return second(s.AuditEntries(ctx, 0, 10)) },
		"AuditHead":     func() error { return second(s.AuditHead(ctx)) },
		"Durability":    func() error { return second(s.Durability(ctx)) },
		"Migrate":       func() error { return s.Migrate(ctx) },
		"Schema":        func() error { _, _, err := s.Schema(ctx); return err },
	}
}

func second[T any](_ T, err error) error { return err }

func everyMethod(t *testing.T, db *base) {
	tried := calls(db.ctx, db.Store, db.create(t, "Key"), "")
	for m := range reflect.TypeFor[repo.Store]().Methods() {
		if tried[m.Name] == nil && !slices.Contains([]string{"Close", "Woken"}, m.Name) {
			t.Errorf("nobody tries %s", m.Name)
		}
	}
}

// handles are two onto the database: one that was asked before, and a new one.
func (db *base) handles(t *testing.T, r *auth.Record) []repo.Store {
	t.Helper()
	_, byDigest := db.ByDigest(db.ctx, r.Secrets[0].Digest)
	_, byName := db.ByName(db.ctx, r.Name)
	if err := errors.Join(byDigest, byName); err != nil {
		t.Fatal(err)
	}
	return []repo.Store{db.Store, db.again(t)}
}

func endedContext(t *testing.T, db *base) {
	r, replica := db.create(t, "Key"), newReplica("pod-1")
	db.register(t, replica)
	canceled, cancel := context.WithCancel(db.ctx)
	cancel()
	late, cancel := context.WithDeadline(db.ctx, time.Now().Add(-time.Second))
	defer cancel()
	db.unlogged(t, func() {
		for _, s := range db.handles(t, r) {
			for _, ctx := range []context.Context{canceled, late} {
				for name, call := range calls(ctx, s, r, replica.ID) {
					wantErr(t, name, call(), auth.ErrUnavailable)
				}
			}
		}
	})
	// An impatient caller and a store that is away are told apart by it.
	if _, err := db.ByDigest(canceled, r.Secrets[0].Digest); !errors.Is(err, context.Canceled) {
		t.Errorf("ByDigest does not tell that it was called off: %v", err)
	}
	db.wantRecord(t, r)
	db.wantUsers(t, auth.User{Login: login, Active: true, Keys: 1})
	if list := db.rows(t, db.other); len(list) != 1 || list[0].Applied != replica.Applied {
		t.Errorf("the replicas: %+v", list)
	}
}

// The caller gives up at the worst of times: what it is told must be so.
func endsInEdit(t *testing.T, db *base) {
	r := db.create(t, "Key")
	ctx, cancel := context.WithCancel(db.ctx)
	defer cancel()
	db.unlogged(t, func() {
		_, err := db.UpdateKey(ctx, "Key", func(r *auth.Record) error {
			cancel()
			r.Active = false
			return nil
		})
		wantErr(t, "the update", err, auth.ErrUnavailable)
	})
	db.wantRecord(t, r)
	// Nobody is kept out by it.
	db.update(t, "Key", func(r *auth.Record) { r.Active = false })
}

func closedStore(t *testing.T, db *base) {
	r := db.create(t, "Key")
	for _, s := range db.handles(t, r) {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for name, call := range calls(db.ctx, s, r, newID()) {
			wantErr(t, name, call(), auth.ErrUnavailable)
		}
		if err := s.Close(); err != nil {
			t.Errorf("closing it again: %v", err)
		}
	}
	db.wantRecord(t, r)
}
