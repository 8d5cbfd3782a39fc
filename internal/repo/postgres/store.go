// Package postgres keeps keys in Postgres, for any number of replicas.
//
// Look-ups take no lock. Writers take turns by one advisory lock, across all
// processes, which makes the order of the change log the order of the commits.
// A commit is on the disk when it has answered, and with the synchronous
// standbys where there are any. Everything is read from the primary.
package postgres

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"authd/internal/auth"
	"authd/internal/gather"
)

// Options are how a store is opened.
type Options struct {
	// Listen has Postgres tell of each commit. Without it, and where a pooler stands
	// between, which may hand each transaction to another session, the log is looked at
	// now and then, and nothing is used that a session would have to remember.
	Listen bool
}

const (
	// reserved are the connections beside those for look-ups: one for whoever writes,
	// the others for following the log. No flood of look-ups can cost a replica its lease.
	reserved = 3
	// lifeJitter spreads the ends of connections that were opened together.
	lifeJitter = 10 * time.Minute
)

// Store is a repo.Store in a Postgres database.
type Store struct {
	place string // as people are told it
	cfg   *pgx.ConnConfig
	pool  *pgxpool.Pool

	timeline string       // asks for the history that the server writes
	epoch    atomic.Int64 // of the last change that was read; -1 before

	lookups    chan struct{} // one for each look-up that is under way
	digests    *gather.Group[auth.Digest, found]
	lookupTime time.Duration // bounds one query for digests
	turn       chan struct{} // one for the writer, of those in this process

	woken    chan struct{}
	stop     context.CancelFunc
	watching sync.WaitGroup
	close    func() error
}

// Open connects to the database that a URL names. Of several hosts it takes
// the primary, now and whenever it has to connect again.
func Open(ctx context.Context, rawURL string, o Options) (*Store, error) {
	cfg, err := parse(rawURL)
	if err != nil {
		return nil, err
	}
	s := &Store{
		place: place(&cfg.ConnConfig.Config), cfg: cfg.ConnConfig,
		lookups: make(chan struct{}, cfg.MaxConns), turn: make(chan struct{}, 1), woken: make(chan struct{}, 1),
	}
	s.close = sync.OnceValue(s.shut)
	s.lookupTime = lookupTime
	s.digests = gather.New(cap(s.lookups), s.byDigests)
	s.epoch.Store(-1)
	direct, err := s.probe(ctx)
	if err != nil {
		return nil, err
	}
	listens := o.Listen && direct
	cfg.MaxConns += reserved
	cfg.MaxConnLifetimeJitter = max(cfg.MaxConnLifetimeJitter, lifeJitter)
	if listens {
		session(s.cfg.RuntimeParams)
	} else {
		s.cfg.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	if s.pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return nil, s.fault(ctx, err)
	}
	if err := s.begin(ctx); err != nil {
		s.pool.Close()
		return nil, err
	}
	watch, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	if listens {
		s.watching.Go(func() { s.listen(watch) })
	} else {
		s.watching.Go(func() { s.look(watch) })
	}
	return s, nil
}

// probe finds out whether this is a database that we can work with, and
// whether it is the server itself that answers. A pooler gives numbers of its
// own to sessions, which are not those of the server's processes.
func (s *Store) probe(ctx context.Context) (direct bool, err error) {
	cfg := s.cfg.Copy()
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return false, s.fault(ctx, err)
	}
	defer closeConn(conn)
	var pid int64
	var encoding string
	err = conn.QueryRow(ctx, `SELECT pg_backend_pid(), current_setting('server_encoding')`).Scan(&pid, &encoding)
	if err != nil {
		return false, s.fault(ctx, err)
	}
	if encoding != "UTF8" {
		return false, s.unavailable("its encoding is " + encoding + ", which can't hold every name: create the database with encoding UTF8")
	}
	s.timeline, err = findTimeline(ctx, conn)
	return pid == int64(conn.PgConn().PID()), s.fault(ctx, err)
}

// begin finds out whether the schema is one that we know.
func (s *Store) begin(ctx context.Context) error {
	_, err := s.current(ctx)
	return err
}

// Close ends everything. It does not unregister replicas.
func (s *Store) Close() error { return s.close() }

func (s *Store) shut() error {
	s.stop()
	s.watching.Wait()
	close(s.woken)
	s.pool.Close()
	return nil
}

// enter waits for its turn among the look-ups, and leave ends it.
func (s *Store) enter(ctx context.Context) error {
	select {
	case s.lookups <- struct{}{}:
		return nil
	default:
	}
	select {
	case s.lookups <- struct{}{}:
		return nil
	case <-ctx.Done():
		return s.fault(ctx, ctx.Err())
	}
}

func (s *Store) leave() { <-s.lookups }

// closeTime is how long a good-bye to the server may take.
const closeTime = time.Second

func closeConn(c *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	_ = c.Close(ctx)
}

// pause waits, and reports false where ctx ends before.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
