package api

import (
	"slices"
	"strings"
	"testing"

	"authd/internal/answer"
	"authd/internal/auth"
)

func nginxAsks(method, host, uri, client string) []string {
	return []string{"X-Original-Method: " + method, "X-Original-Host: " + host, "X-Original-URI: " + uri, "X-Forwarded-For: " + client}
}

func ingressAsks(method, host, uri, client string) []string {
	return []string{"X-Original-Method: " + method, "X-Original-URL: https://" + host + uri, "X-Forwarded-For: " + client}
}

// To nginx, 401 and 403 are denials and all else is an error, and a body ends the connection.
func TestADenialForNginxToTheLetter(t *testing.T) {
	f, table := everyReason(t)
	for _, proxy := range []string{"nginx", "ingress-nginx"} {
		conn := dial(t, f.addr)
		seen := 0
		for _, a := range table {
			status := answer.Of(a.reason).Status
			if a.reason.Allows() || a.path != "/verify" || a.reason == auth.Unvouched || a.reason == auth.Undecided {
				continue
			}
			seen++
			a.path = "/verify/" + proxy
			want := []string{"Cache-Control: no-store", "Content-Length: 0"}
			switch status {
			case 401:
				want = append(want, wireChallenge)
			case 429:
				want, status = append(want, "X-Auth-Status: 429"), 403
			case 503:
				want = append(want, "Retry-After: 1")
			}
			switch a.reason {
			case auth.RateLimited:
				want = append(want, "Retry-After: 2", `RateLimit: "rate";r=0;t=2`, `RateLimit-Policy: "rate";q=100;w=60`)
			case auth.QuotaExceeded:
				want = append(want, "Retry-After: 3600", `RateLimit: "quota";r=0;t=3600`, `RateLimit-Policy: "quota";q=10;w=86400`)
			}
			for _, method := range []string{"GET", "HEAD"} {
				if a.before != nil {
					a.before()
				}
				conn.write(a.request(method)) // all of them on one connection
				w := conn.answer(method)
				if a.after != nil {
					a.after()
				}
				if w.status != status || w.body != "" {
					t.Errorf("%s, %s: answered %d %q, want %d and no body", proxy, a.reason, w.status, w.body, status)
				}
				checkLines(t, proxy+", "+a.reason.String(), w, want...)
			}
		}
		if seen < 15 {
			t.Errorf("only %d reasons were tried", seen)
		}
		for _, path := range []string{"/nope", "/staff", "/open/x"} {
			w := f.send(head("GET /verify/"+proxy+path+" HTTP/1.1", "API-KEY: "+f.keys.add("Good", nil)))
			if w.status != 403 || w.body != "" {
				t.Errorf("%s%s: answered %d %q", proxy, path, w.status, w.body)
			}
		}
	}
}

func TestAPanicForNginxIsMuteToo(t *testing.T) {
	f := start(t, nil)
	key := f.keys.add("Partner sync", nil)
	f.keys.fail(nil, "a bug")
	w := f.send(head("GET /verify/nginx HTTP/1.1", "API-KEY: "+key))
	if w.status != 503 || w.body != "" {
		t.Errorf("answered %d %q", w.status, w.body)
	}
	checkLines(t, "a panic", w, "Cache-Control: no-store", "Content-Length: 0", "Connection: close", "Retry-After: 1")
}

// What the operator's configuration has to set is believed only where it is there once.
func TestNginxsHeadersAreBelievedOnlyWhereWellFormed(t *testing.T) {
	f := start(t, nil)
	bound := boundKey(f)
	for proxy, good := range map[string][]string{
		"nginx":         nginxAsks("GET", "shop.example.com", "/api/", "192.0.2.7"),
		"ingress-nginx": ingressAsks("GET", "shop.example.com", "/api/", "192.0.2.7"),
	} {
		if w := f.send(head("GET /verify/"+proxy+" HTTP/1.1", with(good, "API-KEY: "+bound)...)); w.status != 200 {
			t.Errorf("%s: what is well-formed is answered %d", proxy, w.status)
		}
		for _, h := range good {
			name, _, _ := strings.Cut(h, ":")
			if name == "X-Forwarded-For" {
				continue
			}
			rest := without(good, name)
			for what, headers := range map[string][]string{
				"missing": rest, "empty": with(rest, name+":"), "twice": with(good, h), "joined": with(rest, h+", "+h[len(name)+2:]),
				"another proxy's": with(rest, traefik("GET", "shop.example.com", "/api/", "192.0.2.7")...),
			} {
				w := f.send(head("GET /verify/"+proxy+" HTTP/1.1", with(headers, "API-KEY: "+bound)...))
				hint, _ := f.logged()["hint"].(string)
				if w.status != 403 || f.logged()["reason"] != auth.Unvouched.String() || !strings.Contains(strings.ToLower(hint), "original-") && !strings.Contains(hint, "forwarded ") {
					t.Errorf("%s, %s %s: answered %d for %v, with the hint %q", proxy, name, what, w.status, f.logged()["reason"], hint)
				}
			}
		}
	}
}

func TestTheURLOfIngressNginx(t *testing.T) {
	for url, want := range map[string][]string{ // host and path; nil: not believed
		"https://shop.example.com/api/":            {"shop.example.com", "/api/"},
		"http://shop.example.com/api/?a=https://b": {"shop.example.com", "/api/"},
		"https://Shop.Example.com:8443/":           {"shop.example.com", "/"},
		"https://[2001:db8::1]:443/a":              {"[2001:db8::1]", "/a"},
		"https://shop.example.com//api":            {"shop.example.com", "//api"},
		"https://shop.example.com/http://x/":       {"shop.example.com", "/http://x/"},
		"https://shop.example.com":                 nil,
		"https://shop.example.com?/api/":           nil,
		"https://shop.example.com#/api/":           nil,
		"https://shop.example.com@evil.test/":      nil,
		`https://shop.example.com\evil.test/`:      nil,
		"https:///api/":                            nil,
		"//shop.example.com/api/":                  nil,
		"/api/":                                    nil,
		"ftp://shop.example.com/":                  nil,
		"HTTPS://shop.example.com/":                nil,
		"https://a b/":                             nil,
		"https://shop.example.com/a b":             nil,
		"https://a.test/, https://b.test/":         nil,
	} {
		r := asRequest("GET", "/verify/ingress-nginx", "authd.test", asHeader([]string{"X-Original-Method: GET", "X-Original-URL: " + url}))
		o := readOriginal(dialects["ingress-nginx"], r, loopback)
		if got := []string{o.Host, o.Path}; o.Vouched != (want != nil) || o.Vouched && !slices.Equal(got, want) {
			t.Errorf("%s is read as %q (%s), want %q", url, got, o.Why, want)
		}
	}
}
