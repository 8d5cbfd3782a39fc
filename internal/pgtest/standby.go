package pgtest

import (
	"context"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Standby starts a server that follows s, and can take its place.
func (s *Server) Standby(t testing.TB) *Server {
	t.Helper()
	standby := &Server{dir: filepath.Join(folder(t), "data")}
	host, port, _ := net.SplitHostPort(s.Address())
	run(t, tool(t, "pg_basebackup"), "-h", host, "-p", port, "-U", superuser, "-D", standby.dir, "-R", "-X", "stream", "-c", "fast", "-N")
	standby.start(t)
	t.Cleanup(standby.kill)
	return standby
}

// Promote makes the standby the primary, and waits until it is.
func (s *Server) Promote(t testing.TB) {
	t.Helper()
	s.Exec(t, `SELECT pg_promote()`)
}

// CaughtUp waits until the standby has all that the primary has now.
func (s *Server) CaughtUp(t testing.TB, primary *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	end := ask[string](ctx, t, primary, `SELECT pg_current_wal_lsn()::text`)
	for !ask[bool](ctx, t, s, `SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn`, end) {
		time.Sleep(5 * time.Millisecond)
	}
}

// ask reads one value.
func ask[T any](ctx context.Context, t testing.TB, s *Server, query string, args ...any) (v T) {
	t.Helper()
	c, err := pgx.Connect(ctx, s.URL(superuser))
	if err == nil {
		err = c.QueryRow(ctx, query, args...).Scan(&v)
		_ = c.Close(ctx)
	}
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// Kill ends the server as a crash would.
func (s *Server) Kill(testing.TB) { s.kill() }
