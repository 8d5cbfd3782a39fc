package postgres

import (
	"errors"
	"strings"
	"testing"

	"authd/internal/auth"
	"authd/internal/pgtest"
)

// Of several hosts it is always the primary that is asked, also after another
// has become that, and nobody has to start anything again.
func TestFailover(t *testing.T) {
	t.Parallel()
	primary := pgtest.Start(t)
	url := primary.Database(t)
	standby := primary.Standby(t)
	both := strings.Replace(url, primary.Address(), standby.Address()+","+primary.Address(), 1)
	s := at(t, both, Options{Listen: true})
	if !strings.Contains(s.place, standby.Address()+","+primary.Address()) {
		t.Errorf("the place is %s", s.place)
	}
	addKey(t, s, 1)
	if lone, err := Open(t.Context(), strings.Replace(url, primary.Address(), standby.Address(), 1), Options{Listen: true}); lone != nil {
		t.Error("a standby was opened")
	} else {
		unavailable(t, "a standby alone", err, "read only")
	}
	standby.CaughtUp(t, primary)

	primary.Kill(t)
	unavailable(t, "without a primary", second(s.ByDigest(t.Context(), digest(1))), s.place)
	standby.Promote(t)
	until(t, "the key is found again", func() bool {
		_, err := s.ByDigest(t.Context(), digest(1))
		if err != nil && !errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("an outage is told as: %v", err)
		}
		return err == nil
	})
	drain(s)
	if c := addKey(t, s, 2); c.Seq < 2 {
		t.Errorf("the number %d was given out again", c.Seq)
	}
	until(t, "it is woken", func() bool { return drain(s) })
}

// A pooler may go over to a server that is no primary without a word, under
// connections that stay. From the first write that fails nothing is read there any more.
func TestPoolerGoesOverToAStandby(t *testing.T) {
	t.Parallel()
	through := pgtest.Shared(t).Bouncer(t)
	url := pgtest.Database(t)
	s, admin := at(t, through(url), Options{}), raw(t, url)
	addKey(t, s, 1)
	if err := s.Register(t.Context(), replica("r")); err != nil {
		t.Fatal(err)
	}
	name := read[string](t, admin, `SELECT current_database()`)
	run(t, admin, `ALTER DATABASE `+name+` SET default_transaction_read_only = on`)
	run(t, admin, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()`, name)
	until(t, "the row can't be written", func() bool {
		err := second(s.Acknowledge(t.Context(), "r", 1))
		return err != nil && strings.Contains(err.Error(), "read-only")
	})
	unavailable(t, "a look-up", second(s.ByDigest(t.Context(), digest(1))), "read only")
	run(t, admin, `SET default_transaction_read_only = off`)
	run(t, admin, `ALTER DATABASE `+name+` RESET default_transaction_read_only`)
	run(t, admin, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()`, name)
	until(t, "the key is found again", func() bool { return second(s.ByDigest(t.Context(), digest(1))) == nil })
}

func second[T any](_ T, err error) error { return err }
