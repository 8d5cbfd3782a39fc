package api

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"authd/internal/auth"
)

// without are headers but those of a name.
func without(headers []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(headers), func(h string) bool { return strings.HasPrefix(h, name+":") })
}

// A key that is bound to GET /api/ tells whether the forwarded request is believed.
func boundKey(f *fixture) string {
	return f.keys.restrict("Bound", auth.Restrictions{Methods: []string{"GET"}, Paths: []string{"/api/"}})
}

func TestForwardedHeadersAreBelievedOnlyWhereWellFormed(t *testing.T) {
	f := start(t, nil)
	bound, free := boundKey(f), f.keys.add("Free", nil)
	good := traefik("GET", "shop.example.com", "/api/orders", "192.0.2.7")
	cases := map[string][]string{}
	for _, name := range []string{"X-Forwarded-Method", "X-Forwarded-Host", "X-Forwarded-Uri"} {
		rest := without(good, name)
		own := good[slices.IndexFunc(good, func(h string) bool { return strings.HasPrefix(h, name+":") })]
		cases["no "+name] = rest
		cases["an empty "+name] = with(rest, name+":")
		cases[name+" twice"] = with(good, own)
		cases[name+" twice, in another case"] = with(good, strings.Replace(own, name, strings.ToLower(name), 1))
		cases[name+" twice, once empty"] = with(good, name+":")
		cases[name+" joined"] = with(rest, own+", "+own)
		cases["only an alias of "+name] = with(rest, strings.ReplaceAll(own, "-", "_"))
	}
	for name, values := range map[string][]string{
		"X-Forwarded-Method": {"get", "GET POST", "GET,POST", "GÉT", "G\xff", "(GET)", strings.Repeat("G", 33)},
		"X-Forwarded-Host":   {"a b", "a/b", "a@b", "a:b", "a:1:2", "é.test", "[::1", "::1", ".", "a..b", ".a", strings.Repeat("a.", 127) + "com", "http://a"},
		"X-Forwarded-Uri":    {"api/", "http://a/api/", "*", "/api/ x", "/api/\tx", `\api\`, "?x"},
	} {
		for _, v := range values {
			cases[name+" "+v] = append(without(good, name), name+": "+v)
		}
	}
	for name, headers := range cases {
		w := f.send(head("GET /verify/traefik HTTP/1.1", with(headers, "API-KEY: "+bound)...))
		if w.status != 403 || f.logged()["reason"] != auth.Unvouched.String() {
			t.Errorf("%s: answered %d for %v, want 403 for %s", name, w.status, f.logged()["reason"], auth.Unvouched)
		}
		if hint, _ := f.logged()["hint"].(string); !strings.Contains(hint, "X-Forwarded-") && !strings.Contains(hint, "forwarded ") {
			t.Errorf("%s: the log's hint is %q, which does not tell what is wrong", name, hint)
		}
		if w := f.send(head("GET /verify/traefik HTTP/1.1", with(headers, "API-KEY: "+free)...)); w.status != 200 {
			t.Errorf("%s: a key without restrictions is answered %d", name, w.status)
		}
	}
	if w := f.send(head("GET /verify/traefik HTTP/1.1", append(good, "API-KEY: "+bound)...)); w.status != 200 {
		t.Errorf("what is well-formed is answered %d", w.status)
	}
}

// Every header that some other proxy, or a client, might send is nobody's here.
func TestOtherHeadersAreIgnored(t *testing.T) {
	f := start(t, nil)
	bound := boundKey(f)
	elsewhere := traefik("PUT", "shop.example.com", "/admin", "192.0.2.7")
	nice := []string{
		"Forwarded: for=192.0.2.7;host=shop.example.com;proto=https", "X-Original-URL: /api/", "X-Original-URI: /api/", "X-Original-Method: GET",
		"X-Original-Host: shop.example.com", "X-Rewrite-URL: /api/", "X-Forwarded-Prefix: /api", "X-Forwarded-Path: /api/", "X-Forwarded-Request-Uri: /api/",
		"X-HTTP-Method-Override: GET", "X-Method-Override: GET", "X-Forwarded-Server: a", "X-Forwarded-Port: 443", "X-Envoy-Original-Path: /api/",
		"X_Forwarded_Uri: /api/", "X_Forwarded_Method: GET", "X-Real-Ip: 192.0.2.7", "X-Auth-Request-Redirect: /api/",
	}
	w := f.send(head("GET /verify/traefik?policy=open HTTP/1.1", append(elsewhere, append(nice, "API-KEY: "+bound)...)...))
	if w.status != 403 || f.logged()["reason"] != auth.ForbiddenMethod.String() {
		t.Errorf("the forwarded request is elsewhere: %d for %v", w.status, f.logged()["reason"])
	}
	for _, name := range []string{"X-Forwarded-Method", "X-Forwarded-Host", "X-Forwarded-Uri"} {
		part := without(traefik("GET", "shop.example.com", "/api/", "192.0.2.7"), name)
		w := f.send(head("GET /verify/traefik HTTP/1.1", append(part, append(nice, "API-KEY: "+bound)...)...))
		if w.status != 403 || f.logged()["reason"] != auth.Unvouched.String() {
			t.Errorf("without %s, and all others: %d for %v", name, w.status, f.logged()["reason"])
		}
	}
}

func TestOnlyTrustedPeersAreBelieved(t *testing.T) {
	f := start(t, func(o *Options) { o.Trusted = cidrs("10.0.0.0/8", "2001:db8::/32", "fe80::/10", "192.0.2.1/32") })
	bound, free := boundKey(f), f.keys.add("Free", nil)
	for peer, trusted := range map[string]bool{
		"10.1.2.3:4000":           true,
		"[::ffff:10.1.2.3]:4000":  true, // a listener on [::] sees IPv4 peers so
		"[2001:db8::1]:4000":      true,
		"[fe80::1%eth0]:4000":     true,
		"192.0.2.1:1":             true,
		"192.0.2.2:1":             false,
		"11.0.0.1:4000":           false,
		"127.0.0.1:4000":          false,
		"[::1]:4000":              false,
		"[2001:db9::1]:4000":      false,
		"[::ffff:11.0.0.1]:4000":  false,
		"":                        false,
		"@":                       false, // a Unix socket
		"10.1.2.3":                false,
		"pipe":                    false,
		"10.1.2.3.example.com:80": false,
	} {
		for key, want := range map[string]int{bound: 403, free: 200} {
			if trusted {
				want = 200
			}
			r := httptest.NewRequest(http.MethodGet, "/verify/traefik", http.NoBody)
			r.RemoteAddr = peer
			for _, h := range append(traefik("GET", "a.test", "/api/", "192.0.2.7"), "API-KEY: "+key) {
				name, value, _ := strings.Cut(h, ": ")
				r.Header.Add(name, value)
			}
			w := httptest.NewRecorder()
			f.handler.ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("peer %q: answered %d, want %d", peer, w.Code, want)
			}
			if want == 403 && !strings.Contains(f.logged()["hint"].(string), "verify.trusted_proxies") {
				t.Errorf("peer %q: the log's hint is %q", peer, f.logged()["hint"])
			}
		}
	}
	none := start(t, func(o *Options) { o.Trusted = nil })
	if w := none.send(head("GET /verify/traefik HTTP/1.1", append(traefik("GET", "a.test", "/api/", "192.0.2.7"), "API-KEY: "+boundKey(none))...)); w.status != 403 {
		t.Errorf("nobody is trusted, and the answer is %d", w.status)
	}
}

func TestPlainVerifyBelievesNothing(t *testing.T) {
	f := start(t, nil)
	for name, r := range map[string]auth.Restrictions{
		"host": {Hosts: []string{"*"}}, "method": {Methods: []string{"GET"}}, "path": {Paths: []string{"/"}}, "network": {CIDRs: cidrs("0.0.0.0/0", "::/0")},
	} {
		key := f.keys.restrict("By "+name, r)
		w := f.send(head("GET /verify HTTP/1.1", append(traefik("GET", "a.test", "/", "192.0.2.7"), "API-KEY: "+key)...))
		line := f.logged()
		if w.status != 403 || line["reason"] != auth.Unvouched.String() || line["key"] != "By "+name {
			t.Errorf("a key restricted by %s: %d, %v", name, w.status, line)
		}
		hint, _ := line["hint"].(string)
		for _, part := range []string{"/verify/<proxy>", "traefik", "verify.proxy", "verify.trusted_proxies"} {
			if !strings.Contains(hint, part) {
				t.Errorf("the log's hint does not tell of %s: %q", part, hint)
			}
		}
		for _, field := range []string{"method", "host", "path", "client"} {
			if line[field] != nil {
				t.Errorf("the log tells %s=%v, which nobody vouches for", field, line[field])
			}
		}
		if line["peer"] != "127.0.0.1" {
			t.Errorf("the log names the peer %v", line["peer"])
		}
	}
}

func TestPlainVerifyCanBeADialect(t *testing.T) {
	f := start(t, func(o *Options) { o.Proxy = "traefik" })
	key := boundKey(f)
	for uri, want := range map[string]int{"/api/": 200, "/admin": 403} {
		w := f.send(head("GET /verify HTTP/1.1", append(traefik("GET", "a.test", uri, "192.0.2.7"), "API-KEY: "+key)...))
		if w.status != want || want == 403 && f.logged()["proxy"] != "traefik" {
			t.Errorf("%s: answered %d by %v, want %d", uri, w.status, f.logged()["proxy"], want)
		}
	}
	if w := f.send(head("GET /verify HTTP/1.1", "API-KEY: "+key)); w.status != 403 || f.logged()["reason"] != auth.Unvouched.String() {
		t.Errorf("without forwarded headers: %d, %v", w.status, f.logged()["reason"])
	}
}

func TestRequestID(t *testing.T) {
	f := start(t, nil)
	free := traefik("GET", "a.test", "/", "192.0.2.7")
	for _, c := range []struct {
		name, path string
		headers    []string
		kept       string
	}{
		{"well-formed", "/verify/traefik", []string{"X-Request-Id: 0a_B.c-9"}, "0a_B.c-9"},
		{"of 64 characters", "/verify/traefik", []string{"X-Request-Id: " + strings.Repeat("a", 64)}, strings.Repeat("a", 64)},
		{"where the forwarded headers are missing", "/verify/traefik/nope", []string{"X-Request-Id: abc"}, "abc"},
		{"none", "/verify/traefik", nil, ""},
		{"empty", "/verify/traefik", []string{"X-Request-Id:"}, ""},
		{"repeated", "/verify/traefik", []string{"X-Request-Id: abc", "X-Request-Id: abc"}, ""},
		{"too long", "/verify/traefik", []string{"X-Request-Id: " + strings.Repeat("a", 65)}, ""},
		{"a quote", "/verify/traefik", []string{`X-Request-Id: a","code":"x`}, ""},
		{"a blank", "/verify/traefik", []string{"X-Request-Id: a b"}, ""},
		{"non-ASCII", "/verify/traefik", []string{"X-Request-Id: é"}, ""},
		{"to plain /verify", "/verify", []string{"X-Request-Id: abc"}, ""},
	} {
		w := f.send(head("GET "+c.path+" HTTP/1.1", with(free, c.headers...)...))
		id, _ := f.logged()["request_id"].(string)
		if !strings.HasSuffix(w.body, `,"request_id":"`+id+"\"}\n") {
			t.Errorf("%s: the log has the request id %q, the body %s", c.name, id, w.body)
		}
		if c.kept != "" && id != c.kept || c.kept == "" && (len(id) != 26 || strings.Contains(id, "abc")) {
			t.Errorf("%s: the request id is %q, want %q (or one of our own)", c.name, id, c.kept)
		}
	}
	stranger := start(t, func(o *Options) { o.Trusted = cidrs("10.0.0.0/8") })
	stranger.send(head("GET /verify/traefik HTTP/1.1", "X-Request-Id: abc"))
	if stranger.logged()["request_id"] == "abc" {
		t.Error("the request id of a peer that is not trusted is taken")
	}
}
