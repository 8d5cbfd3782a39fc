package repo_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"authd/internal/repo"
)

// What can't be opened is refused before anything is, tells what is wanted, and shows no password.
func TestURLs(t *testing.T) {
	tests := []struct{ url, tells string }{
		{"", "sqlite:PATH"},
		{"authd.db", "sqlite:PATH"},
		{"/var/lib/authd.db", "sqlite:PATH"},
		{"SQLITE:authd.db", "sqlite:PATH"},
		{"sqlite", "sqlite:PATH"},
		{"mysql://authd:hunter2@db/authd", "sqlite:PATH"},
		{"mysql://authd@db/authd?password=hunter2", "sqlite:PATH"},
		{"mysql://authd:hunter2%zz@db/authd", "sqlite:PATH"},
		{"sqlite:", "sqlite:PATH"},
		{"postgres:authd", "postgres://USER"},
		{"postgres://authd:hunter2%zz@db/authd", "postgres://USER"},
		{"sqlite::memory:", "sqlite:PATH"},
		{"sqlite:authd.db?password=hunter2", "_pragma"},
		{"sqlite://authd:hunter2@db/authd", "sqlite:/absolute/path"},
	}
	for _, tt := range tests {
		s, opened := repo.Open(t.Context(), tt.url, repo.Options{})
		if s != nil {
			t.Errorf("%q: a store was opened", tt.url)
		}
		for _, err := range []error{opened, repo.Check(tt.url)} {
			if err == nil || !strings.Contains(err.Error(), tt.tells) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q: %v", tt.url, err)
			}
		}
	}
}

func TestShown(t *testing.T) {
	for url, want := range map[string]string{
		"sqlite:/var/lib/authd.db?_pragma=cache_size(-4000)": "/var/lib/authd.db",
		"postgres://authd:hunter2@db:5432/authd":             "postgres://authd@db:5432/authd",
		"postgresql://authd@db/authd?password=hunter2":       "postgres://authd@db:5432/authd",
		"postgres://authd:hunter2%zz@db/authd":               "postgres",
	} {
		if shown := repo.Shown(url); shown != want {
			t.Errorf("%q is shown as %q, want %q", url, shown, want)
		}
	}
}

func TestASQLiteURL(t *testing.T) {
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	url := "sqlite:authd.db?_pragma=cache_size(-4000)"
	if err := repo.Check(url); err != nil {
		t.Error(err)
	}
	if kind := repo.Kind(url); kind != "sqlite" {
		t.Errorf("kind %q", kind)
	}
	if shown := repo.Shown(url); shown != filepath.Join(here, "authd.db") {
		t.Errorf("shown as %q", shown)
	}
	if _, err := repo.Open(t.Context(), url, repo.Options{MustExist: true}); err == nil || !strings.Contains(err.Error(), "there is no database") {
		t.Errorf("a database that must exist: %v", err)
	}
	s, err := repo.Open(t.Context(), url, repo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat("authd.db"); err != nil {
		t.Error(err)
	}
}
