package e2e

import (
	"context"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"authd/internal/logtest"
)

// patience is how long something may take that is bound to come, however busy the machine is.
const patience = time.Minute

// process is a server that runs until its test ends.
type process struct {
	cmd   *exec.Cmd
	log   *logtest.Log
	ended chan struct{}
}

// start starts a program that listens on addr, and waits until somebody does. The second result is
// false where it has ended instead: somebody else may have been quicker to take the port.
func start(t *testing.T, addr, program string, args ...string) (*process, bool) {
	t.Helper()
	p := &process{log: &logtest.Log{}, ended: make(chan struct{})}
	p.cmd = exec.CommandContext(context.Background(), program, args...)
	p.cmd.Dir, p.cmd.Env = t.TempDir(), environment(t.TempDir())
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		// The signal comes when the thread ends that has started the process: so it stays.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			_ = p.cmd.Wait()
			close(p.ended)
		}
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
		if t.Failed() {
			t.Logf("%s wrote:\n%s", program, p.log)
		}
	})
	for end := time.Now().Add(patience); ; {
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			return p, true
		}
		select {
		case <-p.ended:
			return p, false
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(end) {
			t.Fatalf("%s does not answer on %s:\n%s", program, addr, p.log)
		}
	}
}

// onFreePort starts a program on a port that is free, and on another one where that was taken meanwhile.
func onFreePort(t *testing.T, command func(addr string) (program string, args []string)) (addr string, p *process) {
	t.Helper()
	for try := 1; ; try++ {
		addr = freeAddress(t)
		program, args := command(addr)
		p, ok := start(t, addr, program, args...)
		if ok {
			return addr, p
		}
		if try == 3 {
			t.Fatalf("%s does not start:\n%s", program, p.log)
		}
	}
}

// environment is this process's own, without settings of authd, and with a home that is empty.
func environment(home string) []string {
	env := []string{"HOME=" + home, "XDG_DATA_HOME=" + home, "XDG_CONFIG_HOME=" + home}
	for _, e := range os.Environ() {
		if name, _, _ := strings.Cut(e, "="); !strings.HasPrefix(name, "AUTHD_") && name != "HOME" && !strings.HasPrefix(name, "XDG_") {
			env = append(env, e)
		}
	}
	return env
}

// tool finds a program of Debian's.
func tool(t *testing.T, name, install string) string {
	t.Helper()
	for _, path := range []string{name, "/usr/sbin/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	t.Fatalf("%s is missing; this installs it: apt-get install -y --no-install-recommends %s", name, install)
	return ""
}

// given are the ports that somebody of this process has got already, and may not have taken yet.
var given sync.Map

// freeAddress is one that was free a moment ago, and a different one each time.
func freeAddress(t *testing.T) string {
	t.Helper()
	for {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr := l.Addr().String()
		_ = l.Close()
		if _, again := given.LoadOrStore(addr, true); !again {
			return addr
		}
	}
}
