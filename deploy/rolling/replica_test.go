package rolling

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// programs builds this version of authd, and a newer one whose schema is newer by testdata's migration.
func programs(t *testing.T) (now, newer string) {
	t.Helper()
	dir := t.TempDir()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	const migration = "90001_rolling.sql"
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(root, "internal/repo/postgres/migrations", migration): filepath.Join(root, "deploy/rolling/testdata", migration),
	}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	build := func(name string, args ...string) string {
		path := filepath.Join(dir, name)
		cmd := exec.CommandContext(t.Context(), "go", append([]string{"build", "-ldflags", "-X main.version=" + name, "-o", path}, args...)...)
		cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("building: %v\n%s", err, out)
		}
		return path
	}
	return build("now", "./cmd/authd"), build("newer", "-overlay", file, "./cmd/authd")
}

// replica is one authd serve.
type replica struct {
	address string
	cmd     *exec.Cmd
	log     *bytes.Buffer
	ended   chan error
}

// start starts a replica and returns once it is ready, as a rollout waits for it.
func start(t *testing.T, program, database string) *replica {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &replica{address: l.Addr().String(), log: &bytes.Buffer{}, ended: make(chan error, 1)}
	_ = l.Close()
	r.cmd = command(program, database, "serve")
	r.cmd.Env = append(r.cmd.Env, "AUTHD_LISTEN_VERIFY="+r.address, "AUTHD_LISTEN_METRICS=")
	r.cmd.Stdout, r.cmd.Stderr = r.log, r.log
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // the thread that started it must live as long
		r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		err := r.cmd.Start()
		started <- err
		if err == nil {
			r.ended <- r.cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.cmd.Process.Kill() })
	await(t, "a replica", func() bool {
		select {
		case err := <-r.ended:
			t.Fatalf("a replica ended: %v\n%s", err, r.log)
		default:
		}
		return r.ready()
	})
	return r
}

func (r *replica) ready() bool {
	resp, err := http.Get("http://" + r.address + "/readyz")
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// stop ends a replica as the kubelet does, after its endpoint has gone.
func (r *replica) stop(t *testing.T) {
	t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-r.ended:
		if err != nil {
			t.Errorf("a replica was told to end, and failed: %v\n%s", err, r.log)
		}
	case <-time.After(patience):
		t.Fatal("a replica does not end")
	}
}

func command(program, database string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "AUTHD_STORE_URL=" + database}
	return cmd
}

// authd runs a command to its end.
func authd(t *testing.T, program, database string, args ...string) string {
	t.Helper()
	cmd := command(program, database, args...)
	var faults bytes.Buffer
	cmd.Stderr = &faults
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("authd %q: %v: %s", args, err, faults.String())
	}
	return strings.TrimSpace(string(out))
}

// patience is how long what is bound to come is awaited: machines are busy.
const patience = 2 * time.Minute

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not come", what)
		}
	}
}
