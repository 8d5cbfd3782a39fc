package pgtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Bouncer starts a PgBouncer before the server, in transaction mode: each
// transaction may get another session. It returns what makes of the URL of a
// database the one that goes through it.
func (s *Server) Bouncer(t testing.TB) func(url string) string {
	t.Helper()
	dir := folder(t)
	program := tool(t, "pgbouncer")
	log, config := filepath.Join(dir, "log"), filepath.Join(dir, "pgbouncer.ini")
	write(t, filepath.Join(dir, "users"), `"`+superuser+`" ""`+"\n")
	for try := 1; ; try++ {
		port := freePort(t)
		write(t, config, fmt.Sprintf(`[databases]
* = host=127.0.0.1 port=%d
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = trust
auth_file = %s
pool_mode = transaction
max_client_conn = 500
default_pool_size = 4
server_idle_timeout = 5
`, s.port, port, filepath.Join(dir, "users")))
		p := spawn(t, log, syscall.SIGKILL, program, config)
		through := func(url string) string {
			return strings.Replace(url, s.Address(), fmt.Sprintf("127.0.0.1:%d", port), 1)
		}
		if answers(t, p, through(s.URL(superuser))) {
			t.Cleanup(func() { p.signal(syscall.SIGKILL); <-p.ended })
			return through
		}
		if try == 5 {
			text, _ := os.ReadFile(log)
			t.Fatalf("PgBouncer does not start:\n%s", text)
		}
	}
}
