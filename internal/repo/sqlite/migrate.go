package sqlite

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

func (s *Store) goose() (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectSQLite3, s.writer, files,
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
}

// Schema implements repo.Store.
func (s *Store) Schema(ctx context.Context) (have, want int64, err error) {
	p, err := s.goose()
	if err != nil {
		return 0, 0, err
	}
	for _, m := range p.ListSources() {
		want = max(want, m.Version)
	}
	read := conn{s, s.readers}
	table, err := read.row(ctx, `SELECT 1 FROM sqlite_schema WHERE name = 'goose_db_version'`, nil, new(int))
	if err != nil || !table {
		return 0, want, err
	}
	_, err = read.row(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`, nil, &have)
	return have, want, err
}

func (s *Store) newer(have, want int64) error {
	return s.unavailable(fmt.Sprintf("it was written by a newer authd (schema %d, this one knows %d): run that version, or restore a backup", have, want))
}

// Migrate implements repo.Store.
func (s *Store) Migrate(ctx context.Context) error {
	if done, err := s.current(ctx); done || err != nil {
		return err
	}
	// Goose reads the version, and migrates in another transaction: two processes would do so twice.
	l, err := waitForLock(ctx, s.path+".migrate.lock")
	if err != nil {
		return s.fault(err)
	}
	defer l.remove()
	if done, err := s.current(ctx); done || err != nil {
		return err
	}
	if err := s.inPlace(); err != nil {
		return err
	}
	p, err := s.goose()
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return s.fault(err)
}

// current reports whether the schema is the one that we know; it is an error where it is newer.
func (s *Store) current(ctx context.Context) (bool, error) {
	have, want, err := s.Schema(ctx)
	if err == nil && have > want {
		err = s.newer(have, want)
	}
	return have == want, err
}
