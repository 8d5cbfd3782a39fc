package pgtest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(Around(m)) }

// roleVar makes this test program another one, which does what TestChild says.
const roleVar = "AUTHD_PGTEST_ROLE"

func child(t *testing.T, role string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program, "-test.run=^TestChild$", "-test.v")
	c.Env = append(os.Environ(), roleVar+"="+role)
	return c
}

// TestChild is the other program. It proves nothing by itself.
func TestChild(t *testing.T) {
	switch os.Getenv(roleVar) {
	case "server":
		s := Shared(t)
		fmt.Printf("server %d in %s\n", s.process.cmd.Process.Pid, sharing.dir)
		_, _ = io.Copy(io.Discard, os.Stdin) // until it is killed
	case "missing":
		tool(t, "no-such-program")
	}
}

// However a test program ends, its server does, and the next one tidies up.
func TestServerEndsWithItsProgram(t *testing.T) {
	t.Parallel()
	c := child(t, "server")
	if _, err := c.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	var dir string
	var said strings.Builder
	for buf := make([]byte, 1); pid == 0; {
		if _, err := out.Read(buf); err != nil {
			t.Fatalf("the other program said %q, then: %v", said.String(), err)
		}
		said.Write(buf)
		if line, whole := strings.CutSuffix(said.String(), "\n"); whole {
			last := line[strings.LastIndex(line, "\n")+1:]
			_, _ = fmt.Sscanf(last, "server %d in %s", &pid, &dir)
		}
	}
	if err := syscall.Kill(pid, 0); err != nil {
		t.Fatalf("there is no server: %v", err)
	}
	_ = c.Process.Kill()
	_ = c.Wait()
	for end := time.Now().Add(patience); syscall.Kill(pid, 0) == nil; time.Sleep(5 * time.Millisecond) {
		if zombie(pid) {
			break // of a machine whose first process does not clear up
		}
		if time.Now().After(end) {
			t.Fatal("the server goes on")
		}
	}
	sweep()
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its folder %s is left: %v", dir, err)
	}
}

func zombie(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(text), ") Z ")
}

// A tool that is missing fails the test, and tells what installs it.
func TestMissingTool(t *testing.T) {
	t.Parallel()
	out, err := child(t, "missing").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "FAIL: TestChild") || !strings.Contains(string(out), "apt-get install -y --no-install-recommends postgresql pgbouncer") {
		t.Errorf("%v: %s", err, out)
	}
}
