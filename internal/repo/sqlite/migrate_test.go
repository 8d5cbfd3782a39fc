package sqlite

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"authd/internal/auth"
)

// roleMigrate opens and migrates as soon as its standard input ends.
func roleMigrate(args []string) error {
	point()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := Open(ctx, args[0], false)
	if err != nil {
		return err
	}
	return errors.Join(s.Migrate(ctx), s.Close())
}

// Stores and processes that all find no database at once end up with one, and none of them fails.
func TestMigrateAtOnce(t *testing.T) {
	path := path(t)
	children := []*child{start(t, "migrate", path), start(t, "migrate", path)}
	for _, c := range children {
		c.ready()
	}
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for range 3 {
		wg.Go(func() {
			<-begin
			s, err := Open(t.Context(), path, false)
			if err != nil {
				t.Error(err)
				return
			}
			if err := errors.Join(s.Migrate(t.Context()), s.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	close(begin)
	for _, c := range children {
		_ = c.in.Close()
	}
	wg.Wait()
	for _, c := range children {
		c.end()
	}
	s := at(t, path, writeBusy)
	addKey(t, s, 1)
	if have, want, err := s.Schema(t.Context()); err != nil || have != want || have == 0 {
		t.Errorf("schema %d of %d, %v", have, want, err)
	}
	if files := lockFiles(t, s); len(files) != 0 {
		t.Errorf("locks that are left: %q", files)
	}
}

func TestMigrateWaitsForItsTurn(t *testing.T) {
	s, err := Open(t.Context(), path(t), false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	l, err := waitForLock(t.Context(), s.path+".migrate.lock")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	unavailable(t, "Migrate", s.Migrate(ctx), "another process holds "+s.path+".migrate.lock")
	l.release()
	if err := s.Migrate(t.Context()); err != nil {
		t.Error(err)
	}
	for range 2 { // nothing is left to do, and nothing waits
		if err := s.Migrate(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestSchemaBeforeMigrating(t *testing.T) {
	s, err := Open(t.Context(), path(t), false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if have, want, err := s.Schema(t.Context()); have != 0 || want == 0 || err != nil {
		t.Errorf("schema %d of %d, %v", have, want, err)
	}
	for _, c := range append(append(lookups, reads...), changes...) {
		unavailable(t, c.name, c.do(t.Context(), s), "run authd migrate")
	}
	// The look-ups are prepared when it is there, by the same store.
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ByDigest(t.Context(), digest(1)); !errors.Is(err, auth.ErrKeyNotFound) {
		t.Error(err)
	}
}

// worksOn opens a database whose schema is newer, and works.
func worksOn(t *testing.T, path string) {
	t.Helper()
	s, err := Open(t.Context(), path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if have, want, err := s.Schema(t.Context()); err != nil || have <= want {
		t.Errorf("schema %d of %d, %v", have, want, err)
	}
	if _, err := s.ListKeys(t.Context(), auth.KeyFilter{}); err != nil {
		t.Error(err)
	}
}

// A newer schema is worked on, unless it says that this program can't.
func TestANewerVersion(t *testing.T) {
	s := fresh(t)
	run(t, s.writer, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`)
	worksOn(t, s.path)
	run(t, s.writer, `CREATE TABLE schema_needs (version INTEGER NOT NULL)`)
	worksOn(t, s.path)
	run(t, s.writer, `INSERT INTO schema_needs SELECT min(version_id) FROM goose_db_version`)
	worksOn(t, s.path)
	run(t, s.writer, `INSERT INTO schema_needs VALUES (99998)`)
	unavailable(t, "Migrate", s.Migrate(t.Context()), "written by a newer authd", "99999", "99998", "restore a backup")
	later, err := Open(t.Context(), s.path, false)
	if later != nil {
		t.Error("a store was opened")
	}
	unavailable(t, "Open", err, s.path, "written by a newer authd")
}
