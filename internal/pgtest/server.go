package pgtest

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a Postgres on a port of 127.0.0.1.
type Server struct {
	dir      string
	settings []string
	port     int
	process  *process
	pattern  sync.Once
}

// patience is how long a server may take, however busy the machine is.
const patience = 2 * time.Minute

// newServer makes the folder of a server.
func newServer(t testing.TB, dir string, settings ...string) *Server {
	t.Helper()
	s := &Server{dir: filepath.Join(dir, "data"), settings: settings}
	run(t, "mkdir", "-p", dir)
	run(t, "cp", "-a", sharing.pristine, s.dir)
	return s
}

// start starts the server on its port. Where it has none, it takes a free
// one, and another when somebody else was quicker.
func (s *Server) start(t testing.TB) {
	t.Helper()
	fixed := s.port
	for try := 1; ; try++ {
		if fixed == 0 {
			s.port = freePort(t)
		}
		args := []string{"-D", s.dir, "-p", strconv.Itoa(s.port)}
		for _, set := range append([]string{
			"listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "full_page_writes=off", "max_connections=300",
			"ssl=on", "wal_keep_size=64MB", "shared_preload_libraries=pg_stat_statements", "pg_stat_statements.track_utility=on",
		}, s.settings...) {
			args = append(args, "-c", set)
		}
		log := filepath.Join(filepath.Dir(s.dir), "server.log")
		s.process = spawn(t, log, syscall.SIGQUIT, tool(t, "postgres"), args...)
		if answers(t, s.process, s.URL(superuser)) {
			return
		}
		s.kill()
		if try == 5 {
			text, _ := os.ReadFile(log)
			t.Fatalf("Postgres does not start:\n%s", text)
		}
	}
}

// URL names a database of the server, as its superuser, without TLS.
func (s *Server) URL(database string) string {
	return fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", superuser, s.Address(), database)
}

// Address is host and port.
func (s *Server) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

var databases atomic.Int64

// Database is the URL of a new, empty database. It is dropped when the test has ended.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", databases.Add(1))
	s.pattern.Do(func() {
		// A database in which there was a session has what each first one would make anew.
		s.Exec(t, "CREATE DATABASE pattern TEMPLATE template0")
		s.exec(t, t.Context(), "pattern", "SELECT")
	})
	s.Exec(t, "CREATE DATABASE "+name+" TEMPLATE pattern STRATEGY FILE_COPY") // the cheaper one, without fsync
	t.Cleanup(func() {
		select {
		case <-s.process.ended:
		default:
			s.exec(t, context.WithoutCancel(t.Context()), superuser, "DROP DATABASE "+name+" WITH (FORCE)")
		}
	})
	return s.URL(name)
}

// Exec runs a statement as superuser, outside of any database of a test.
func (s *Server) Exec(t testing.TB, query string, args ...any) {
	t.Helper()
	s.exec(t, t.Context(), superuser, query, args...)
}

func (s *Server) exec(t testing.TB, ctx context.Context, database, query string, args ...any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := pgx.Connect(ctx, s.URL(database))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(ctx) }()
	if _, err := c.Exec(ctx, query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// Stop ends the server in good order, as for an update of its system: all connections are cut.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	s.process.signal(syscall.SIGINT)
	s.process.wait(t)
}

// Again starts a server that was stopped, where it was.
func (s *Server) Again(t testing.TB) {
	t.Helper()
	s.start(t)
}

// Freeze stops the server's processes, so that it answers nothing and refuses nothing, until thaw is called.
func (s *Server) Freeze(t testing.TB) (thaw func()) {
	t.Helper()
	s.process.signalAll(t, syscall.SIGSTOP)
	return func() { s.process.signalAll(t, syscall.SIGCONT) }
}

// kill ends the server at once.
func (s *Server) kill() {
	s.process.signal(syscall.SIGQUIT)
	<-s.process.ended
}

// freePort is a port that was free a moment ago.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}
