package api

import (
	"net/http"
	"sync/atomic"
	"testing"
)

func TestHealth(t *testing.T) {
	var checks atomic.Pointer[[]Check]
	f := start(t, func(o *Options) {
		o.Ready = func() []Check {
			if c := checks.Load(); c != nil {
				return *c
			}
			return nil
		}
	})
	log, lease := Check{Name: "change log", OK: true, Detail: "applied 7"}, Check{Name: "lease", Advisory: true, Detail: "lost\n at\tnoon"}
	for _, c := range []struct {
		name, path string
		checks     []Check
		status     int
		body       string
	}{
		{"alive", "/healthz", []Check{{Name: "x"}}, 200, "ok\n"},
		{"nothing to look at", "/readyz", nil, 200, "ready\n"},
		{"all well", "/readyz", []Check{log}, 200, "ready\n"},
		{"an advisory", "/readyz", []Check{log, lease}, 200, "ready\n"},
		{"draining", "/readyz", []Check{log, {Name: "draining"}}, 503, "not ready\n"},
		{"verbose", "/readyz?verbose", []Check{log, lease, {Name: "draining"}}, 503, "[+] change log: applied 7\n[!] lease: lost at noon\n[-] draining\nnot ready\n"},
		{"verbose with a value", "/readyz?verbose=1&x", []Check{log}, 200, "[+] change log: applied 7\nready\n"},
		{"verbose, and nothing", "/readyz?verbose", nil, 200, "ready\n"},
		{"a query that is none", "/readyz?%zz;verbose", []Check{log}, 200, "ready\n"},
	} {
		checks.Store(&c.checks)
		w := f.send(head("GET " + c.path + " HTTP/1.1"))
		if w.status != c.status || w.body != c.body {
			t.Errorf("%s: %d %q, want %d %q", c.name, w.status, w.body, c.status, c.body)
		}
		if got := w.values("Cache-Control"); len(got) != 1 || got[0] != "no-store" {
			t.Errorf("%s: Cache-Control is %q", c.name, got)
		}
		if byHead := f.send(head("HEAD " + c.path + " HTTP/1.1")); byHead.status != c.status {
			t.Errorf("%s: HEAD is answered %d", c.name, byHead.status)
		}
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "BREW"} {
			checkProblem(t, method+" "+path, f.send(head(method+" "+path+" HTTP/1.1")), http.StatusNotFound, "not_found")
		}
	}
}

// A stop is told by readiness alone: requests that still come are decided.
func TestVerifyGoesOnWhileDraining(t *testing.T) {
	f := start(t, func(o *Options) { o.Ready = func() []Check { return []Check{{Name: "draining"}} } })
	key := f.keys.add("Partner sync", nil)
	if a := f.ask("GET", "/readyz"); a.status != 503 {
		t.Errorf("/readyz is answered %d", a.status)
	}
	if a := f.ask("GET", "/verify", "API-KEY: "+key); a.status != 200 {
		t.Errorf("/verify is answered %d", a.status)
	}
	if a := f.ask("GET", "/healthz"); a.status != 200 {
		t.Errorf("/healthz is answered %d", a.status)
	}
}

func TestReadyByDefault(t *testing.T) {
	if a := start(t, nil).ask("GET", "/readyz"); a.status != 200 || a.body != "ready\n" {
		t.Errorf("/readyz is answered %d %q", a.status, a.body)
	}
}
