package api

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http/httpguts"

	"authd/internal/auth"
	"authd/internal/inbound"
)

// asRequest is a question as authd's server has it; nil where net/http would not let it in.
func asRequest(method, target, host string, h http.Header) *http.Request {
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return nil
	}
	return &http.Request{Method: method, URL: u, RequestURI: target, Host: host, Header: h, Body: http.NoBody,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, RemoteAddr: "127.0.0.1:4000"}
}

// Whatever a client adds to its request: the original that authd reads stays the same.
func FuzzWhatAClientAdds(f *testing.F) {
	for _, name := range []string{
		"X-Forwarded-Method", "X-Forwarded-Host", "X-Forwarded-Uri", "X-Forwarded-For", "X-Forwarded-Proto", "X-Original-Method", "X-Original-Host", "X-Original-URI",
		"X-Original-URL", "X-Real-IP", "Forwarded", "X-Request-Id", "X-Envoy-Original-Path", "X-Envoy-External-Address", "X-Rewrite-Url", "x-forwarded-uri", "X_Forwarded_Uri", "Origin",
	} {
		f.Add(name, "/admin", name, "192.0.2.66")
		f.Add(name, "DELETE", "X-Forwarded-For", "192.0.2.66, 127.0.0.1")
		f.Add(name, "https://evil.test/admin", "Forwarded", "for=192.0.2.66")
	}
	f.Fuzz(func(t *testing.T, name, value, name2, value2 string) {
		added := []string{name + ": " + value, name2 + ": " + value2}
		for i, n := range []string{name, name2} {
			if !httpguts.ValidHeaderFieldName(n) || !httpguts.ValidHeaderFieldValue([]string{value, value2}[i]) || strings.EqualFold(n, "Host") {
				return
			}
		}
		for _, a := range askers {
			if got, want := a.original(added...), a.original(); got != want || !got.Vouched {
				t.Errorf("%s: with %q the original is\n%+v, without\n%+v", a.name, added, got, want)
			}
		}
	})
}

// original is what is read of a plain request to which the client has added headers.
// An id that the client may have made is none of it.
func (a asker) original(added ...string) inbound.Original {
	c := clientRequest{"GET", "shop.example.com", "/api/orders?page=2", added, "198.51.100.1"}
	line, headers := a.question("", c)
	target := strings.Fields(line)[1]
	o := readOriginal(dialects[a.dialect], asRequest(a.asks(c), target, a.host(c), asHeader(headers)), inbound.Networks(loopback))
	if !o.MadeID {
		o.RequestID = ""
	}
	return o
}

// A key that is bound to GET below /public/ on one host, and to a network,
// passes only with a request that is clearly that, whichever dialect it comes in.
func FuzzForwardedRequest(f *testing.F) {
	for _, uri := range append(slices.Clone(ambiguous), "/public/a", "/public/a?b=../c", "/public/%61", "/admin", "/public", "?/public/", "/public/a\n/public/a", "/Public/", "/public/é") {
		f.Add("GET", "a.example.com", uri, "192.0.2.7")
	}
	f.Add("get", "a.example.com", "/public/", "192.0.2.7")
	f.Add("GET\nGET", "a.example.com", "/public/", "192.0.2.7")
	f.Add("GET", "a.example.com:80", "/public/", "192.0.2.7, 127.0.0.1")
	f.Add("GET", "evil.test/a.example.com", "/public/", "192.0.2.7, 10.0.0.1")
	f.Add("GET", "evil.test?.example.com", "/public/", "192.0.2.7")
	f.Add("GET", "evil.test#a.example.com", "/public/", "192.0.2.7")
	f.Add("GET", "evil.test@a.example.com", "/public/", "192.0.2.7")
	f.Add("GET", "", "//a.example.com/public/", "192.0.2.7")
	h := fuzzHandler(f, func(o *Options) {
		o.Checker = auth.NewChecker(testDigester, credulous{&auth.Restrictions{
			Hosts: []string{"*.example.com"}, Methods: []string{"GET"}, Paths: []string{"/public/"}, CIDRs: cidrs("192.0.2.0/24"),
		}}, nil, auth.Options{})
	})
	f.Fuzz(func(t *testing.T, method, host, uri, client string) {
		for _, name := range dialectNames() {
			r := rawQuestion(name, method, host, uri, client)
			if r == nil {
				continue
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != 200 && w.Code != 403 {
				t.Fatalf("%s: answered %d", name, w.Code)
			}
			if w.Code == 200 && !clearly(name, method, host, uri, client) {
				t.Errorf("%s: %q %q %q of %q has passed", name, method, host, uri, client)
			}
		}
	})
}

// rawQuestion puts the parts where the dialect looks for them, however odd
// they are; a line feed parts the lines of one header.
func rawQuestion(name, method, host, uri, client string) *http.Request {
	h := http.Header{"Api-Key": {"correct-horse-battery-staple"}, "X-Forwarded-For": lines(client)}
	set := func(prefix string) {
		h[prefix+"Method"], h[prefix+"Host"], h[prefix+"Uri"] = lines(method), lines(host), lines(uri)
	}
	switch name {
	case "envoy":
		return asRequest(method, "/verify/envoy/default"+uri, host, h)
	case "nginx":
		set("X-Original-")
	case "ingress-nginx":
		h["X-Original-Method"], h["X-Original-Url"] = lines(method), lines("https://"+host+uri)
	default:
		set("X-Forwarded-")
	}
	return asRequest("GET", "/verify/"+name, "authd.test", h)
}

// clearly is a slow reading that leaves no doubt.
func clearly(name, method, host, uri, client string) bool {
	if name == "ingress-nginx" { // the two come as one
		u, err := url.Parse("https://" + host + uri)
		if err != nil || u.User != nil {
			return false
		}
		host, uri = u.Host, u.EscapedPath()
	}
	raw, _, _ := strings.Cut(uri, "?")
	decoded, err := url.PathUnescape(raw)
	bare, _, _ := strings.Cut(strings.ToLower(host), ":")
	return err == nil && method == "GET" &&
		strings.HasPrefix(path.Clean(decoded)+"/", "/public/") && !strings.Contains(decoded, "//") && !strings.ContainsAny(decoded, "\\;\x00\n") &&
		strings.HasSuffix(strings.TrimSuffix(bare, "."), ".example.com") && !strings.ContainsAny(host, "/@,?# \n") && strings.Contains(client, "192.0.2.")
}
