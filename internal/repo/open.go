package repo

import (
	"context"
	"errors"
	"net/url"
	"path/filepath"
	"strings"

	"authd/internal/repo/sqlite"
)

// Options are how a store is opened.
type Options struct {
	MustExist bool // no empty database is made
}

const sqliteScheme = "sqlite:"

var errURL = errors.New("the database is named as sqlite:PATH, as in sqlite:authd.db or sqlite:/var/lib/authd/authd.db")

// Open opens the store that a URL names: sqlite:PATH[?_pragma=...]. Its errors tell no password.
func Open(ctx context.Context, rawURL string, o Options) (Store, error) {
	rest, ok := strings.CutPrefix(rawURL, sqliteScheme)
	if !ok {
		return nil, errURL
	}
	s, err := sqlite.Open(ctx, rest, o.MustExist)
	if err != nil {
		return nil, err // and no Store that holds a nil
	}
	return s, nil
}

// Check says what is wrong with a URL, as far as that can be told without opening anything.
func Check(rawURL string) error {
	if rest, ok := strings.CutPrefix(rawURL, sqliteScheme); ok {
		return sqlite.Check(rest)
	}
	return errURL
}

// Kind names the backend of a URL, as metrics do.
func Kind(rawURL string) string {
	kind, _, _ := strings.Cut(rawURL, ":")
	return kind
}

// Shown is the place that a URL names, for people: a file by its whole path, and no password.
func Shown(rawURL string) string {
	if rest, ok := strings.CutPrefix(rawURL, sqliteScheme); ok {
		path, _, _ := strings.Cut(rest, "?")
		if whole, err := filepath.Abs(path); err == nil {
			return whole
		}
		return path
	}
	if u, err := url.Parse(rawURL); err == nil {
		u.RawQuery = "" // a password may stand there as well
		return u.Redacted()
	}
	return Kind(rawURL)
}
