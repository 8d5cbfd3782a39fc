// Package redistest gives tests a real Redis: a single one, a master with a
// replica and a Sentinel, or a cluster. Only tests import it.
//
// Servers end with their test, and with the test program, also when that is
// killed. A tool that is missing fails the test: it is never skipped.
package redistest

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Server is a Redis on a port of 127.0.0.1.
type Server struct {
	p *process
	// URL names it, with its password.
	URL string
}

// Start starts a server of the test's own. It saves what it holds when it is stopped, and only then.
func Start(t testing.TB) *Server {
	t.Helper()
	p := launch(t, func(int) string { return `save "86400 1000000"` })
	return &Server{p, "redis://" + p.address()}
}

// StartSecure starts a server that speaks TLS alone and wants a password. The URL holds both.
func StartSecure(t testing.TB) *Server {
	t.Helper()
	const password = "p/ss:w@rd"
	p := &process{dir: t.TempDir(), password: password, tls: true}
	t.Cleanup(func() { p.kill() })
	certify(t, p.dir)
	for try := 1; ; try++ {
		p.port = freePort(t)
		p.write(t, fmt.Sprintf("dir %[1]s\nbind 127.0.0.1\nport 0\ntls-port %[2]d\ntls-cert-file %[1]s/server.crt\ntls-key-file %[1]s/server.key\n"+
			"tls-ca-cert-file %[1]s/ca.crt\ntls-auth-clients no\nrequirepass %[3]s\nsave \"\"\n", p.dir, p.port, password))
		if p.start(t) {
			break
		}
		if try == 5 {
			t.Fatalf("Redis does not start:\n%s", p.log())
		}
	}
	return &Server{p, "rediss://:p%2Fss%3Aw%40rd@" + p.address() + "?ca_file=" + filepath.Join(p.dir, "ca.crt")}
}

// Client is closed with the test.
func (s *Server) Client(t testing.TB) *redis.Client { t.Helper(); return s.p.client(t) }

// Stop ends the server in good order: it saves what it holds.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	s.p.signal(syscall.SIGTERM)
	select {
	case <-s.p.ended:
	case <-time.After(patience):
		t.Fatalf("Redis does not end:\n%s", s.p.log())
	}
}

// Kill ends the server at once: it comes back with what it saved last.
func (s *Server) Kill() { s.p.kill() }

// Again starts a server that has ended, where it was.
func (s *Server) Again(t testing.TB) {
	t.Helper()
	if !s.p.start(t) {
		t.Fatalf("Redis does not start again:\n%s", s.p.log())
	}
}

// Flush has a server that runs forget everything, on its disk as well.
func (s *Server) Flush(t testing.TB) {
	t.Helper()
	c := s.p.client(t)
	defer func() { _ = c.Close() }()
	if err := c.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
}

// Save is what a server that runs holds, as it is kept on disk.
func (s *Server) Save(t testing.TB) []byte {
	t.Helper()
	c := s.p.client(t)
	defer func() { _ = c.Close() }()
	if err := c.Save(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	saved, err := os.ReadFile(s.dump())
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

// Restore lets a server that has ended start again with what Save gave, or with nothing where that is nil.
func (s *Server) Restore(t testing.TB, saved []byte) {
	t.Helper()
	err := os.Remove(s.dump())
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err == nil && saved != nil {
		err = os.WriteFile(s.dump(), saved, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (s *Server) dump() string { return filepath.Join(s.p.dir, "dump.rdb") }

// Address is host and port.
func (s *Server) Address() string { return s.p.address() }

// Freeze stops the process, so that it answers nothing and refuses nothing, until thaw is called.
func (s *Server) Freeze() (thaw func()) {
	s.p.signal(syscall.SIGSTOP)
	return func() { s.p.signal(syscall.SIGCONT) }
}

// Watched is a master, its replica, and a Sentinel that makes the replica the
// master when the master has gone.
type Watched struct {
	// URL names the Sentinel and the master.
	URL    string
	Master *Server
}

const masterName = "mymaster"

// StartWatched starts them, and waits until the Sentinel knows the replica.
func StartWatched(t testing.TB) *Watched {
	t.Helper()
	master := Start(t)
	launch(t, func(int) string { return fmt.Sprintf("save \"\"\nreplicaof 127.0.0.1 %d\n", master.p.port) })
	sentinel := launch(t, func(int) string {
		return strings.ReplaceAll(fmt.Sprintf(`sentinel monitor NAME 127.0.0.1 %d 1
sentinel down-after-milliseconds NAME 300
sentinel failover-timeout NAME 2000
`, master.p.port), "NAME", masterName)
	}, "--sentinel")
	c := redis.NewSentinelClient(&redis.Options{Addr: sentinel.address()})
	t.Cleanup(func() { _ = c.Close() })
	await(t, "the Sentinel knows the replica", func() bool {
		replicas, err := c.Replicas(t.Context(), masterName).Result()
		return err == nil && len(replicas) == 1 && replicas[0]["master-link-status"] == "ok"
	})
	return &Watched{fmt.Sprintf("redis://%s?master_name=%s", sentinel.address(), masterName), master}
}

// StartCluster starts three masters that share the slots; the URL names all of them.
func StartCluster(t testing.TB) (url string) {
	t.Helper()
	const masters, slots = 3, 16384
	var nodes []*redis.Client
	var addresses []string
	var first *process
	var bus int
	for i := range masters {
		own := 0
		p := launch(t, func(int) string {
			own = freePort(t)
			return fmt.Sprintf("save \"\"\ncluster-enabled yes\ncluster-port %d\ncluster-node-timeout 5000\n", own)
		})
		c := p.client(t)
		if err := c.ClusterAddSlotsRange(t.Context(), i*slots/masters, (i+1)*slots/masters-1).Err(); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first, bus = p, own
		} else if err := c.Do(t.Context(), "CLUSTER", "MEET", "127.0.0.1", first.port, bus).Err(); err != nil {
			t.Fatal(err)
		}
		nodes, addresses = append(nodes, c), append(addresses, p.address())
	}
	for _, c := range nodes {
		await(t, "the cluster is whole", func() bool {
			info, err := c.ClusterInfo(t.Context()).Result()
			return err == nil && strings.Contains(info, "cluster_state:ok") && strings.Contains(info, fmt.Sprintf("cluster_known_nodes:%d", masters))
		})
	}
	return "redis://" + strings.Join(addresses, ",")
}

// await waits for a condition that is bound to come.
func await(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("this did not come: %s", what)
		}
	}
}

func trusting(t testing.TB, ca string) *tls.Config {
	t.Helper()
	text, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatal("no certificate")
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}
