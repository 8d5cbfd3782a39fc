package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// conn runs statements, and translates their errors. Each of its queries reads
// one state of the database.
type conn struct {
	s *Store
	q interface {
		Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
		Exec(ctx context.Context, query string, args ...any) (pgconn.CommandTag, error)
	}
	waits bool // for its turn among the look-ups: what no lease depends on
}

// reader reads for whoever can wait.
func (s *Store) reader() conn { return conn{s, s.pool, true} }

// follower reads and writes what a lease depends on.
func (s *Store) follower() conn { return conn{s, s.pool, false} }

// row reads one row into dest, and reports whether there was one.
func (c conn) row(ctx context.Context, query string, args []any, dest ...any) (bool, error) {
	found := false
	err := c.rows(ctx, query, args, func(scan func(...any) error) error {
		found = true
		return scan(dest...)
	})
	return found, err
}

// rows calls each for every row. What each returns is returned as it is.
func (c conn) rows(ctx context.Context, query string, args []any, each func(scan func(...any) error) error) error {
	if c.waits {
		if err := c.s.enter(ctx); err != nil {
			return err
		}
		defer c.s.leave()
	}
	rows, err := c.q.Query(ctx, query, args...)
	if err != nil {
		return c.s.fault(ctx, err)
	}
	defer rows.Close()
	scan := func(dest ...any) error { return c.s.fault(ctx, rows.Scan(dest...)) }
	for rows.Next() {
		if err := each(scan); err != nil {
			return err
		}
	}
	return c.s.fault(ctx, rows.Err())
}

// affected runs a statement, and returns how many rows it changed.
func (c conn) affected(ctx context.Context, query string, args ...any) (int64, error) {
	tag, err := c.q.Exec(ctx, query, args...)
	if err != nil {
		return 0, c.s.fault(ctx, err)
	}
	return tag.RowsAffected(), nil
}

// run is affected for a statement whose result nobody needs.
func (c conn) run(ctx context.Context, query string, args ...any) error {
	_, err := c.affected(ctx, query, args...)
	return err
}
