package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"authd/internal/auth"
)

// mends tell what to do about a failure, by SQLite's primary result code.
var mends = map[int]string{
	codes.SQLITE_BUSY:     "another process keeps it locked: end what holds it (a backup, a shell), or try again",
	codes.SQLITE_LOCKED:   "it is locked: try again",
	codes.SQLITE_PROTOCOL: "too many processes begin to read it at once: try again",
	codes.SQLITE_READONLY: "it can't be written: give authd's user the right to write the file and its folder, and see that the disk is not mounted read-only",
	codes.SQLITE_PERM:     "access is denied: give authd's user the right to read and write the file and its folder",
	codes.SQLITE_CANTOPEN: "it can't be opened: see that the folder is there, and that authd's user may read and write in it",
	codes.SQLITE_NOTADB:   "it is no SQLite database: set store.url to another path, or move this file away",
	codes.SQLITE_CORRUPT:  "it is damaged: stop authd and restore a backup",
	codes.SQLITE_FULL:     "the disk is full, or the database has reached its max_page_count: make room; nothing of this change was stored",
	codes.SQLITE_IOERR:    "its disk fails to read or write, or is full: look at the disk and the system's log",
	codes.SQLITE_NOMEM:    "there is not enough memory",
}

// constraintError says that a row would have broken a rule of the schema.
// Whoever expects one finds out which; nobody else can answer for it.
type constraintError struct{ text string }

func (e *constraintError) Error() string { return e.text }
func (e *constraintError) Unwrap() error { return auth.ErrUnavailable }

// fault translates an error of the driver, so that none leaves this package.
// Whatever it is, the database has not answered. What says so already stays as it is.
func (s *Store) fault(err error) error {
	if err == nil || errors.Is(err, auth.ErrUnavailable) {
		return err
	}
	for _, ended := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, ended) {
			return fmt.Errorf("%w: %s: %w", auth.ErrUnavailable, s.path, ended)
		}
	}
	var e *driver.Error
	if !errors.As(err, &e) {
		return s.unavailable(err.Error())
	}
	primary := e.Code() & 0xff
	switch mend, known := mends[primary]; {
	case primary == codes.SQLITE_CONSTRAINT:
		return &constraintError{s.path + ": " + e.Error()}
	case known:
		return s.unavailable(fmt.Sprintf("%s (%v)", mend, e))
	case strings.Contains(e.Error(), "no such table"), strings.Contains(e.Error(), "no such column"):
		return s.unavailable(fmt.Sprintf("its schema is not up to date: run authd migrate (%v)", e))
	}
	return s.unavailable(e.Error())
}

func (s *Store) unavailable(why string) error {
	return fmt.Errorf("%w: %s: %s", auth.ErrUnavailable, s.path, why)
}

// locked reports whether another connection was in the way.
func locked(err error) bool {
	var e *driver.Error
	return errors.As(err, &e) && e.Code()&0xff == codes.SQLITE_BUSY
}

// refused reports whether a rule of the schema was in the way.
func refused(err error) bool {
	var e *constraintError
	return errors.As(err, &e)
}

// outcome tells of a transaction that has not been committed: where ctx has
// ended, that is why.
func (s *Store) outcome(ctx context.Context, err error) error {
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil {
		err = ctx.Err()
	}
	return s.fault(err)
}
