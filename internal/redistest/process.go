package redistest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// install is the line that installs what is missing.
const install = "apt-get install -y --no-install-recommends redis-server"

// patience is how long a server may take, however busy the machine is.
const patience = 2 * time.Minute

// process is one redis-server, in a folder of its own.
type process struct {
	dir, password string
	tls           bool
	port          int
	cmd           *exec.Cmd
	ended         chan struct{}
}

func tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing; this installs it: %s", name, install)
	}
	return path
}

// launch starts a server on a free port, and on another when somebody else was quicker. config gives
// what its configuration holds but the port. The server is killed with the test.
func launch(t testing.TB, config func(port int) string, args ...string) *process {
	t.Helper()
	p := &process{dir: t.TempDir()}
	t.Cleanup(func() { p.kill() })
	for try := 1; ; try++ {
		p.port = freePort(t)
		p.write(t, fmt.Sprintf("dir %s\nbind 127.0.0.1\nport %d\n%s", p.dir, p.port, config(p.port)))
		if p.start(t, args...) {
			return p
		}
		if try == 5 {
			t.Fatalf("Redis does not start:\n%s", p.log())
		}
	}
}

func (p *process) write(t testing.TB, config string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, "redis.conf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (p *process) log() string {
	text, _ := os.ReadFile(filepath.Join(p.dir, "log"))
	return string(text)
}

// start reports whether the server answers; false where it has ended instead. It gets SIGKILL
// when the test program ends, however that ends.
func (p *process) start(t testing.TB, args ...string) bool {
	t.Helper()
	out, err := os.OpenFile(filepath.Join(p.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	args = append([]string{filepath.Join(p.dir, "redis.conf")}, args...)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), tool(t, "redis-server"), args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	ended, started := make(chan struct{}), make(chan error)
	go func() {
		// The signal comes when the thread ends that has started the process: so it stays.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			close(ended)
		}
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	p.cmd, p.ended = cmd, ended
	return p.answers(t)
}

// answers waits until the server has its data, and reports false where it has ended instead.
func (p *process) answers(t testing.TB) bool {
	t.Helper()
	c := p.client(t)
	for end := time.Now().Add(patience); ; {
		err := c.Ping(t.Context()).Err()
		if err == nil {
			return true
		}
		select {
		case <-p.ended:
			return false
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(end) {
			t.Fatalf("Redis does not answer: %v\n%s", err, p.log())
		}
	}
}

func (p *process) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port)) }

// client is closed with the test.
func (p *process) client(t testing.TB) *redis.Client {
	t.Helper()
	o := &redis.Options{Addr: p.address(), Password: p.password, MaxRetries: -1}
	if p.tls {
		o.TLSConfig = trusting(t, filepath.Join(p.dir, "ca.crt"))
	}
	c := redis.NewClient(o)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// kill ends the server at once. It may have ended before, or never have been started.
func (p *process) kill() {
	if p.cmd != nil {
		p.signal(syscall.SIGKILL)
		<-p.ended
	}
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
