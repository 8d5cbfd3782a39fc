package postgres

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

func provider(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
}

// database is where migrations run: in a session of its own, in which they take as long as they need.
func (s *Store) database() *sql.DB {
	cfg := s.cfg.Copy()
	if _, ok := cfg.RuntimeParams["statement_timeout"]; ok {
		cfg.RuntimeParams["statement_timeout"] = "0"
	}
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(1)
	return db
}

// Schema implements repo.Store.
func (s *Store) Schema(ctx context.Context) (have, want int64, err error) {
	db := s.database()
	defer func() { _ = db.Close() }()
	p, err := provider(db)
	if err != nil {
		return 0, 0, err
	}
	for _, m := range p.ListSources() {
		want = max(want, m.Version)
	}
	var table bool
	_, err = s.reader().row(ctx, `SELECT to_regclass('goose_db_version') IS NOT NULL`, nil, &table)
	if err != nil || !table {
		return 0, want, err
	}
	_, err = s.reader().row(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`, nil, &have)
	return have, want, err
}

// Migrate implements repo.Store. However many replicas start at once, one of
// them migrates, and the others wait for it.
func (s *Store) Migrate(ctx context.Context) error {
	for {
		if done, err := s.current(ctx); done || err != nil {
			return err
		}
		if ours, err := s.migrateAlone(ctx); ours || err != nil {
			return err
		}
		if !pause(ctx, spread(migratePause)) {
			return s.fault(ctx, ctx.Err())
		}
	}
}

// migratePause is how long to wait before the lock is tried again. Nobody
// waits for it within a transaction: through a pooler, those who wait would
// take every session from the one who migrates.
const migratePause = 200 * time.Millisecond

// The lock is goose's own, but held by a transaction, and so by one session:
// where a pooler stands between, goose would take it in one, and let go of it in another.
const (
	beginMigration = `BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0`
	lockMigration  = `SELECT pg_try_advisory_xact_lock($1)`
)

// migrateAlone migrates, and reports false where another process is at it.
func (s *Store) migrateAlone(ctx context.Context) (ours bool, err error) {
	t, err := s.pool.BeginTx(ctx, pgx.TxOptions{BeginQuery: beginMigration})
	if err != nil {
		return false, s.fault(ctx, err)
	}
	held := tx{conn: conn{s: s, q: t}, t: t}
	defer held.rollback(ctx)
	if _, err := held.row(ctx, lockMigration, []any{lock.DefaultLockID}, &ours); err != nil || !ours {
		return false, err
	}
	if done, err := s.current(ctx); done || err != nil {
		return done, err
	}
	db := s.database()
	defer func() { _ = db.Close() }()
	p, err := provider(db)
	if err != nil {
		return false, err
	}
	_, err = p.Up(ctx)
	return true, s.fault(ctx, err)
}

// current reports whether there is nothing to migrate; it is an error where the schema is too new for us.
func (s *Store) current(ctx context.Context) (bool, error) {
	have, want, err := s.Schema(ctx)
	if err == nil {
		err = s.fits(ctx, have, want)
	}
	return have >= want, err
}

// fits is an error where the schema is newer than this program, and says that this program can't work on it.
func (s *Store) fits(ctx context.Context, have, want int64) error {
	if have <= want {
		return nil
	}
	var table bool
	if _, err := s.reader().row(ctx, `SELECT to_regclass('schema_needs') IS NOT NULL`, nil, &table); err != nil || !table {
		return err
	}
	var least int64
	if _, err := s.reader().row(ctx, `SELECT coalesce(max(version), 0) FROM schema_needs`, nil, &least); err != nil || least <= want {
		return err
	}
	return s.unavailable(fmt.Sprintf("it was written by a newer authd (schema %d, which needs a program that knows %d; this one knows %d): run that version, or restore a backup", have, least, want))
}
