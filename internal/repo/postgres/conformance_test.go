package postgres_test

import (
	"sync"
	"testing"

	"authd/internal/pgtest"
	"authd/internal/repo"
	"authd/internal/repo/postgres"
	"authd/internal/repo/repotest"
)

// Postgres is held to the promises of every store.
func TestConformance(t *testing.T) {
	repotest.Run(t, backend(pgtest.Database, postgres.Options{Listen: true}))
}

// So it is through a pooler that hands each transaction to another session.
func TestConformanceThroughPgBouncer(t *testing.T) {
	through := pgtest.Shared(t).Bouncer(t)
	database := func(t testing.TB) string { return through(pgtest.Database(t)) }
	repotest.Run(t, backend(database, postgres.Options{}))
}

func backend(database func(testing.TB) string, o postgres.Options) repotest.Backend {
	var urls sync.Map // repo.Store -> its URL
	open := func(t *testing.T, url string) repo.Store {
		t.Helper()
		s, err := postgres.Open(t.Context(), url, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		urls.Store(repo.Store(s), url)
		return s
	}
	return repotest.Backend{
		Open: func(t *testing.T) repo.Store { t.Helper(); return open(t, database(t)) },
		Again: func(t *testing.T, s repo.Store) repo.Store {
			t.Helper()
			url, _ := urls.Load(s)
			return open(t, url.(string))
		},
	}
}
