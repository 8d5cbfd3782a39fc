// Package pgtest gives tests a real Postgres, and a real PgBouncer before it.
// Only tests import it.
//
// One server per test program is started when the first test asks for it, and
// each test gets a database of its own. Servers end with the test program, also
// when that is killed. A tool that is missing fails the test: it is never skipped.
package pgtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// Main runs the tests of a package, and ends the shared server after them. It
// fits goleak.VerifyTestMain.
type Main struct{ m *testing.M }

// Around makes a Main.
func Around(m *testing.M) Main { return Main{m} }

// Run implements goleak.TestingM.
func (m Main) Run() int {
	defer sharing.end()
	return m.m.Run()
}

// sharing is what the tests of this program share.
var sharing shared

type shared struct {
	mu       sync.Mutex
	dir      string
	pristine string // a folder that initdb has filled, and that servers get copies of
	server   *Server
}

// Shared is the server that all tests of the program share: no test stops it, or changes its settings.
func Shared(t testing.TB) *Server {
	t.Helper()
	sharing.mu.Lock()
	defer sharing.mu.Unlock()
	if sharing.server == nil {
		sharing.prepare(t)
		s := newServer(t, filepath.Join(sharing.dir, "shared"))
		s.start(t)
		sharing.server = s
	}
	return sharing.server
}

// Database is the URL of a new, empty database on the shared server. It is dropped when the test has ended.
func Database(t testing.TB) string {
	t.Helper()
	return Shared(t).Database(t)
}

// Start starts a server of the test's own, with settings as in "wal_level=logical".
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	s := newServer(t, folder(t), settings...)
	s.start(t)
	t.Cleanup(s.kill)
	return s
}

// folder is a new one of the server's user, removed with the test.
func folder(t testing.TB) string {
	t.Helper()
	sharing.mu.Lock()
	defer sharing.mu.Unlock()
	sharing.prepare(t)
	dir, err := os.MkdirTemp(sharing.dir, "own-")
	if err != nil {
		t.Fatal(err)
	}
	own(t, dir)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

const dirPrefix = "authd-pgtest-"

// prepare makes the folder of this program, and one that servers are copied from.
func (s *shared) prepare(t testing.TB) {
	t.Helper()
	if s.pristine != "" {
		return
	}
	sweep()
	dir, err := os.MkdirTemp("", dirPrefix+strconv.Itoa(os.Getpid())+"-")
	if err != nil {
		t.Fatal(err)
	}
	own(t, dir)
	s.dir = dir
	pristine := filepath.Join(dir, "pristine")
	// The locale sorts as people do, so that what must be sorted by bytes has to say so.
	run(t, tool(t, "initdb"), "-D", pristine, "-U", superuser, "-A", "trust", "-N", "-E", "UTF8",
		"--locale-provider=icu", "--icu-locale=en-US", "--locale=C.UTF-8")
	certify(t, dir, pristine)
	write(t, filepath.Join(pristine, "pg_hba.conf"), hba)
	s.pristine = pristine
}

func (s *shared) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server != nil {
		s.server.kill()
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}

// sweep removes what killed test programs have left.
func sweep() {
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), dirPrefix+"*-*"))
	for _, dir := range left {
		text, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), dirPrefix), "-")
		pid, err := strconv.Atoi(text)
		if err == nil && syscall.Kill(pid, 0) == syscall.ESRCH {
			_ = os.RemoveAll(dir)
		}
	}
}

// superuser may do everything, and needs no password.
const superuser = "postgres"

// Strict is the name of a user that the servers let in by TLS and password
// only. The test creates it.
const Strict = "strict"

var hba = fmt.Sprintf(`hostssl all %[1]s 127.0.0.1/32 scram-sha-256
host all %[1]s 127.0.0.1/32 reject
host all all 127.0.0.1/32 trust
host replication all 127.0.0.1/32 trust
`, Strict)
