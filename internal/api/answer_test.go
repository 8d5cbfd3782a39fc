package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"authd/internal/answer"
	"authd/internal/auth"
)

// wireChallenge is what a 401 says, in one line with a challenge per source.
const wireChallenge = `WWW-Authenticate: ApiKey realm="authd", header="API-KEY", ApiKey realm="authd", header="X-API-Key", Bearer realm="authd"`

func checkLines(t *testing.T, name string, w wire, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := w.dateless(); !slices.Equal(got, want) {
		t.Errorf("%s: the header is\n  %s\nwant\n  %s", name, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// Header lines as they go over the wire: nothing is missing, nothing is repeated, nothing is added.
func TestAnAllowToTheLetter(t *testing.T) {
	f, _ := everyReason(t)
	full := f.keys.add("Clé, été 100%", func(r *auth.Record) { r.User = "zoë@example.com"; r.Groups = []string{"a", "b c"} })
	bare := f.keys.add("Bare", func(r *auth.Record) { r.Groups, r.Scopes = nil, nil })
	limited := limitedKey(f.keys, "Slow")
	nothing := []string{
		"Cache-Control: no-store", "Content-Length: 0",
		"X-Auth-User: ", "X-Auth-Key: ", "X-Auth-Key-Id: ", "X-Auth-Groups: ", "X-Auth-Scopes: ",
	}
	for _, method := range []string{"GET", "HEAD", "POST"} {
		checkLines(t, "a full identity", f.send(head(method+" /verify HTTP/1.1", "API-KEY: "+full)),
			"Cache-Control: no-store", "Content-Length: 0",
			"X-Auth-User: zo%C3%AB@example.com", "X-Auth-Key: Cl%C3%A9%2C%20%C3%A9t%C3%A9%20100%25", "X-Auth-Key-Id: 0190-cle_ete_100",
			"X-Auth-Groups: a,b%20c", "X-Auth-Scopes: shop:read shop:write")
		checkLines(t, "no groups and no scopes", f.send(head(method+" /verify HTTP/1.1", "API-KEY: "+bare)),
			"Cache-Control: no-store", "Content-Length: 0",
			"X-Auth-User: partner@example.com", "X-Auth-Key: Bare", "X-Auth-Key-Id: 0190-bare", "X-Auth-Groups: ", "X-Auth-Scopes: ")
		checkLines(t, "an anonymous request", f.send(head(method+" /verify/traefik/open HTTP/1.1")), nothing...)
		checkLines(t, "a preflight", f.send(head(method+" /verify/traefik/cors HTTP/1.1",
			append(traefik("OPTIONS", "a.test", "/", "192.0.2.7"), "Origin: https://b.test", "Access-Control-Request-Method: PUT")...)), nothing...)
		checkLines(t, "within its limits", f.send(head(method+" /verify HTTP/1.1", "API-KEY: "+limited)),
			"Cache-Control: no-store", "Content-Length: 0",
			"X-Auth-User: partner@example.com", "X-Auth-Key: Slow", "X-Auth-Key-Id: 0190-slow",
			"X-Auth-Groups: partner,gold", "X-Auth-Scopes: shop:read shop:write")
	}
}

func TestADenialToTheLetter(t *testing.T) {
	f, table := everyReason(t)
	for _, a := range table {
		if a.reason.Allows() {
			continue
		}
		w := f.raise(a, http.MethodGet)
		want := []string{"Cache-Control: no-store", "Content-Type: application/problem+json", "Content-Length: " + strconv.Itoa(len(w.body))}
		switch answer.Of(a.reason).Status {
		case 401:
			want = append(want, wireChallenge)
		case 503:
			want = append(want, "Retry-After: 1")
		}
		switch a.reason {
		case auth.RateLimited: // rounded up: a client that comes back at once would be refused again
			want = append(want, "Retry-After: 2", `RateLimit: "rate";r=0;t=2`, `RateLimit-Policy: "rate";q=100;w=60`)
		case auth.QuotaExceeded:
			want = append(want, "Retry-After: 3600", `RateLimit: "quota";r=0;t=3600`, `RateLimit-Policy: "quota";q=10;w=86400`)
		case auth.Undecided: // a panic
			want = append(want, "Connection: close")
		}
		checkLines(t, a.reason.String(), w, want...)
		byHead := f.raise(a, http.MethodHead)
		if byHead.status != w.status || !slices.Equal(byHead.dateless(), w.dateless()) {
			t.Errorf("%s: HEAD is answered %d %q, GET %d %q", a.reason, byHead.status, byHead.dateless(), w.status, w.dateless())
		}
	}
}

// After HEAD, the next byte on the connection belongs to the next answer.
func TestHEADHasNoBody(t *testing.T) {
	f, _ := everyReason(t)
	c := dial(t, f.addr)
	for _, path := range []string{"/verify", "/nothing", "/verify/squid", "/healthz", "/readyz"} {
		c.write(head("HEAD " + path + " HTTP/1.1"))
		c.answer("HEAD")
	}
	c.write(head("GET /healthz HTTP/1.1"))
	if w := c.answer("GET"); w.status != 200 || w.body != "ok\n" {
		t.Errorf("after HEAD, GET /healthz is answered %d %q", w.status, w.body)
	}
}

// What is wrong with a credential is nobody's business but the operator's.
func TestBadCredentialsCannotBeToldApart(t *testing.T) {
	f, table := everyReason(t)
	var first *wire
	for _, a := range table {
		if answer.Of(a.reason).Code != "invalid_credential" {
			continue
		}
		w := f.raise(a, http.MethodGet)
		id := f.logged()["request_id"].(string)
		if !strings.Contains(w.body, id) {
			t.Fatalf("%s: the request id %s of the log is not in the body %s", a.reason, id, w.body)
		}
		w.body = strings.Replace(w.body, id, "ID", 1)
		if first == nil {
			first = &w
			continue
		}
		if w.status != first.status || w.body != first.body || !slices.Equal(w.dateless(), first.dateless()) {
			t.Errorf("%s is answered\n%d %q %s\nanother bad credential\n%d %q %s", a.reason, w.status, w.dateless(), w.body, first.status, first.dateless(), first.body)
		}
	}
}

func TestForbiddenCannotBeToldApart(t *testing.T) {
	f, table := everyReason(t)
	var first *wire
	for _, a := range table {
		if answer.Of(a.reason).Status != http.StatusForbidden {
			continue
		}
		w := f.raise(a, http.MethodGet)
		w.body = strings.Replace(w.body, f.logged()["request_id"].(string), "ID", 1)
		if first == nil {
			first = &w
		} else if w.body != first.body || !slices.Equal(w.dateless(), first.dateless()) {
			t.Errorf("%s is answered %q %s, another 403 %q %s", a.reason, w.dateless(), w.body, first.dateless(), first.body)
		}
	}
}

func TestConfiguredHeadersAndRealm(t *testing.T) {
	f := start(t, func(o *Options) {
		o.Headers = [auth.IdentityFields]string{auth.IdentityUser: "x-remote-user", auth.IdentityGroups: "Remote-Groups"}
		o.Realm = `say "hi" \o/`
		o.Sources = mustSources(t, "header:api-key", "bearer", "basic", "query:key", "cookie:Key")
	})
	key := f.keys.add("Partner sync", nil)
	checkLines(t, "other names", f.send(head("GET /verify HTTP/1.1", "API-KEY: "+key)),
		"Cache-Control: no-store", "Content-Length: 0",
		"X-Remote-User: partner@example.com", "X-Auth-Key: Partner%20sync", "X-Auth-Key-Id: 0190-partner_sync",
		"Remote-Groups: partner,gold", "X-Auth-Scopes: shop:read shop:write")
	w := f.send(head("GET /verify HTTP/1.1"))
	realm := `realm="say \"hi\" \\o/"`
	want := `ApiKey ` + realm + `, header="api-key", Bearer ` + realm + `, Basic ` + realm + `, charset="UTF-8", ApiKey ` + realm + `, query="key", ApiKey ` + realm + `, cookie="Key"`
	if got := w.values("WWW-Authenticate"); len(got) != 1 || got[0] != want {
		t.Errorf("the challenges are %q, want one line %q", got, want)
	}
}
