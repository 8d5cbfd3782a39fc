package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"authd/internal/auth"
)

// roleLocker keeps a database locked in the way that its second argument says.
func roleLocker(args []string) error {
	db, err := sql.Open("sqlite", args[0])
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	for _, statement := range args[1:] {
		if _, err := db.ExecContext(context.Background(), statement); err != nil {
			return err
		}
	}
	point()
	return db.Close()
}

// lockOut keeps everybody from writing until it is undone.
func lockOut(t *testing.T, path string) (undo func()) {
	t.Helper()
	db := raw(t, path)
	run(t, db, `BEGIN EXCLUSIVE`)
	return func() { run(t, db, `ROLLBACK`) }
}

// Look-ups go on while another process, a backup or somebody's shell, keeps all writers out.
func TestAnotherProcessLocksTheDatabase(t *testing.T) {
	s := at(t, path(t), 10*time.Millisecond)
	addKey(t, s, 1)
	register(t, s, "r")
	last, err := s.LastChange(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	locker := start(t, "locker", s.path, `BEGIN EXCLUSIVE`)
	locker.ready()
	for _, c := range append(lookups, reads...) {
		if err := c.do(t.Context(), s); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, c := range changes {
		unavailable(t, c.name, c.do(t.Context(), s), s.path, "another process keeps it locked", "try again")
	}
	locker.end()
	if now, err := s.LastChange(t.Context()); err != nil || now != last {
		t.Errorf("something was stored: change %d after %d, %v", now, last, err)
	}
	for _, c := range changes {
		if err := c.do(t.Context(), s); err != nil {
			t.Errorf("%s afterwards: %v", c.name, err)
		}
	}
}

// A change that waits for its turn gives up with its context, and takes its turn when there is one.
func TestAChangeWaitsForItsTurn(t *testing.T) {
	s := at(t, path(t), time.Hour)
	undo := lockOut(t, s.path)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := s.CreateUser(ctx, "u")
	unavailable(t, "CreateUser", err, s.path)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	done := make(chan error)
	go func() { done <- s.CreateUser(t.Context(), "u") }()
	undo()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := s.CreateUser(t.Context(), "u"); !errors.Is(err, auth.ErrUserTaken) {
		t.Errorf("again: %v", err)
	}
}

// Another program has the whole file to itself: nothing can be looked up, which is said at once.
func TestAnotherProcessHasTheWholeFile(t *testing.T) {
	for name, statements := range map[string][]string{
		"in WAL mode":     {`PRAGMA locking_mode = EXCLUSIVE`, `BEGIN EXCLUSIVE`},
		"in another mode": {`PRAGMA journal_mode = DELETE`, `BEGIN EXCLUSIVE`},
	} {
		t.Run(name, func(t *testing.T) {
			s := fresh(t)
			addKey(t, s, 1)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			locker := start(t, "locker", append([]string{s.path}, statements...)...)
			locker.ready()
			l, err := parse(s.path)
			if err != nil {
				t.Fatal(err)
			}
			none, err := open(t.Context(), l, true, 10*time.Millisecond)
			if none != nil {
				t.Error("a store was opened")
			}
			unavailable(t, "Open", err, s.path, "another process keeps it locked")
			locker.end()
			if _, err := at(t, s.path, writeBusy).ByDigest(t.Context(), digest(1)); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}
