package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"authd/internal/auth"
)

// durably has the transaction wait until its commit is on the disk, and with
// the synchronous standbys, whatever the database is set to: a revocation that
// was confirmed must not be lost. Where more is waited for, it stays so.
const durably = `set_config('synchronous_commit', CASE current_setting('synchronous_commit')
	WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true) IS NOT NULL`

// writersLock is the advisory lock of all writers of this database.
const writersLock = 0x61757468640001 // "authd", 1

// Rule 1: one writer at a time, to the end of its commit, so that the order of
// the log is the order of the commits. What is read under the lock is what is
// there now, and not what was there when the wait for it began: that is read
// committed. Whoever falls silent with the lock in hand loses it.
var beginWrite = fmt.Sprintf(`BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
	SET LOCAL statement_timeout = '30s';
	SET LOCAL idle_in_transaction_session_timeout = '5s';
	SET LOCAL lock_timeout = '10s';
	SELECT %s;
	SELECT pg_advisory_xact_lock(%d)`, durably, writersLock)

// tx is a transaction that holds the one lock of all writers.
type tx struct {
	conn
	t pgx.Tx
	c *pgx.Conn

	seq   int64  // of the change that it has logged; 0 where it has logged none
	token []byte // that stands beside it
}

// write runs work in a transaction, and commits it. What work returns is
// returned as it is, and then nothing has changed.
func (s *Store) write(ctx context.Context, work func(*tx) error) error {
	t, err := s.transact(ctx, work)
	if t != nil && errors.Is(err, errUnknown) {
		return s.resolve(ctx, t)
	}
	return err
}

// transact is write, but for an outcome that is unknown: errUnknown, and the transaction.
func (s *Store) transact(ctx context.Context, work func(*tx) error) (*tx, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, s.fault(ctx, ctx.Err())
	}
	c, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	defer c.Release()
	t, err := s.begins(ctx, c)
	if err != nil {
		return nil, err
	}
	defer t.rollback(ctx)
	if err := t.inEpoch(ctx); err != nil {
		return nil, err
	}
	if err := work(t); err != nil {
		return nil, err
	}
	return t, t.commit(ctx)
}

func (s *Store) begins(ctx context.Context, c *pgxpool.Conn) (*tx, error) {
	t, err := c.BeginTx(ctx, pgx.TxOptions{BeginQuery: beginWrite})
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	return &tx{conn: conn{s: s, q: t}, t: t, c: c.Conn()}, nil
}

// rollback does so also where ctx has ended: the next writer waits for the lock.
func (t *tx) rollback(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	_ = t.t.Rollback(ctx) // a connection on which that fails is closed, which does it too
}

// errUnknown says that the database may or may not have committed.
var errUnknown = errors.New("the commit was not answered")

// commit fails with errUnknown where nobody can say what became of it. It is
// known to have failed where the database says so, or was never asked. What the
// driver believes is safe to try again is not: it says so of an answer that was lost, too.
func (t *tx) commit(ctx context.Context) error {
	switch {
	case ctx.Err() != nil:
		return t.s.fault(ctx, ctx.Err())
	case t.c.IsClosed():
		return t.s.unavailable("the connection broke before the commit: nothing was changed")
	}
	warned := warnings(t.c.PgConn())
	err := t.t.Commit(ctx)
	var refusal *pgconn.PgError
	switch {
	case err == nil && warnings(t.c.PgConn()) == warned:
		return nil
	case errors.Is(err, pgx.ErrTxCommitRollback):
	case errors.As(err, &refusal) && refusal.SeverityUnlocalized == "ERROR":
	default:
		// Where there is no error, it has given up waiting for a standby, which may not have it.
		return errUnknown
	}
	return t.s.fault(ctx, err)
}

const (
	// resolveTime is how long the outcome of a commit is looked for.
	resolveTime  = 3 * time.Second
	resolvePause = 50 * time.Millisecond
)

// resolve finds out what became of a commit. It waits for the lock, which the
// transaction in question holds to its end, and looks for its row in the log. Where
// that is there it is written to, so that whoever must have confirmed the second
// commit, the disk or a standby, has the first one as well.
func (s *Store) resolve(ctx context.Context, lost *tx) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), resolveTime)
	defer cancel()
	for lost.seq != 0 {
		there := int64(0)
		_, err := s.transact(ctx, func(t *tx) (err error) {
			there, err = t.touch(ctx, `WHERE seq = $1 AND token = $2`, lost.seq, lost.token)
			return err
		})
		if err == nil && there > 0 {
			return nil
		}
		if err == nil {
			return s.unavailable(errUnknown.Error() + ", and it did not take place: nothing was changed")
		}
		if !pause(ctx, resolvePause) {
			break
		}
	}
	return fmt.Errorf("%w: %s: %w, and whether the change was made is unknown: look before you make it again", auth.ErrUnavailable, s.place, errUnknown)
}

// warningsKey is where a connection counts the warnings that it got.
const warningsKey = "warnings"

func noteWarning(c *pgconn.PgConn, n *pgconn.Notice) {
	if n.SeverityUnlocalized == "WARNING" {
		c.CustomData()[warningsKey] = warnings(c) + 1
	}
}

func warnings(c *pgconn.PgConn) int {
	n, _ := c.CustomData()[warningsKey].(int)
	return n
}
