package repo

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"authd/internal/repo/postgres"
	"authd/internal/repo/sqlite"
)

// Options are how a store is opened.
type Options struct {
	MustExist bool // no empty SQLite database is made
	PollOnly  bool // Postgres is not asked to notify: a pooler stands between
}

var errURL = errors.New("the database is named as sqlite:PATH, as in sqlite:authd.db or sqlite:/var/lib/authd/authd.db, " +
	"or as postgres://USER:PASSWORD@HOST:PORT/DATABASE")

// The backends, as metrics name them.
const (
	kindSQLite   = "sqlite"
	kindPostgres = "postgres"
)

// Kind names the backend of a URL; it is empty where there is none.
func Kind(rawURL string) string {
	switch scheme, _, _ := strings.Cut(rawURL, ":"); scheme {
	case "sqlite":
		return kindSQLite
	case "postgres", "postgresql":
		return kindPostgres
	}
	return ""
}

// path is what a SQLite URL names.
func path(rawURL string) string { return strings.TrimPrefix(rawURL, "sqlite:") }

// Open opens the store that a URL names: sqlite:PATH[?_pragma=...], or
// postgres://... as libpq reads it. Its errors tell no password.
func Open(ctx context.Context, rawURL string, o Options) (Store, error) {
	var s Store
	err := errURL
	switch {
	case Check(rawURL) != nil:
		err = Check(rawURL)
	case Kind(rawURL) == kindSQLite:
		s, err = sqlite.Open(ctx, path(rawURL), o.MustExist)
	case Kind(rawURL) == kindPostgres:
		s, err = postgres.Open(ctx, rawURL, postgres.Options{Listen: !o.PollOnly})
	}
	if err != nil {
		return nil, err // and no Store that holds a nil
	}
	return s, nil
}

// Check says what is wrong with a URL, as far as that can be told without opening anything.
func Check(rawURL string) error {
	switch {
	case rawURL == "sqlite":
	case Kind(rawURL) == kindSQLite:
		return sqlite.Check(path(rawURL))
	case Kind(rawURL) == kindPostgres:
		return postgres.Check(rawURL)
	}
	return errURL
}

// Shown is the place that a URL names, for people: a file by its whole path, and no password.
func Shown(rawURL string) string {
	if Kind(rawURL) == kindPostgres {
		return postgres.Shown(rawURL)
	}
	file, _, _ := strings.Cut(path(rawURL), "?")
	if whole, err := filepath.Abs(file); err == nil {
		return whole
	}
	return file
}
