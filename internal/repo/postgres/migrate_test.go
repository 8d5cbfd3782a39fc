package postgres

import (
	"sync"
	"testing"

	"authd/internal/auth"
	"authd/internal/pgtest"
)

// Ten replicas that find no schema at once migrate once, also where a pooler
// hands each of their transactions to another session.
func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	through := pgtest.Shared(t).Bouncer(t)
	for name, by := range map[string]func(string) string{
		"direct": func(url string) string { return url }, "through a pooler": through,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Database(t)
			var all sync.WaitGroup
			begin := make(chan struct{})
			for range 10 {
				s := opened(t, by(url), Options{Listen: true})
				all.Go(func() {
					<-begin
					if err := s.Migrate(t.Context()); err != nil {
						t.Error(err)
					}
					if have, want, err := s.Schema(t.Context()); err != nil || have != want {
						t.Errorf("schema %d of %d, %v", have, want, err)
					}
				})
			}
			close(begin)
			all.Wait()
			admin := raw(t, url)
			applied, versions := read[int](t, admin, `SELECT count(*) FROM goose_db_version`), read[int](t, admin, `SELECT count(DISTINCT version_id) FROM goose_db_version`)
			if applied != versions || versions < 2 {
				t.Errorf("%d versions were applied %d times", versions, applied)
			}
			if locks := read[int](t, admin, `SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database
				WHERE locktype = 'advisory' AND datname = current_database()`); locks != 0 {
				t.Errorf("%d locks are left", locks)
			}
		})
	}
}

func TestBeforeMigrating(t *testing.T) {
	t.Parallel()
	s := opened(t, pgtest.Database(t), Options{Listen: true})
	if have, want, err := s.Schema(t.Context()); have != 0 || want == 0 || err != nil {
		t.Errorf("schema %d of %d, %v", have, want, err)
	}
	for _, c := range calls {
		unavailable(t, c.name, c.do(t.Context(), s), "run authd migrate")
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	addKey(t, s, 1)
}

// worksOn opens a database whose schema is newer, and works.
func worksOn(t *testing.T, url string) {
	t.Helper()
	s := opened(t, url, Options{Listen: true})
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
	t.Parallel()
	url := pgtest.Database(t)
	s := at(t, url, Options{Listen: true})
	admin := raw(t, url)
	run(t, admin, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)`)
	worksOn(t, url)
	run(t, admin, `CREATE TABLE schema_needs (version bigint NOT NULL)`)
	worksOn(t, url)
	run(t, admin, `INSERT INTO schema_needs SELECT min(version_id) FROM goose_db_version`)
	worksOn(t, url)
	run(t, admin, `INSERT INTO schema_needs VALUES (99998)`)
	unavailable(t, "Migrate", s.Migrate(t.Context()), "written by a newer authd", "99999", "99998", "restore a backup")
	later, err := Open(t.Context(), url, Options{Listen: true})
	if later != nil {
		t.Error("a store was opened")
	}
	unavailable(t, "Open", err, "written by a newer authd")
}

// A user who may create nothing is told what to do.
func TestMayNotMigrate(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	url := pgtest.Database(t)
	server.Exec(t, `CREATE ROLE guest LOGIN`)
	s := opened(t, as(url, "guest"), Options{Listen: true})
	unavailable(t, "Migrate", s.Migrate(t.Context()), "make it the owner")
}
