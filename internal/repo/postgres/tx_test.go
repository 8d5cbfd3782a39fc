package postgres

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"authd/internal/pgtest"
)

// cutter passes connections on to a server, and cuts one of them around a COMMIT.
type cutter struct {
	l      net.Listener
	server string

	mu     sync.Mutex
	before bool // cut before the server has got it, or after it has answered
	armed  bool
	cuts   int
}

func cut(t *testing.T, server string) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{l: l, server: server}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { c.pass(client) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	return c
}

// arm has the next COMMIT cut.
func (c *cutter) arm(before bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.armed, c.before = true, before
}

// due reports whether this COMMIT is the one.
func (c *cutter) due() (cut, before bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cut, c.armed = c.armed, false
	if cut {
		c.cuts++
	}
	return cut, c.before
}

func (c *cutter) pass(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp", c.server)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	var last sync.Once
	answered, done := make(chan struct{}), make(chan struct{})
	silent := false
	var mu sync.Mutex
	go func() { // the answers
		defer close(done)
		buf := make([]byte, 64<<10)
		for {
			n, err := server.Read(buf)
			mu.Lock()
			hold := silent
			mu.Unlock()
			if hold {
				last.Do(func() { close(answered) })
			} else if _, werr := client.Write(buf[:n]); werr != nil || err != nil {
				_ = client.Close()
				return
			}
			if err != nil {
				return
			}
		}
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		if err != nil {
			break
		}
		if strings.HasPrefix(string(buf[:n]), "Q\x00\x00\x00\x0bcommit") {
			if cut, before := c.due(); cut {
				if !before {
					mu.Lock()
					silent = true
					mu.Unlock()
					_, _ = server.Write(buf[:n])
					<-answered
				}
				break
			}
		}
		if _, err := server.Write(buf[:n]); err != nil {
			break
		}
	}
	_ = client.Close()
	_ = server.Close()
	<-done
}

// A connection that breaks around a commit: what the change's author is told
// is what became of it.
func TestConnectionBreaksAtCommit(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	proxy := cut(t, server.Address())
	url := pgtest.Database(t)
	other := at(t, url, Options{Listen: true})
	s := at(t, strings.Replace(url, server.Address(), proxy.l.Addr().String(), 1), Options{Listen: true})
	addKey(t, s, 1)

	proxy.arm(false)
	c, err := s.RevokeKey(t.Context(), "Key 1", time.Now())
	if err != nil {
		t.Errorf("it was committed, and is told as: %v", err)
	}
	if list, err := other.Changes(t.Context(), c.Seq-1, 10); err != nil || len(list) != 1 || list[0].Seq != c.Seq {
		t.Errorf("the log: %+v, %v", list, err)
	}

	proxy.arm(true)
	_, err = s.CreateKey(t.Context(), record(2), secret(2))
	unavailable(t, "what was not committed", err, "did not take place: nothing was changed")
	addKey(t, other, 2)

	// What has no row in the log can't be looked up there.
	proxy.arm(false)
	unavailable(t, "a user", s.CreateUser(t.Context(), "user9"), "is unknown", "look before you make it again")
	if proxy.cuts != 3 {
		t.Errorf("%d connections were cut", proxy.cuts)
	}
}

// A commit that a standby has to have is not confirmed without it, whatever
// the database was set to, and not by giving up either.
func TestCommitWaitsForItsStandby(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	url := server.Database(t)
	server.Exec(t, `ALTER SYSTEM SET synchronous_commit = off`)
	server.Exec(t, `SELECT pg_reload_conf()`)
	s := at(t, url, Options{Listen: true})
	addKey(t, s, 1)
	for _, id := range []string{"r", "silent"} {
		if err := s.Register(t.Context(), replica(id)); err != nil {
			t.Fatal(err)
		}
	}
	run(t, raw(t, url), `UPDATE replicas SET seen_at = 1 WHERE id = 'silent'`)
	server.Exec(t, `ALTER SYSTEM SET synchronous_standby_names = 'nobody'`)
	server.Exec(t, `SELECT pg_reload_conf()`)

	wait := 300 * time.Millisecond
	impatient := func(do func(ctx context.Context) error) error {
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		defer cancel()
		return do(ctx)
	}
	acknowledge := func(ctx context.Context) error { return second(s.Acknowledge(ctx, "r", 1)) }
	until(t, "a row waits for the standby", func() bool { return impatient(acknowledge) != nil })
	var err error
	until(t, "a commit that is not answered", func() bool { // on a busy machine the time is over before it is asked for
		wait *= 2
		err = impatient(func(ctx context.Context) error { return second(s.RevokeKey(ctx, "Key 1", time.Now())) })
		return err == nil || strings.Contains(err.Error(), "is unknown")
	})
	unavailable(t, "a revocation", err, "is unknown")
	unavailable(t, "a new row", impatient(func(ctx context.Context) error { return s.Register(ctx, replica("r2")) }), s.place)
	unavailable(t, "a row", impatient(acknowledge), s.place)
	unavailable(t, "the end of a silent row", impatient(func(ctx context.Context) error { return second(s.ListReplicas(ctx)) }), s.place)

	server.Exec(t, `ALTER SYSTEM RESET synchronous_standby_names`)
	server.Exec(t, `SELECT pg_reload_conf()`)
	until(t, "it goes on", func() bool { return impatient(acknowledge) == nil })
	if k, err := s.ByDigest(t.Context(), digest(1)); err != nil || !k.Revoked {
		t.Errorf("the key: %+v, %v", k, err)
	}
}

// A wait for the standby that the server gives up is no confirmation either.
func TestServerGivesUpItsStandby(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	url := server.Database(t)
	s, admin := at(t, url, Options{Listen: true}), raw(t, url)
	addKey(t, s, 1)
	if err := s.Register(t.Context(), replica("r")); err != nil {
		t.Fatal(err)
	}
	server.Exec(t, `ALTER SYSTEM SET synchronous_standby_names = 'nobody'`)
	server.Exec(t, `SELECT pg_reload_conf()`)
	told := make(chan error, 1)
	change := func(active bool) { told <- second(s.SetUserActive(t.Context(), "user1", active)) }
	go change(false)
	var err error
	active := false
	until(t, "a commit is not confirmed", func() bool { // which it is until the server has taken its new setting
		read[int](t, admin, `SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`)
		select {
		case err = <-told:
			if err == nil {
				active = !active
				go change(active)
			}
		default:
		}
		return err != nil
	})
	unavailable(t, "the change", err, "is unknown")
	row := make(chan error, 1)
	go func() { row <- second(s.Acknowledge(t.Context(), "r", 1)) }()
	until(t, "the row is not answered for either", func() bool {
		read[int](t, admin, `SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`)
		return len(row) > 0
	})
	unavailable(t, "the row", <-row, "no longer waited for")
	server.Exec(t, `ALTER SYSTEM RESET synchronous_standby_names`)
	server.Exec(t, `SELECT pg_reload_conf()`)
	until(t, "writers go on", func() bool { return s.CreateUser(t.Context(), "user9") == nil })
}
