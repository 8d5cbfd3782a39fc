package postgres

import (
	"testing"

	"authd/internal/pgtest"
)

const listeners = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN authd_changes'`

// A connection that is lost is not missed: what was committed before there is
// another one wakes as well.
func TestListenerIsCutOff(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	s, other, admin := at(t, url, Options{Listen: true}), at(t, url, Options{}), raw(t, url)
	for n := range 3 {
		until(t, "it listens", func() bool { return read[int](t, admin, listeners) == 1 })
		drain(s)
		run(t, admin, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND query = 'LISTEN authd_changes'`)
		addKey(t, other, n)
		until(t, "it is woken", func() bool { return drain(s) })
	}
}

// Through a pooler nobody is told of commits, whatever the options say: the log is looked at.
func TestListenThroughAPooler(t *testing.T) {
	t.Parallel()
	through := pgtest.Shared(t).Bouncer(t)
	url := pgtest.Database(t)
	s, other, admin := at(t, through(url), Options{Listen: true}), at(t, url, Options{Listen: true}), raw(t, url)
	until(t, "the other one listens", func() bool { return read[int](t, admin, listeners) == 1 })
	for n := range 3 {
		until(t, "nothing waits", func() bool { return !drain(s) })
		addKey(t, other, n)
		until(t, "it is woken", func() bool { return drain(s) })
	}
	if n := read[int](t, admin, listeners); n != 1 {
		t.Errorf("%d sessions listen", n)
	}
}
