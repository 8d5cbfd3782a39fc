package e2e

import (
	"strings"
	"testing"
)

// trial is one request, and what is to become of it.
type trial struct {
	name string
	ask  ask
	want int    // or denied
	as   string // the user that the service is told of
}

// lines are header lines.
func lines(l ...string) []string { return l }

// spoofed is all that a client could say of itself in some proxy's dialect.
var spoofed = lines("X-Forwarded-Uri: /public/1", "X-Forwarded-Method: OPTIONS", "X-Forwarded-Host: api.example.com", "X-Forwarded-For: 192.0.2.1",
	"X-Original-URL: http://api.example.com/public/1", "X-Original-URI: /public/1", "X-Original-Method: OPTIONS", "X-Original-Host: api.example.com",
	"X-Real-IP: 192.0.2.1", "Forwarded: for=192.0.2.1;host=api.example.com", "X-Rewrite-URL: /public/1", "X-Envoy-Original-Path: /public/1",
	"X-Forwarded-Prefix: /public", "X-Forwarded-Path: /public/1", "X-HTTP-Method-Override: OPTIONS")

func with(first string, more ...string) []string { return append([]string{first}, more...) }

// trials are asked behind every proxy.
func trials(a *authd) []trial {
	good := a.key("good")
	preflight := lines("Origin: https://shop.example.com", "Access-Control-Request-Method: PUT")
	bearer := "Authorization: Bearer " + strings.TrimPrefix(good, "API-KEY: ")
	var all []trial
	add := func(name string, want int, as string, q ask) { all = append(all, trial{name, q, want, as}) }

	add("a good key", 200, login, ask{lines: lines(good)})
	add("a good key as X-API-Key", 200, login, ask{lines: lines("X-" + good)})
	add("a good key as Bearer", 200, login, ask{lines: lines(bearer)})
	add("no key", 401, "", ask{})
	add("outside the groups", 403, "", ask{lines: lines(a.key("outsider"))})
	add("two keys", 401, "", ask{lines: lines(good, a.key("near"))})
	add("the same key twice", 401, "", ask{lines: lines(good, good)})
	add("two keys in one line", 401, "", ask{lines: lines(good + "," + strings.TrimPrefix(good, "API-KEY: "))})
	add("two headers that differ", 401, "", ask{lines: lines(good, "X-"+a.key("near"))})
	add("not ASCII", 401, "", ask{lines: lines(good + "\xc3\xa9")})

	add("spoofed identity", 200, login, ask{lines: lines(good, "X-Auth-User: spoofed", "x-auth-user: spoofed", "X-Auth-Groups: spoofed", "X-AUTH-SCOPES: spoofed")})
	add("spoofed identity, anonymous", 200, "", ask{target: "/public/1", lines: lines("X-Auth-User: spoofed", "X-Auth-Key-Id: spoofed", "X-Auth-Key: spoofed")})
	add("named by Connection", 200, login, ask{lines: lines(good, "Connection: X-Auth-User, X-Auth-Groups", "X-Auth-User: spoofed")})
	add("named by Connection, anonymous", 200, "", ask{target: "/public/1", lines: lines("Connection: X-Auth-User", "X-Auth-User: spoofed")})
	add("no key, named by Connection", 401, "", ask{lines: lines("Connection: API-KEY, X-API-Key, Authorization")})

	add("the public path", 200, "", ask{target: "/public/1"})
	add("the public path with a bad key", 401, "", ask{target: "/public/1", lines: lines("API-KEY: this-is-no-key-at-all")})
	for _, target := range []string{
		"/public/../admin", "/public/%2e%2e/admin", "/public/.%2e/admin", "/public/..%2fadmin", "/public%2f..%2fadmin", "/public//../admin", "//admin", "//public/1",
		"/%2fadmin", "/public/..;/admin", "/public/%252e%252e/admin", "/public/..%5cadmin", "/public/%00/../admin", "/Public/1", "/publicity", "/admin?/public/1", "/admin#/public/",
	} {
		add("not public: "+target, denied, "", ask{target: target})
	}
	add("a query that names a policy", 403, "", ask{target: "/orders/1?policy=everyone", lines: lines(a.key("outsider"))})
	add("a query that names a path", 401, "", ask{target: "/orders/1?X-Forwarded-Uri=/public/1&path=/public/1&policy=everyone"})
	add("the query of the service", 200, login, ask{target: "/orders/1?a=b&c=%2F..", lines: lines(good)})

	add("spoofed path, method and host", 401, "", ask{lines: spoofed})
	add("named by Connection, spoofed path", 403, "", ask{method: "PUT", lines: with(a.key("reader"), append(lines("Connection: X-Forwarded-Uri, X-Forwarded-Method, X-Forwarded-Host, X-Original-URL, X-Original-Method"), spoofed...)...)})
	add("a far address, spoofed", 403, "", ask{lines: with(a.key("far"), spoofed...)})
	add("a near address", 200, login, ask{lines: with(a.key("near"), spoofed...)})
	add("another host, spoofed", 403, "", ask{host: "other.example.com", lines: with(a.key("reader"), spoofed...)})

	for _, m := range []struct {
		method string
		reader int
		writer int
	}{{"GET", 200, 403}, {"HEAD", 200, 403}, {"POST", 403, 403}, {"PUT", 403, 200}, {"DELETE", 403, 200}, {"PATCH", 403, 403}} {
		add(m.method+" with a key for reading", m.reader, login, ask{method: m.method, lines: lines(a.key("reader"))})
		add(m.method+" with a key for writing", m.writer, login, ask{method: m.method, lines: lines(a.key("writer"))})
		add(m.method+" without a key", 401, "", ask{method: m.method})
	}
	add("a key for another path", 403, "", ask{target: "/invoices/1", lines: lines(a.key("reader"))})

	add("preflight, off", 401, "", ask{method: "OPTIONS", lines: preflight})
	add("preflight, on", 200, "", ask{method: "OPTIONS", target: "/open/1", lines: preflight})
	add("no preflight: GET", 401, "", ask{target: "/open/1", lines: append(preflight, spoofed...)})
	add("no preflight: no Origin", 401, "", ask{method: "OPTIONS", target: "/open/1", lines: preflight[1:]})

	for _, l := range []string{"If-None-Match: *", "If-Modified-Since: Tue, 24 Nov 2026 00:00:00 GMT", "Range: bytes=0-0", "If-Match: \"a\"", "Accept-Encoding: gzip", "TE: trailers"} {
		add(l, 200, login, ask{lines: lines(good, l)})
		add(l+" without a key", 401, "", ask{lines: lines(l)})
	}
	add("Expect", 200, login, ask{method: "POST", lines: lines(good, "Expect: 100-continue"), body: []byte("a")})
	add("Expect without a key", 401, "", ask{method: "POST", lines: lines("Expect: 100-continue"), body: []byte("a")})
	add("gRPC", 200, login, ask{method: "POST", target: "/shop.v1.Orders/List", lines: lines(good, "Content-Type: application/grpc", "TE: trailers"), body: []byte("\x00\x00\x00\x00\x00")})
	add("gRPC without a key", 401, "", ask{method: "POST", target: "/shop.v1.Orders/List", lines: lines("Content-Type: application/grpc", "TE: trailers"), body: []byte("\x00\x00\x00\x00\x00")})
	return all
}

func checkTrials(t *testing.T, c *chain) {
	for _, x := range trials(c.authd) {
		t.Run(x.name, func(t *testing.T) {
			if _, s := c.want(t, x.want, x.ask); s != nil {
				s.as(t, x.as)
				if s.method != orElse(x.ask.method, "GET") || s.host != orElse(x.ask.host, "api.example.com") {
					t.Errorf("%s %s", s.method, s.host)
				}
				if x.want == 200 && s.uri != orElse(x.ask.target, "/orders/1") {
					t.Errorf("it reaches the service as %s", s.uri)
				}
			}
		})
	}
	if !c.awaitsBody {
		t.Run("a body that never comes", func(t *testing.T) {
			c.want(t, 401, ask{method: "POST", body: []byte("never"), withheld: true})
		})
	}
	t.Run("the key's own name in Connection", func(t *testing.T) {
		q := ask{lines: lines(c.authd.key("good"), "Connection: API-KEY")}
		if c.stripsNamed {
			c.want(t, 401, q)
		} else {
			_, s := c.want(t, 200, q)
			s.as(t, login)
		}
	})
	for _, alias := range []string{"X_Auth_User", "X.Auth.User", "X-Auth_User", "x_auth_groups", "X-Auth.Key-Id"} {
		for target, user := range map[string]string{"/orders/1": login, "/public/1": ""} {
			t.Run(alias+" "+target, func(t *testing.T) {
				q := ask{target: target, lines: lines(alias + ": spoofed")}
				if user != "" {
					q.lines = append(q.lines, c.authd.key("good"))
				}
				if c.dropsAliases {
					_, s := c.want(t, 200, q)
					s.as(t, user)
				} else {
					c.want(t, denied, q)
				}
			})
		}
	}
}
