package pgtest

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// install is the line that installs what is missing.
const install = "apt-get install -y --no-install-recommends postgresql pgbouncer"

// tool finds a program: Debian keeps those of Postgres in a folder per version, the newest is taken.
func tool(t testing.TB, name string) string {
	t.Helper()
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	version := func(dir string) int { n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir))); return n }
	slices.SortFunc(dirs, func(a, b string) int { return version(b) - version(a) })
	for _, dir := range append(dirs, "/usr/sbin") {
		if path := filepath.Join(dir, name); executable(path) {
			return path
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing; this installs it: %s", name, install)
	}
	return path
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// as is who the servers run as: they refuse to be root.
func as(t testing.TB) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Fatalf("%v; this makes it: %s", err, install)
	}
	uid, _ := strconv.ParseUint(u.Uid, 10, 32)
	gid, _ := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// own gives a file or a folder to the servers' user.
func own(t testing.TB, path string) {
	t.Helper()
	if c := as(t); c != nil {
		if err := os.Chown(path, int(c.Uid), int(c.Gid)); err != nil {
			t.Fatal(err)
		}
	}
}

// write writes a file that the servers' user alone can read.
func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	own(t, path)
}

// run runs a program to its end.
func run(t testing.TB, program string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as(t), Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread() // the signal comes when the thread ends that has started it
	defer runtime.UnlockOSThread()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
}

// process is a server that runs in the background.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

// spawn starts a server that gets the signal death when the test program ends, however it ends.
func spawn(t testing.TB, log string, death syscall.Signal, program string, args ...string) *process {
	t.Helper()
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	p := &process{cmd: exec.CommandContext(context.WithoutCancel(t.Context()), program, args...), ended: make(chan struct{})}
	p.cmd.Dir = "/"
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as(t), Pdeathsig: death}
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
	return p
}

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

func (p *process) wait(t testing.TB) {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatalf("%s does not end", p.cmd.Path)
	}
}

// signalAll signals the process and its children.
func (p *process) signalAll(t testing.TB, s syscall.Signal) {
	t.Helper()
	pid := strconv.Itoa(p.cmd.Process.Pid)
	p.signal(s)
	list, err := os.ReadFile(filepath.Join("/proc", pid, "task", pid, "children"))
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range bytes.Fields(list) {
		child, _ := strconv.Atoi(string(field))
		_ = syscall.Kill(child, s)
	}
}

// answers waits until a URL answers, and reports false where the process has ended instead.
func answers(t testing.TB, p *process, url string) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		c, err := pgx.Connect(ctx, url)
		if err == nil {
			_ = c.Close(ctx)
			return true
		}
		select {
		case <-p.ended:
			return false
		case <-ctx.Done():
			t.Fatalf("%s does not answer: %v", p.cmd.Path, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
