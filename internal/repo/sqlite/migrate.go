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

// fits is an error where the schema is newer than this program, and says that this program can't work on it.
func (s *Store) fits(ctx context.Context, have, want int64) error {
	if have <= want {
		return nil
	}
	read := conn{s, s.readers}
	table, err := read.row(ctx, `SELECT 1 FROM sqlite_schema WHERE name = 'schema_needs'`, nil, new(int))
	if err != nil || !table {
		return err
	}
	var least int64
	if _, err := read.row(ctx, `SELECT coalesce(max(version), 0) FROM schema_needs`, nil, &least); err != nil || least <= want {
		return err
	}
	return s.unavailable(fmt.Sprintf("it was written by a newer authd (schema %d, which needs a program that knows %d; this one knows %d): run that version, or restore a backup", have, least, want))
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

// current reports whether there is nothing to migrate; it is an error where the schema is too new for us.
func (s *Store) current(ctx context.Context) (bool, error) {
	have, want, err := s.Schema(ctx)
	if err == nil {
		err = s.fits(ctx, have, want)
	}
	return have >= want, err
}
