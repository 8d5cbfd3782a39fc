package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"authd/internal/logtest"
)

// program builds authd once for all tests of this package.
var program = sync.OnceValues(func() (string, error) {
	bin := filepath.Join(scratch, "authd")
	out, err := exec.Command("go", "build", "-o", bin, "authd/cmd/authd").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("building authd: %w\n%s", err, out)
	}
	return bin, err
})

var scratch string

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "authd-e2e-"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(scratch)
	os.Exit(code)
}

// settings are authd's. The policy has the name that the files of deploy/ ask for.
const settings = `
listen: {verify: "%s", extauthz: "%s", metrics: ""}
store: {url: "sqlite:%s"}
identity: {return_authorization: true}
log: {level: debug}
policies:
  partners:
    groups: [partner]
    rules:
      - {paths: ["/public/"], anonymous: true}
      - {paths: ["/open/"], preflight: allow}
  everyone: {}
`

// authd is a running one, with its keys.
type authd struct {
	addr   string // of /verify
	grpc   string // of Envoy's gRPC
	config string
	bin    string
	log    *logtest.Log
	keys   map[string]string
	mu     sync.Mutex
}

// launchAuthd starts authd without keys, with more settings than all have.
func launchAuthd(t *testing.T, more string) *authd {
	t.Helper()
	bin, err := program()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	a := &authd{bin: bin, config: filepath.Join(dir, "authd.yaml"), keys: map[string]string{}}
	addr, p := onFreePort(t, func(addr string) (string, []string) {
		a.grpc = freeAddress(t)
		text := fmt.Sprintf(settings, addr, a.grpc, filepath.Join(dir, "authd.db")) + more
		if err := os.WriteFile(a.config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return bin, []string{"serve", "-c", a.config}
	})
	a.addr, a.log = addr, p.log
	return a
}

// startAuthd starts authd with one key of each kind.
func startAuthd(t *testing.T) *authd {
	t.Helper()
	a := launchAuthd(t, "")
	a.create(t, "good", "--group", "partner")
	a.create(t, "outsider", "--group", "other")
	a.create(t, "reader", "--group", "partner", "--method", "GET", "--method", "HEAD", "--path", "/orders/", "--host", "api.example.com")
	a.create(t, "writer", "--group", "partner", "--method", "PUT", "--method", "DELETE")
	a.create(t, "far", "--group", "partner", "--cidr", "192.0.2.0/24")
	a.create(t, "near", "--group", "partner", "--cidr", "127.0.0.0/8")
	a.create(t, "revoked", "--group", "partner")
	a.run(t, "keys", "revoke", "revoked")
	a.create(t, "disabled", "--group", "partner")
	a.run(t, "keys", "disable", "disabled")
	a.create(t, "expired", "--group", "partner", "--expires", "1s")
	a.awaitExpiry(t)
	return a
}

// startUndecided starts an authd that can't decide on the key "limited": nobody is there to count its requests.
func startUndecided(t *testing.T) *authd {
	t.Helper()
	a := launchAuthd(t, "redis: {url: \"redis://"+freeAddress(t)+"\"}\nlimits: {fail: closed}\n")
	a.create(t, "limited", "--group", "partner", "--rate", "1000/1s")
	return a
}

// awaitExpiry waits for the one key that has a second to live.
func (a *authd) awaitExpiry(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		got, err := (&ask{target: "/verify", lines: []string{a.key("expired")}}).to(a.addr)
		if err == nil && got.status == http.StatusUnauthorized {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the key does not expire: %+v, %v", got, err)
		}
	}
}

// run runs a command, which is to succeed.
func (a *authd) run(t *testing.T, args ...string) (stdout string) {
	t.Helper()
	cmd := exec.Command(a.bin, append([]string{"-c", a.config}, args...)...)
	var out, faults bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &faults
	cmd.Env = environment(t.TempDir())
	if err := cmd.Run(); err != nil {
		t.Fatalf("authd %s: %v\n%s", strings.Join(args, " "), err, &faults)
	}
	return strings.TrimSpace(out.String())
}

// login is the user of every key.
const login = "partner@example.com"

func (a *authd) create(t *testing.T, name string, flags ...string) (key string) {
	t.Helper()
	key = a.run(t, append([]string{"keys", "create", name, "-q", "--user", login}, flags...)...)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keys[name] = key
	return key
}

// key is the line that carries a key.
func (a *authd) key(name string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return "API-KEY: " + a.keys[name]
}

// carries reports whether a text holds any of the keys.
func (a *authd) carries(text string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, k := range a.keys {
		if strings.Contains(text, k) {
			return true
		}
	}
	return false
}
