package repo_test

import (
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"authd/internal/repo"
	"authd/internal/repo/repotest"
)

// SQLite is held to the promises of every store. Each handle has connections
// of its own, as those of several processes would.
func TestSQLite(t *testing.T) {
	t.Cleanup(func() { goleak.VerifyNone(t) })
	var urls sync.Map // repo.Store -> its URL
	open := func(t *testing.T, url string) repo.Store {
		t.Helper()
		s, err := repo.Open(t.Context(), url, repo.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		urls.Store(s, url)
		return s
	}
	repotest.Run(t, repotest.Backend{
		Open: func(t *testing.T) repo.Store {
			t.Helper()
			return open(t, "sqlite:"+filepath.Join(t.TempDir(), "authd.db"))
		},
		Again: func(t *testing.T, s repo.Store) repo.Store {
			t.Helper()
			url, _ := urls.Load(s)
			return open(t, url.(string))
		},
	})
}
