package proc

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test binary is its own child: role says what it does then.
const role = "AUTHD_BENCH_TEST_ROLE"

func TestMain(m *testing.M) {
	term := make(chan os.Signal, 1)
	switch os.Getenv(role) {
	case "":
		os.Exit(m.Run())
	case "burn": // processor time, on two threads of which one ends
		signal.Notify(term, syscall.SIGTERM)
		half := make(chan struct{})
		go func() { burn(100 * time.Millisecond); close(half) }()
		burn(100 * time.Millisecond)
		<-half
		fmt.Println("burnt")
		<-term
	case "fail":
		fmt.Println("cannot listen")
		os.Exit(1)
	}
}

func burn(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
	}
}

func start(t *testing.T, as string) *Process {
	t.Helper()
	p, err := Start(filepath.Join(t.TempDir(), "log"), []string{role + "=" + as}, os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// await polls until the process has written text. The test's own time-out bounds it.
func await(t *testing.T, p *Process, text string) {
	t.Helper()
	for !strings.Contains(p.LogTail(), text) {
		select {
		case <-p.Ended():
			t.Fatalf("ended without writing %q: %s", text, p.LogTail())
		case <-time.After(time.Millisecond):
		}
	}
}

// What CPU tells of a process at rest is what the kernel charges it at its end.
func TestCPUIsWhatTheKernelCharges(t *testing.T) {
	p := start(t, "burn")
	await(t, p, "burnt")
	running, err := CPU(p.PID())
	if err != nil {
		t.Fatal(err)
	}
	rss, err := RSS(p.PID())
	if err != nil || rss < 1<<20 || rss > 1<<30 {
		t.Errorf("RSS of a small process is %d, error %v", rss, err)
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	charged := p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
	if running < charged*9/10 || running > charged {
		t.Errorf("CPU told %v, the kernel charged %v", running, charged)
	}
	if _, err := CPU(p.PID()); err == nil {
		t.Error("CPU told something of a process that has ended")
	}
	if _, err := RSS(p.PID()); err == nil {
		t.Error("RSS told something of a process that has ended")
	}
}

func TestChildren(t *testing.T) {
	p, err := Start(filepath.Join(t.TempDir(), "log"), nil, "/bin/sh", "-c", "trap 'kill $!; exit 0' TERM; sleep 600 & echo begun; wait")
	if err != nil {
		t.Fatal(err)
	}
	await(t, p, "begun")
	found, err := Children(p.PID())
	if err != nil || len(found) != 1 {
		t.Errorf("children: %v, %v", found, err)
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := Children(p.PID()); err == nil {
		t.Error("Children told something of a process that has ended")
	}
}

func TestStopTellsOfAProcessThatEndedEarly(t *testing.T) {
	p := start(t, "fail")
	<-p.Ended()
	if err := p.Stop(); err == nil || !strings.Contains(err.Error(), "cannot listen") || !strings.Contains(err.Error(), "exit status 1") {
		t.Errorf("error %v", err)
	}
}

func TestParseRSS(t *testing.T) {
	for _, c := range []struct {
		in   string
		want int64
		ok   bool
	}{
		{"Name:\ta VmRSS: 9 kB\nVmHWM:\t  600 kB\nVmRSS:\t  512 kB\nVmSwap:\t 0 kB\n", 512 << 10, true},
		{"Name:\tzombie\nState:\tZ (zombie)\n", 0, false},
		{"VmRSS:\t  512 MB\n", 0, false},
		{"VmRSS:\t  many kB\n", 0, false},
		{"", 0, false},
	} {
		got, err := parseRSS([]byte(c.in))
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("%q: %d, %v", c.in, got, err)
		}
	}
}
