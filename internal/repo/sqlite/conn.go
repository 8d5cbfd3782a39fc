package sqlite

import (
	"context"
	"database/sql"
)

// conn runs statements, and translates their errors. Its queries read one
// state each; those of a transaction read the same one.
type conn struct {
	s *Store
	q interface {
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	}
}

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
	rows, err := c.q.QueryContext(ctx, query, args...)
	if err != nil {
		return c.s.fault(err)
	}
	defer func() { _ = rows.Close() }()
	scan := func(dest ...any) error { return c.s.fault(rows.Scan(dest...)) }
	for rows.Next() {
		if err := each(scan); err != nil {
			return err
		}
	}
	return c.s.fault(rows.Err())
}

// tx is a transaction that holds the one lock of all writers.
type tx struct {
	conn
	t     *sql.Tx
	stmts map[string]*sql.Stmt
}

// write runs work in a transaction, and commits it. What work returns is
// returned as it is, and then nothing has changed.
func (s *Store) write(ctx context.Context, work func(*tx) error) error {
	if err := s.inPlace(); err != nil {
		return err
	}
	t, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return s.fault(err)
	}
	defer func() { _ = t.Rollback() }()
	if err := work(&tx{conn: conn{s, t}, t: t, stmts: map[string]*sql.Stmt{}}); err != nil {
		return err
	}
	return s.outcome(ctx, t.Commit())
}

// exec runs a statement, prepared once a transaction: some change many rows.
func (t *tx) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	stmt, ok := t.stmts[query]
	if !ok {
		var err error
		if stmt, err = t.t.PrepareContext(ctx, query); err != nil {
			return nil, t.s.outcome(ctx, err)
		}
		t.stmts[query] = stmt // closed with the transaction
	}
	res, err := stmt.ExecContext(ctx, args...)
	if err != nil {
		return nil, t.s.outcome(ctx, err)
	}
	return res, nil
}

// run is exec for a statement whose result nobody needs.
func (t *tx) run(ctx context.Context, query string, args ...any) error {
	_, err := t.exec(ctx, query, args...)
	return err
}

// insert runs a statement, and returns the number of the new row.
func (t *tx) insert(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := t.exec(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	n, err := res.LastInsertId()
	return n, t.s.fault(err)
}

// affected runs a statement, and returns how many rows it changed.
func (t *tx) affected(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := t.exec(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return n, t.s.fault(err)
}
