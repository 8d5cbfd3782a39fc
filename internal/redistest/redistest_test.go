package redistest

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What the others rely on: data comes back as it was saved last, and a frozen server stays silent.
func TestServer(t *testing.T) {
	s := Start(t)
	c := s.Client(t)
	set := func(v string) {
		t.Helper()
		if err := c.Set(t.Context(), "a", v, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	set("saved")
	s.Stop(t)
	s.Again(t)
	set("not saved")
	s.Kill()
	s.Again(t)
	if got := c.Get(t.Context(), "a").Val(); got != "saved" {
		t.Errorf("it came back with %q", got)
	}
	thaw := s.Freeze()
	answered := make(chan error, 1)
	go func() { answered <- s.Client(t).Ping(t.Context()).Err() }()
	select {
	case err := <-answered:
		t.Errorf("frozen, it says %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	thaw()
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

// childVar makes this test program another one, which has a server and waits to be killed.
const childVar = "AUTHD_REDISTEST_CHILD"

func TestChild(t *testing.T) {
	switch os.Getenv(childVar) {
	case "server":
		println("pid", Start(t).p.cmd.Process.Pid)
		_, _ = os.Stdin.Read(make([]byte, 1))
	case "missing":
		t.Setenv("PATH", t.TempDir())
		Start(t)
	}
}

func child(t *testing.T, role string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChild$", "-test.v")
	c.Env = append(os.Environ(), childVar+"="+role)
	return c
}

func TestMissingTool(t *testing.T) {
	out, err := child(t, "missing").CombinedOutput()
	if err == nil || !strings.Contains(string(out), install) {
		t.Errorf("%v: %s", err, out)
	}
}

func TestServerEndsWithItsProgram(t *testing.T) {
	c := child(t, "server")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	out, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var said string
	for buf := make([]byte, 64); !strings.Contains(said, "\n"); {
		n, err := out.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		said += string(buf[:n])
	}
	pid, err := strconv.Atoi(strings.TrimPrefix(strings.TrimSpace(said), "pid "))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, 0); err != nil {
		t.Fatal(err)
	}
	_ = c.Process.Kill()
	_ = c.Wait()
	await(t, "the server ends", func() bool {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		return err != nil || strings.Contains(string(stat), ") Z ")
	})
}

// What was saved comes back, of whichever time, and nothing where that is wanted.
func TestRestore(t *testing.T) {
	t.Parallel()
	s := Start(t)
	c := s.Client(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(c.Set(t.Context(), "k", "old", 0).Err())
	old := s.Save(t)
	must(c.Set(t.Context(), "k", "new", 0).Err())
	for _, back := range []struct {
		saved []byte
		want  string
	}{{s.Save(t), "new"}, {old, "old"}, {nil, ""}, {old, "old"}} {
		s.Kill()
		s.Restore(t, back.saved)
		s.Again(t)
		if got, _ := s.Client(t).Get(t.Context(), "k").Result(); got != back.want {
			t.Errorf("%q came back, want %q", got, back.want)
		}
	}
	s.Flush(t)
	if got, _ := s.Client(t).Get(t.Context(), "k").Result(); got != "" {
		t.Errorf("%q after the flush", got)
	}
}
