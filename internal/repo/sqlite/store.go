// Package sqlite keeps keys in one SQLite file, which several processes of one
// machine share: the default backend, embedded and in pure Go.
//
// Readers never wait for a writer (WAL). Writers take turns, across all
// processes, which makes the order of the change log the order of the commits.
// A commit is on the disk when it has answered (synchronous=FULL).
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"time"

	driver "modernc.org/sqlite"

	"authd/internal/auth"
)

const (
	// readBusy is how long a look-up waits for a lock. None is needed for long
	// unless another process has the whole file to itself.
	readBusy = 50 * time.Millisecond
	// writeBusy is how long a change waits for its turn.
	writeBusy = 5 * time.Second
	// readConns is how many look-ups run at once.
	readConns = 4
)

// Store is a repo.Store in a SQLite file.
type Store struct {
	path string
	file os.FileInfo // of path, as it was opened

	readers *sql.DB
	writer  *sql.DB // one connection

	finding sync.Mutex // held to prepare
	finder  atomic.Pointer[finder]

	holding sync.Mutex
	held    map[string]lock // of the replicas that were registered through this store, by id

	woken    chan struct{}
	stop     context.CancelFunc
	watching sync.WaitGroup
	close    func() error
}

// Open opens the database that rest names: PATH[?_pragma=...]. It makes an
// empty file where there is none, unless it must exist.
func Open(ctx context.Context, rest string, mustExist bool) (*Store, error) {
	l, err := parse(rest)
	if err != nil {
		return nil, err
	}
	return open(ctx, l, mustExist, writeBusy)
}

func open(ctx context.Context, l location, mustExist bool, busy time.Duration) (_ *Store, err error) {
	if err := l.settle(mustExist); err != nil {
		return nil, err
	}
	s := &Store{path: l.path, held: map[string]lock{}, woken: make(chan struct{}, 1)}
	s.close = sync.OnceValue(s.shut)
	if s.writer, err = pool(1, l.dsn(busy, url.Values{
		"_txlock": {"immediate"}, "_journal_mode": {"WAL"}, "_synchronous": {"FULL"}, "_foreign_keys": {"1"},
	})); err != nil {
		return nil, s.fault(err)
	}
	// One more than look-ups take, for the watcher.
	if s.readers, err = pool(readConns+1, l.dsn(readBusy, url.Values{"_query_only": {"1"}})); err != nil {
		_ = s.writer.Close()
		return nil, s.fault(err)
	}
	watch, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	if err := s.begin(ctx, busy); err != nil {
		_ = s.Close()
		return nil, err
	}
	s.watching.Go(func() { s.watch(watch) })
	return s, nil
}

func pool(conns int, dsn string) (*sql.DB, error) {
	c, err := driver.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// begin finds out whether this is a database that we can work with.
func (s *Store) begin(ctx context.Context, busy time.Duration) error {
	if err := s.connect(ctx, busy); err != nil {
		return err
	}
	var mode string
	if _, err := (conn{s, s.writer}).row(ctx, `PRAGMA journal_mode`, nil, &mode); err != nil {
		return err
	}
	if mode != "wal" {
		return s.unavailable("its file system does not support shared memory, which WAL needs (the journal mode is " + mode + "): put it on a local disk")
	}
	if err := s.writable(ctx); err != nil {
		return err
	}
	var err error
	if s.file, err = os.Stat(s.path); err != nil {
		return s.fault(err)
	}
	_, err = s.current(ctx)
	return err
}

// connect opens the writer's connection. SQLite does not wait for the lock
// under which a new file gets its journal mode, so that is done here.
func (s *Store) connect(ctx context.Context, busy time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, max(busy, time.Second))
	defer cancel()
	var lock error // what was in the way, should the time end within an attempt
	for {
		err := s.writer.PingContext(ctx)
		switch {
		case err == nil:
			return nil
		case locked(err):
			lock = err
		case ctx.Err() != nil && lock != nil:
			return s.fault(lock)
		default:
			return s.fault(err)
		}
		if !pause(ctx, 10*time.Millisecond) {
			return s.fault(lock)
		}
	}
}

// writable finds out now what every change would find out later: where nothing
// can be written, no replica can follow. That another process is writing is no obstacle.
func (s *Store) writable(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	t, err := s.writer.BeginTx(ctx, nil)
	if err == nil {
		_, err = t.ExecContext(ctx, `PRAGMA user_version = 0`) // which means nothing to us, and is not committed
		err = errors.Join(err, t.Rollback())
	}
	if locked(err) || ctx.Err() != nil {
		return nil
	}
	return s.fault(err)
}

// Close ends everything. It does not unregister replicas, but lets go of their
// locks: whoever lists them next has the proof that they have ended.
func (s *Store) Close() error { return s.close() }

func (s *Store) shut() error {
	s.stop()
	s.watching.Wait()
	close(s.woken)
	// The writer goes last: it is the one that may tidy up the log file.
	readers, writer := s.readers.Close(), s.writer.Close()
	s.holding.Lock()
	defer s.holding.Unlock()
	for _, l := range s.held {
		l.release()
	}
	if err := errors.Join(readers, writer); err != nil {
		return fmt.Errorf("closing %s: %w", s.path, err)
	}
	return nil
}

// inPlace finds out when the file was moved or replaced under us: what we
// write then is seen by no other process, and what others revoke not by us.
func (s *Store) inPlace() error {
	info, err := os.Stat(s.path)
	if err != nil || !os.SameFile(info, s.file) {
		return fmt.Errorf("%w: %s: restart authd", auth.ErrStoreReplaced, s.path)
	}
	return nil
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
