package repotest

import (
	"context"
	"sync"
	"testing"

	"authd/internal/auth"
	"authd/internal/repo"
)

var schema = []test{
	{"a database that was not migrated answers nothing", notMigrated},
	{"several processes may migrate at once", migrateAtOnce},
	{"migrating again keeps everything", migrateAgain},
}

func wantSchema(ctx context.Context, t *testing.T, s repo.Store) {
	t.Helper()
	have, want, err := s.Schema(ctx)
	if err != nil || have != want || want == 0 {
		t.Errorf("the schema is %d, the newest %d, %v", have, want, err)
	}
}

func notMigrated(t *testing.T, db *base) {
	s := db.backend.Open(t)
	have, want, err := s.Schema(db.ctx)
	if err != nil || have != 0 || want == 0 {
		t.Errorf("the schema is %d, the newest %d, %v", have, want, err)
	}
	_, err = s.ByDigest(db.ctx, newDigest())
	wantErr(t, "ByDigest", err, auth.ErrUnavailable)
	_, err = s.ByName(db.ctx, "unknown")
	wantErr(t, "ByName", err, auth.ErrUnavailable)
	// It is found out anew: nobody has to be started again.
	if err := db.backend.Again(t, s).Migrate(db.ctx); err != nil {
		t.Fatal(err)
	}
	_, err = s.ByName(db.ctx, "unknown")
	wantErr(t, "once another process has migrated it", err, auth.ErrKeyNotFound)
	wantSchema(db.ctx, t, s)
}

// Several databases, because who is in whose way is a matter of luck.
func migrateAtOnce(t *testing.T, db *base) {
	for range 5 {
		stores := []repo.Store{db.backend.Open(t)}
		for range 3 {
			stores = append(stores, db.backend.Again(t, stores[0]))
		}
		var all sync.WaitGroup
		for _, s := range stores {
			all.Go(func() {
				if err := s.Migrate(db.ctx); err != nil {
					t.Errorf("migrating: %v", err)
				}
				wantSchema(db.ctx, t, s)
			})
		}
		all.Wait()
		fresh := &base{Store: stores[0], other: stores[1], ctx: db.ctx}
		fresh.wantRecord(t, fresh.create(t, "Key"))
	}
}

func migrateAgain(t *testing.T, db *base) {
	wantSchema(db.ctx, t, db.Store)
	r := db.create(t, "Key")
	db.unlogged(t, func() {
		for _, s := range []repo.Store{db.Store, db.other} {
			if err := s.Migrate(db.ctx); err != nil {
				t.Errorf("migrating again: %v", err)
			}
		}
	})
	db.wantRecord(t, r)
	wantSchema(db.ctx, t, db.other)
}
