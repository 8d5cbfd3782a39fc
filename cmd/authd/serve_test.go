package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"authd/internal/auth"
)

// The way of a newcomer: serve, create, ask, revoke, ask.
func TestMainJob(t *testing.T) {
	p := newPlace(t)
	d := p.serve()
	for _, part := range []string{"authd.db", "/verify", "/metrics", "next: authd keys create", "curl -i -H"} {
		if !strings.Contains(d.log.String(), part) {
			t.Errorf("the greeting lacks %q:\n%s", part, d.log)
		}
	}
	key := p.must("keys", "create", "Partner sync", "--user", "partner@example.com", "--group", "partner", "--group", "gold", "--scope", "shop:read")
	a := d.want(http.StatusOK, "/verify", key)
	want := http.Header{
		"X-Auth-User": {"partner@example.com"}, "X-Auth-Key": {"Partner%20sync"}, "X-Auth-Groups": {"partner,gold"},
		"X-Auth-Scopes": {"shop:read"}, "Cache-Control": {"no-store"}, "Content-Length": {"0"},
	}
	for name, value := range want {
		if got := a.header[name]; len(got) != 1 || got[0] != value[0] {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
	if id := a.header["X-Auth-Key-Id"]; len(id) != 1 || len(id[0]) != 36 || a.body != "" {
		t.Errorf("id %q, body %q", id, a.body)
	}
	p.must("keys", "revoke", "partner_sync")
	if !strings.Contains(p.all.String(), "Confirmed by 1 of 1 replica in ") {
		t.Errorf("it was not confirmed:\n%s", p.all)
	}
	d.want(http.StatusUnauthorized, "/verify", key)
	p.nowhere(key)

	d.signal(syscall.SIGTERM)
	if code := d.wait(); code != 0 {
		t.Errorf("exit code %d\n%s", code, d.log)
	}
	if out := p.must("replicas", "list", "-q"); out != "" {
		t.Errorf("a replica that has stopped is still listed: %s", out)
	}
}

// Whatever an administrator does holds for the next request.
func TestChangesHoldAtOnce(t *testing.T) {
	p := newPlace(t)
	d := p.serve()
	key := p.must("keys", "create", "Partner", "--user", "u", "-q")
	d.want(200, "/verify", key)
	p.must("keys", "disable", "Partner", "-q")
	d.want(401, "/verify", key)
	p.must("keys", "enable", "Partner", "-q")
	d.want(200, "/verify", key)
	p.must("users", "disable", "u", "-q")
	d.want(401, "/verify", key)
	p.must("users", "enable", "u", "-q")
	p.must("keys", "update", "Partner", "--user", "v", "--group", "g", "-q")
	if a := d.want(200, "/verify", key); a.header.Get("X-Auth-User") != "v" || a.header.Get("X-Auth-Groups") != "g" {
		t.Errorf("the old identity: %v", a.header)
	}
	p.must("keys", "rename", "Partner", "Other", "-q")
	if a := d.want(200, "/verify", key); a.header.Get("X-Auth-Key") != "Other" {
		t.Errorf("the old name: %v", a.header)
	}
	overlapping := p.must("keys", "rotate", "Other", "--overlap", "1h", "-q")
	d.want(200, "/verify", key)
	d.want(200, "/verify", overlapping)
	last := p.must("keys", "rotate", "Other", "--overlap", "0", "-q")
	d.want(401, "/verify", key)
	d.want(401, "/verify", overlapping)
	d.want(200, "/verify", last)
	p.must("keys", "update", "Other", "--not-before", "1h", "-q")
	d.want(401, "/verify", last)
	p.must("keys", "update", "Other", "--not-before", "never", "-q")
	d.want(200, "/verify", last)
	p.must("keys", "delete", "Other", "-q")
	d.want(401, "/verify", last)
	p.nowhere(key, overlapping, last)
}

// Requests go on all the while: one that began after the command had said
// "confirmed" is never let in.
func TestRevokedMeansRevoked(t *testing.T) {
	p := newPlace(t)
	revokeUnderFire(p, p.serve(), p.serve())
	if !strings.Contains(p.all.String(), "Confirmed by 2 of 2 replicas in ") {
		t.Errorf("not both have confirmed:\n%s", p.all)
	}
}

type request struct {
	begin  time.Time
	status int
}

// revokeUnderFire creates keys that every server knows at once, and revokes them while they are used.
func revokeUnderFire(p *place, servers ...*daemon) {
	p.t.Helper()
	for round := range 3 {
		name := fmt.Sprintf("Partner %d", round)
		key := p.must("keys", "create", name, "--user", "u", "-q")
		for _, d := range servers {
			d.want(200, "/verify", key)
		}
		fired := fire(servers, key)
		p.must("keys", "revoke", name)
		confirmed := time.Now()
		for _, d := range servers {
			d.want(401, "/verify", key)
		}
		before := 0
		for _, r := range fired() {
			switch {
			case r.begin.After(confirmed) && r.status != 401:
				p.t.Errorf("round %d: status %d for a request that began %s after the confirmation", round, r.status, r.begin.Sub(confirmed))
			case r.status == 200:
				before++
			case r.status != 401:
				p.t.Errorf("round %d: status %d", round, r.status)
			}
		}
		if before == 0 {
			p.t.Errorf("round %d: no request was let in before", round)
		}
	}
}

// fire asks each server again and again, until stop returns what came of it.
func fire(servers []*daemon, key string) (stop func() []request) {
	var mu sync.Mutex
	var requests []request
	enough := make(chan struct{})
	var clients sync.WaitGroup
	for _, d := range servers {
		clients.Go(func() {
			for {
				select {
				case <-enough:
					return
				default:
				}
				r := request{begin: time.Now()}
				if a := d.try("GET", "/verify", "API-KEY: "+key); a != nil {
					r.status = a.status
				}
				mu.Lock()
				requests = append(requests, r)
				mu.Unlock()
			}
		})
	}
	return func() []request {
		close(enough)
		clients.Wait()
		return requests
	}
}

// A server that was killed holds no confirmation up: that it is dead is proven.
func TestKilledServerIsNoObstacle(t *testing.T) {
	p := newPlace(t)
	d := p.serve()
	key := p.must("keys", "create", "Partner", "--user", "u", "-q")
	d.signal(syscall.SIGKILL)
	d.wait()
	p.must("keys", "revoke", "Partner", "--wait", "5s")
	d = p.serve()
	d.want(401, "/verify", key)
}

// A server that is stopped where it stands is named, and catches up before it answers.
func TestPausedServerIsNamed(t *testing.T) {
	p := newPlace(t)
	d := p.serve()
	key := p.must("keys", "create", "Partner", "--user", "u", "-q")
	d.want(200, "/verify", key)
	d.signal(syscall.SIGSTOP)
	if _, code := p.authd("keys", "revoke", "Partner", "--wait", "1s"); code != exitUnconfirmed {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(p.all.String(), "has not followed; it may answer from the old state until") {
		t.Errorf("nobody was named:\n%s", p.all)
	}
	d.signal(syscall.SIGCONT)
	p.must("keys", "revoke", "Partner")
	d.want(401, "/verify", key)
}

// A request that is under way at SIGTERM is answered, /readyz tells the ingress first, and a late
// command finds nobody to wait for.
func TestDrain(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		p := newPlace(t)
		d := p.serve()
		key := p.must("keys", "create", "Partner", "--user", "u", "-q")
		conn, err := net.Dial("tcp", strings.TrimPrefix(d.verify, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		_ = conn.SetDeadline(time.Now().Add(patience))
		if _, err := io.WriteString(conn, "GET /verify HTTP/1.1\r\nHost: authd\r\n"); err != nil {
			t.Fatal(err)
		}
		d.signal(sig)
		p.await("503 from /readyz", func() bool {
			a := d.try("GET", "/readyz?verbose")
			return a != nil && a.status == 503 && strings.Contains(a.body, "draining")
		})
		if _, err := io.WriteString(conn, "API-KEY: "+key+"\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("%v, %v", resp, err)
		}
		_ = resp.Body.Close()
		if code := d.wait(); code != 0 {
			t.Errorf("%v: exit code %d\n%s", sig, code, d.log)
		}
	}
}

const overridesFile = `
policies:
  partners: {groups: [partner]}
verify: {trusted_proxies: [loopback]}
api_key_Partner sync:
  key_file: partner
  groups: [partner]
`

// The heart of the seed: the deployment's value passes, the database's is dead, as the files say at the moment.
func TestOverridesReload(t *testing.T) {
	p := newPlace(t)
	staging, next := auth.NewSecret("ak").Reveal(), auth.NewSecret("ak").Reveal()
	p.write("partner", staging+"\n")
	p.write("authd.yaml", overridesFile)
	production := p.must("keys", "create", "Partner sync", "--user", "u", "-q")
	other := p.must("keys", "create", "Other", "--user", "u", "-q")
	d := p.serve("-c", "authd.yaml")
	forwarded := []string{"X-Forwarded-Method: GET", "X-Forwarded-Host: example.com", "X-Forwarded-Uri: /", "X-Forwarded-For: 192.0.2.1"}

	d.want(200, "/verify", staging)
	d.want(200, "/verify/traefik/partners", staging, forwarded...)
	d.want(401, "/verify", production)
	d.want(200, "/verify", other)
	d.want(403, "/verify/traefik/partners", other, forwarded...)

	p.write("partner", next+"\n")
	p.await("the new value", func() bool { return d.ask("/verify", next).status == 200 })
	d.want(401, "/verify", staging)

	// A fault keeps what was in force.
	p.write("authd.yaml", strings.Replace(overridesFile, "key_file", "kye_file", 1))
	p.await("the fault", func() bool {
		return strings.Contains(d.log.String(), `did you mean \"key_file\"?`)
	})
	d.want(200, "/verify", next)
	d.want(401, "/verify", production)
	if m := d.fetch("GET", d.metrics+"/metrics"); m == nil || strings.Contains(m.body, `authd_override_reload_total{result="failed"} 0`) {
		t.Error("the metric does not tell of the failed reload")
	}

	// Without the section the database's value works again.
	p.write("authd.yaml", "verify: {trusted_proxies: [loopback]}\n")
	d.signal(syscall.SIGHUP)
	p.await("the database's value", func() bool { return d.ask("/verify", production).status == 200 })
	d.want(401, "/verify", next)

	// A section without a record is told, and creates nothing.
	p.write("authd.yaml", overridesFile+"api_key_Nobody:\n  key_file: partner2\n")
	p.write("partner2", staging+"\n")
	p.await("the warning", func() bool { return strings.Contains(d.log.String(), "[api_key_Nobody]") })
	d.want(401, "/verify", staging)
	if out := p.must("keys", "list", "-q"); out != "Other\nPartner sync" {
		t.Errorf("keys: %q", out)
	}
	_ = os.Remove(filepath.Join(p.dir, "partner"))
	_ = os.Remove(filepath.Join(p.dir, "partner2")) // the only places where a value may be
	p.nowhere(production, other, staging, next)
}

// A pepper that is given, and changed, later locks nobody out.
func TestPeppersOverlap(t *testing.T) {
	p := newPlace(t)
	plain := p.must("keys", "create", "Plain", "--user", "u", "-q")
	p.write("pepper", "the first pepper of all\n")
	p.env = append(p.env, "AUTHD_CREDENTIALS_PEPPER_FILE=pepper")
	first := p.must("keys", "create", "First", "--user", "u", "-q")
	d := p.serve()
	d.want(200, "/verify", plain)
	d.want(200, "/verify", first)
	d.signal(syscall.SIGTERM)
	d.wait()

	p.write("pepper", "the second pepper of all\nthe first pepper of all\n")
	second := p.must("keys", "create", "Second", "--user", "u", "-q")
	d = p.serve()
	d.want(200, "/verify", first)
	d.want(200, "/verify", second)
	d.want(401, "/verify", plain) // the last two are tried, and this is the third
	if !strings.Contains(d.log.String(), "under a pepper that is not tried") {
		t.Errorf("the third was not told:\n%s", d.log)
	}
	if strings.Contains(p.all.String(), "pepper of all") {
		t.Error("a pepper is in what was written")
	}
}

// What can't be served stops at start-up, and says where and what to do.
func TestStartUpErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for name, c := range map[string]struct {
		files map[string]string
		env   []string
		args  []string
		want  []string
	}{
		"an address in use": {
			env:  []string{"AUTHD_LISTEN_VERIFY=" + taken.Addr().String()},
			want: []string{"AUTHD_LISTEN_VERIFY", "address already in use", "choose another address"},
		},
		"no database": {
			files: map[string]string{"authd.db": strings.Repeat("this is no database\n", 100)},
			want:  []string{"store.url", "authd.db", "no SQLite database"},
		},
		"a folder that is not there": {
			env:  []string{"AUTHD_STORE_URL=sqlite:nowhere/authd.db"},
			want: []string{"AUTHD_STORE_URL", "nowhere/authd.db", "the folder must be there"},
		},
		"faults of every kind at once": {
			files: map[string]string{"authd.yaml": `
listen: {verfy: ":8080"}
cache:
  ttl: soon
verify: {proxy: nginks}
credentials: {sources: [haeder:API-KEY]}
api_key_A: {key: one-value-for-two-keys}
api_key_B: {key: one-value-for-two-keys}
api_key_C: {key_file: nowhere}
`},
			args: []string{"-c", "authd.yaml"},
			want: []string{
				"authd.yaml:2", "listen.verfy", `did you mean`, "authd.yaml:4", "cache.ttl", "authd.yaml:5", "nginks", "authd.yaml:6", "haeder",
				"authd.yaml:8", "[api_key_A]", "[api_key_B]", "authd.yaml:9", "[api_key_C]", "can't be read",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			for file, text := range c.files {
				p.write(file, text)
			}
			p.env = append(p.env, c.env...)
			if out, code := p.authd(append([]string{"serve"}, c.args...)...); code != exitFailed || out != "" {
				t.Errorf("exit code %d, stdout %q", code, out)
			}
			for _, part := range c.want {
				if !strings.Contains(p.all.String(), part) {
					t.Errorf("%q is missing in\n%s", part, p.all)
				}
			}
			if strings.Contains(p.all.String(), "one-value-for-two") {
				t.Error("a value was told")
			}
		})
	}
}

// Everything that the process ever writes, whatever it is asked, holds no key.
func TestNoKeyIsEverWritten(t *testing.T) {
	p := newPlace(t)
	p.write("authd.yaml", `
verify: {trusted_proxies: [loopback]}
credentials: {sources: ["header:API-KEY", "header:X-API-Key", bearer, basic, "query:api_key", "cookie:session"]}
policies:
  shop: {groups: [shop], rules: [{paths: ["/public/"], anonymous: true}]}
`)
	d := p.serve("-c", "authd.yaml")
	good := p.must("keys", "create", "Good", "--user", "u", "--rate", "5/1h", "-q")
	bound := p.must("keys", "create", "Bound", "--user", "u", "--host", "a.example.com", "-q")
	unknown := auth.NewSecret("ak").Reveal()
	mistyped := unknown[:len(unknown)-1] + "_"
	keys := []string{good, bound, unknown, mistyped}
	for _, key := range keys {
		for _, path := range []string{"/verify", "/verify/traefik", "/verify/traefik/shop", "/verify/traefik/nowhere", "/verify/nobody", "/verify?api_key=" + key, "/elsewhere"} {
			for _, headers := range [][]string{
				{"API-KEY: " + key},
				{"API-KEY: " + key, "API-KEY: " + key},
				{"API-KEY: " + key + "," + key},
				{"API-KEY: " + key + "é"},
				{"API-KEY: " + key, "X-API-Key: " + unknown},
				{"Authorization: Bearer " + key},
				{"Authorization: Basic " + key},
				{"Cookie: session=" + key},
				{"API-KEY: " + key, "X_Auth_User: " + key},
				{
					"API-KEY: " + key, "X-Forwarded-Method: GET", "X-Forwarded-Host: example.com",
					"X-Forwarded-Uri: /a?api_key=" + key, "X-Forwarded-For: 192.0.2.1",
				},
			} {
				if d.try("GET", path, headers...) == nil {
					t.Fatalf("no answer\n%s", d.log)
				}
			}
		}
	}
	for _, page := range []string{d.metrics + "/metrics", d.verify + "/readyz?verbose"} {
		if a := d.fetch("GET", page); a == nil || a.status != 200 {
			t.Fatalf("%s: %v", page, a)
		}
	}
	p.must("keys", "show", "Good", "-o", "json")
	d.signal(syscall.SIGTERM)
	d.wait()
	if lines := strings.Count(d.log.String(), `"denied"`); lines < 10 {
		t.Errorf("only %d denials were logged:\n%s", lines, d.log)
	}
	p.nowhere(keys...)
}
