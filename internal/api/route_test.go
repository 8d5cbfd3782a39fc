package api

import (
	"fmt"
	"strings"
	"testing"

	"authd/internal/auth"
)

func TestPathsThatAreNotConfigured(t *testing.T) {
	f := start(t, func(o *Options) { o.Policies = testPolicies(t) })
	key := f.keys.add("Partner sync", nil)
	for _, c := range []struct {
		path    string
		reason  auth.Reason // Undecided: nothing is decided, it is 404
		unknown string      // what the log names
	}{
		{"/verify/traefik/nope", auth.UnknownPolicy, `"nope"`},
		{"/verify/traefik/nope?policy=open", auth.UnknownPolicy, `"nope"`},
		{"/verify/traefik/", auth.UnknownPolicy, `""`},
		{"/verify/traefik//", auth.UnknownPolicy, `"/"`},
		{"/verify/traefik//open", auth.UnknownPolicy, `"/open"`},
		{"/verify/traefik/open/", auth.UnknownPolicy, `"open/"`},
		{"/verify/traefik/open/x", auth.UnknownPolicy, `"open/x"`},
		{"/verify/traefik/open%2f", auth.UnknownPolicy, `"open/"`},
		{"/verify/traefik/Open", auth.UnknownPolicy, `"Open"`},
		{"/verify/traefik/open%00", auth.UnknownPolicy, `"open` + "\x00" + `"`},
		{"/verify/traefik/../traefik/open", auth.UnknownPolicy, `"../traefik/open"`},
		{"/verify/traefik/unknown", auth.UnknownPolicy, `"unknown"`},
		{"/verify/squid", auth.UnknownProxy, `"squid"`},
		{"/verify/squid/open", auth.UnknownProxy, `"squid"`},
		{"/verify/none", auth.UnknownProxy, `"none"`},
		{"/verify/open", auth.UnknownProxy, `"open"`},
		{"/verify/Traefik", auth.UnknownProxy, `"Traefik"`},
		{"/verify/", auth.UnknownProxy, `""`},
		{"/verify//", auth.UnknownProxy, `""`},
		{"/verify//traefik", auth.UnknownProxy, `""`},
		{"/verify/../verify", auth.UnknownProxy, `".."`},
		{"//verify", auth.Undecided, ""},
		{"//verify/traefik/open", auth.Undecided, ""},
		{"/Verify", auth.Undecided, ""},
		{"/verifyx", auth.Undecided, ""},
		{"/verify;x", auth.Undecided, ""},
		{"/verify%3fx", auth.Undecided, ""},
		{"/x/verify", auth.Undecided, ""},
		{"/./verify", auth.Undecided, ""},
		{"/", auth.Undecided, ""},
		{"/metrics", auth.Undecided, ""},
		{"/healthz/", auth.Undecided, ""},
		{"/readyz/x", auth.Undecided, ""},
		{"/favicon.ico", auth.Undecided, ""},
	} {
		for _, method := range []string{"GET", "POST", "OPTIONS", "BREW"} {
			w := f.send(head(method+" "+c.path+" HTTP/1.1", append(traefik("GET", "a.test", "/", "192.0.2.7"), "API-KEY: "+key)...))
			if len(w.values("Location")) != 0 {
				t.Errorf("%s %s: a redirect is an error to a proxy: %q", method, c.path, w.lines)
			}
			if c.reason == auth.Undecided {
				checkProblem(t, c.path, w, 404, "not_found")
				if w.status != 404 || len(w.values("Cache-Control")) != 1 {
					t.Errorf("%s %s: answered %d %q", method, c.path, w.status, w.lines)
				}
				continue
			}
			line := f.logged()
			if w.status != 403 || line["reason"] != c.reason.String() {
				t.Errorf("%s %s: %d for %v, want 403 for %s", method, c.path, w.status, line["reason"], c.reason)
			}
			if hint, _ := line["hint"].(string); line["level"] != "ERROR" || !strings.Contains(hint, c.unknown) {
				t.Errorf("%s %s: the log tells at %v %q, want an error that names %s", method, c.path, line["level"], hint, c.unknown)
			}
		}
	}
}

// The route is a path that the operator wrote. Its query is somebody else's: Caddy appends the client's.
func TestTheQueryChoosesNothing(t *testing.T) {
	f := start(t, func(o *Options) { o.Policies = testPolicies(t) })
	for _, query := range []string{"?policy=open", "?open", "?x=/verify/traefik/open", "?/../open", "?policy=open&proxy=none"} {
		for _, path := range []string{"/verify", "/verify/traefik", "/verify/traefik/default", "/verify/traefik/shop"} {
			if w := f.send(head("GET "+path+query+" HTTP/1.1", traefik("GET", "a.test", "/"+query, "192.0.2.7")...)); w.status != 401 {
				t.Errorf("%s%s: answered %d", path, query, w.status)
			}
		}
	}
}

// A proxy passes on what its client made: it must not matter.
func TestWhateverTheRequestLooksLikeTheVerdictIsPlain(t *testing.T) {
	f := start(t, nil)
	key := f.keys.add("Partner sync", nil)
	want := f.send(head("GET /verify HTTP/1.1", "API-KEY: "+key)).dateless()
	lines := map[string]string{}
	for _, m := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "BREW", "get", "M-SEARCH", strings.Repeat("X", 1000)} {
		lines[m+" /verify HTTP/1.1"] = ""
	}
	lines["GET http://authd.test/verify HTTP/1.1"] = ""
	for _, h := range []string{
		"Range: bytes=0-1", "If-None-Match: *", "If-Match: \"x\"", "If-Modified-Since: Sat, 29 Oct 2050 19:43:31 GMT", "If-Unmodified-Since: Sat, 29 Oct 1994 19:43:31 GMT",
		"Expect: 100-continue", "Content-Length: 0", "Accept: nothing/nothing", "Accept-Encoding: gzip", "TE: trailers", "Trailer: X-Auth-User",
		"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x",
		"Content-Type: application/grpc", "Content-Encoding: br", "Max-Forwards: 0", "X-Auth-User: root",
	} {
		lines["GET /verify HTTP/1.1"+"\r\n"+h] = h
	}
	for line := range lines {
		first, rest, _ := strings.Cut(line, "\r\n")
		headers := []string{"API-KEY: " + key}
		if rest != "" {
			headers = append(headers, rest)
		}
		if w := f.send(head(first, headers...)); w.status != 200 || fmt.Sprint(w.dateless()) != fmt.Sprint(want) {
			t.Errorf("%.80q: answered %d %q, want %q", line, w.status, w.dateless(), want)
		}
		headers[0] = "API-KEY: " + mistyped(key)
		if w := f.send(head(first, headers...)); w.status != 401 {
			t.Errorf("%.80q with a bad key: answered %d", line, w.status)
		}
	}
}

// What net/http or the router have an opinion of their own about is never an allow.
func TestOddRequestsAreNeverAllowed(t *testing.T) {
	f := start(t, nil)
	key := f.keys.add("Partner sync", nil)
	for request, want := range map[string]int{
		"OPTIONS * HTTP/1.1":             404,
		"GET * HTTP/1.1":                 404,
		"CONNECT /verify/ HTTP/1.1":      403,
		"CONNECT authd.test:80 HTTP/1.1": 404,
		"GET verify HTTP/1.1":            400,
		"GET /verify HTTP/3.0":           505,
		"GET /verify":                    400,
		"GET /verify HTTP/1.1 x":         400,
		"G(T /verify HTTP/1.1":           400,
		"GET /%zz HTTP/1.1":              400,
		"GET /veri\x00fy HTTP/1.1":       400,
	} {
		if w := f.send(head(request, "API-KEY: "+key)); w.status != want {
			t.Errorf("%q: answered %d, want %d", request, w.status, want)
		}
	}
	for name, request := range map[string]string{
		"no Host":                "GET /verify HTTP/1.1\r\nAPI-KEY: " + key + "\r\n\r\n",
		"two Hosts":              head("GET /verify HTTP/1.1", "Host: b", "API-KEY: "+key),
		"two lengths":            head("POST /verify HTTP/1.1", "Content-Length: 1", "Content-Length: 2", "API-KEY: "+key),
		"a negative length":      head("POST /verify HTTP/1.1", "Content-Length: -1", "API-KEY: "+key),
		"an unknown expectation": head("GET /verify HTTP/1.1", "Expect: the-unexpected", "API-KEY: "+key),
		"an unknown encoding":    head("GET /verify HTTP/1.1", "Transfer-Encoding: gzip", "API-KEY: "+key),
		"no header":              "GET /verify HTTP/1.1\r\nAPI-KEY\r\n\r\n",
	} {
		if w := f.send(request); w.status < 400 {
			t.Errorf("%s: answered %d", name, w.status)
		}
	}
}

func TestHTTP10(t *testing.T) {
	f := start(t, nil)
	key := f.keys.add("Partner sync", nil)
	for request, want := range map[string]int{
		"GET /verify HTTP/1.0\r\nAPI-KEY: " + key + "\r\n\r\n": 200,
		"GET /verify HTTP/1.0\r\n\r\n":                         401,
	} {
		c := dial(t, f.addr)
		c.write(request)
		if w := c.answer("GET"); w.status != want {
			t.Errorf("%q: answered %d, want %d", request, w.status, want)
		}
		c.ended()
	}
	c := dial(t, f.addr) // as nginx does with keepalive on
	for range 3 {
		c.write("GET /verify HTTP/1.0\r\nConnection: keep-alive\r\nAPI-KEY: " + key + "\r\n\r\n")
		if w := c.answer("GET"); w.status != 200 || len(w.values("Connection")) != 1 {
			t.Errorf("with keep-alive: answered %d %q", w.status, w.lines)
		}
	}
}
