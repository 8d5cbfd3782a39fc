package api

import (
	"strings"
	"testing"

	"authd/internal/answer"
	"authd/internal/auth"
)

func TestPoliciesOverHTTP(t *testing.T) {
	f := start(t, func(o *Options) { o.Policies = testPolicies(t) })
	all := func(r *auth.Record) {
		r.Groups, r.Scopes = []string{"gold", "staff"}, []string{"shop:read", "shop:write", "admin"}
	}
	none := func(r *auth.Record) { r.Groups, r.Scopes = nil, nil }
	rich, poor := f.keys.add("Rich", all), f.keys.add("Poor", none)
	reader := f.keys.add("Reader", func(r *auth.Record) { r.Scopes = []string{"shop:read"} })
	bad := mistyped(rich)
	for _, c := range []struct {
		policy, method, uri, key string
		want                     auth.Reason
	}{
		{"", "GET", "/", poor, auth.Allowed},
		{"/default", "GET", "/", poor, auth.Allowed},
		{"/default", "GET", "/", "", auth.MissingCredential},

		{"/partners", "GET", "/", rich, auth.Allowed}, // one group of two
		{"/partners", "GET", "/", poor, auth.ForbiddenGroup},
		{"/staff", "GET", "/", rich, auth.Allowed},
		{"/nobody", "GET", "/", rich, auth.ForbiddenGroup},
		{"/shop", "GET", "/", rich, auth.Allowed},
		{"/shop", "GET", "/", reader, auth.ForbiddenScope}, // one scope of two
		{"/shop", "GET", "/", bad, auth.BadChecksum},

		{"/open", "GET", "/", "", auth.AllowedAnonymous},
		{"/open", "GET", "/", poor, auth.Allowed},
		{"/open", "GET", "/", bad, auth.BadChecksum}, // a bad key is no anonymous request
		{"/open", "GET", "/", poor + "," + poor, auth.SeveralCredentials},

		{"/ruled", "GET", "/", rich, auth.Allowed}, // no rule matches: the policy's own
		{"/ruled", "GET", "/", reader, auth.ForbiddenScope},
		{"/ruled", "GET", "/", "", auth.MissingCredential},
		{"/ruled", "GET", "/public/", "", auth.AllowedAnonymous},
		{"/ruled", "PUT", "/public/a?b=/../c", "", auth.AllowedAnonymous},
		{"/ruled", "GET", "/public/a", poor, auth.Allowed},
		{"/ruled", "GET", "/public/a", bad, auth.BadChecksum},
		{"/ruled", "GET", "/public", "", auth.MissingCredential}, // not under "/public/"
		{"/ruled", "GET", "/publications", "", auth.MissingCredential},
		{"/ruled", "GET", "/Public/", "", auth.MissingCredential},
		{"/ruled", "GET", "/shop", reader, auth.Allowed},
		{"/ruled", "HEAD", "/shop/1", reader, auth.Allowed},
		{"/ruled", "PUT", "/shop/1", reader, auth.ForbiddenScope}, // the first that matches decides: shop:delete
		{"/ruled", "PUT", "/shop/1", rich, auth.ForbiddenScope},
		{"/ruled", "GET", "/shopping", reader, auth.ForbiddenScope},
		{"/ruled", "GET", "/%73hop", reader, auth.Allowed}, // every upstream decodes it alike
	} {
		headers := traefik(c.method, "shop.example.com", c.uri, "192.0.2.7")
		if c.key != "" {
			headers = append(headers, "API-KEY: "+c.key)
		}
		w := f.send(head("GET /verify/traefik"+c.policy+" HTTP/1.1", headers...))
		if got := f.logged()["reason"]; w.status != answer.Of(c.want).Status || got != c.want.String() {
			t.Errorf("policy %q, %s %s: %d for %v, want %s", c.policy, c.method, c.uri, w.status, got, c.want)
		}
	}
	for _, uri := range []string{"/", "/public/", "/shop"} { // a policy with rules needs to know what was asked
		w := f.send(head("GET /verify/traefik/ruled HTTP/1.1", append(without(traefik("GET", "a.test", uri, "192.0.2.7"), "X-Forwarded-Method"), "API-KEY: "+rich)...))
		if w.status != 403 || f.logged()["reason"] != auth.Unvouched.String() {
			t.Errorf("%s, not vouched for: %d for %v", uri, w.status, f.logged()["reason"])
		}
	}
}

// ambiguous are paths that upstreams read in different ways, all of them under /public/ for some.
var ambiguous = []string{
	"/public/../admin", "/public/./a", "/public/..", "/public/.", "/public/%2e%2e/admin", "/public/%2E%2e/admin", "/public/.%2e/admin",
	"/public/%2e", "/public/a%2fb", "/public/..%2fadmin", "/public/%2Fadmin", "/public/a%5cb", `/public/..\admin`, `/public/a\b`,
	"/public//admin", "//public/", "/public/a//", "/public/a;b", "/public/..;/admin", "/public/a%3bb", "/public/%00", "/public/a%00.png",
	"/public/%0d%0a", "/public/a#b", "/public/a%23b", "/public/%252e%252e/admin", "/public/%ff", "/public/\xff", "/public/%c0%ae%c0%ae/admin",
	"/public/%", "/public/%zz", "/public/%u002e", "/public/a%3fb", "/public/" + strings.Repeat("x", auth.MaxPath),
}

func TestAmbiguousPathsNeverPassWhereThePathDecides(t *testing.T) {
	f := start(t, func(o *Options) { o.Policies = testPolicies(t) })
	good := f.keys.add("Good", func(r *auth.Record) { r.Scopes = []string{"admin", "shop:read"} })
	bound := f.keys.restrict("Bound", auth.Restrictions{Paths: []string{"/public/"}})
	for _, uri := range ambiguous {
		for _, query := range []string{"", "?a=b"} {
			headers := traefik("GET", "a.test", uri+query, "192.0.2.7")
			for _, c := range []struct {
				path, key string
				want      auth.Reason
			}{
				{"/verify/traefik/ruled", "", auth.MissingCredential}, // anonymous where it were clear
				{"/verify/traefik/ruled", good, auth.AmbiguousPath},
				{"/verify/traefik", bound, auth.AmbiguousPath},
				{"/verify/traefik", good, auth.Allowed}, // nothing looks at the path
			} {
				w := f.send(head("GET "+c.path+" HTTP/1.1", with(headers, "API-KEY: "+c.key)...)) // an empty one is none
				if got := answer.Of(c.want).Status; w.status != got {
					t.Errorf("%.60q at %s: answered %d, want %d for %s", uri+query, c.path, w.status, got, c.want)
				}
			}
		}
	}
}

func TestPreflight(t *testing.T) {
	f := start(t, func(o *Options) { o.Policies = testPolicies(t) })
	origin, method := "Origin: https://shop.example.com", "Access-Control-Request-Method: PUT"
	for _, c := range []struct {
		name, own, path, forwarded string
		headers                    []string
		want                       auth.Reason
	}{
		{"allowed by the policy", "GET", "/verify/traefik/cors", "OPTIONS", []string{origin, method}, auth.AllowedPreflight},
		{"allowed by a rule", "GET", "/verify/traefik/ruled", "OPTIONS", []string{origin, method}, auth.AllowedPreflight},
		{"with a bad key", "GET", "/verify/traefik/cors", "OPTIONS", []string{origin, method, "API-KEY: nonsense"}, auth.AllowedPreflight},
		{"not allowed by the policy", "GET", "/verify/traefik/shop", "OPTIONS", []string{origin, method}, auth.MissingCredential},
		{"not allowed by default", "GET", "/verify/traefik", "OPTIONS", []string{origin, method}, auth.MissingCredential},
		{"the original method is another", "OPTIONS", "/verify/traefik/cors", "GET", []string{origin, method}, auth.MissingCredential},
		{"in lower case", "OPTIONS", "/verify/traefik/cors", "options", []string{origin, method}, auth.MissingCredential},
		{"without Origin", "GET", "/verify/traefik/cors", "OPTIONS", []string{method}, auth.MissingCredential},
		{"without the method it is for", "GET", "/verify/traefik/cors", "OPTIONS", []string{origin}, auth.MissingCredential},
		{"to plain /verify", "OPTIONS", "/verify", "OPTIONS", []string{origin, method}, auth.MissingCredential},
	} {
		w := f.send(head(c.own+" "+c.path+" HTTP/1.1", append(traefik(c.forwarded, "a.test", "/", "192.0.2.7"), c.headers...)...))
		if got := f.logged()["reason"]; w.status != answer.Of(c.want).Status || got != c.want.String() {
			t.Errorf("%s: %d for %v, want %s", c.name, w.status, got, c.want)
		}
	}
	stranger := start(t, func(o *Options) { o.Policies, o.Trusted = testPolicies(t), nil })
	w := stranger.send(head("OPTIONS /verify/traefik/cors HTTP/1.1", append(traefik("OPTIONS", "a.test", "/", "192.0.2.7"), origin, method)...))
	if w.status != 401 {
		t.Errorf("a preflight that nobody vouches for is answered %d", w.status)
	}
}

func TestRestrictionsOverHTTP(t *testing.T) {
	f := start(t, nil)
	key := f.keys.restrict("Bound", auth.Restrictions{Hosts: []string{"*.example.com", "[2001:db8::1]"}, Methods: []string{"GET", "PROPFIND"}, Paths: []string{"/api"}})
	for _, c := range []struct {
		method, host, uri string
		want              auth.Reason
	}{
		{"GET", "shop.example.com", "/api", auth.Allowed},
		{"PROPFIND", "SHOP.Example.COM:8443", "/api/orders?x=/../y", auth.Allowed},
		{"GET", "shop.example.com.", "/api/", auth.Allowed},
		{"GET", "[2001:DB8:0::1]:443", "/api", auth.Allowed},
		{"GET", "example.com", "/api", auth.ForbiddenHost},
		{"GET", "shop.example.com.evil.test", "/api", auth.ForbiddenHost},
		{"POST", "shop.example.com", "/api", auth.ForbiddenMethod},
		{"GET", "shop.example.com", "/apis", auth.ForbiddenPath},
		{"GET", "shop.example.com", "/", auth.ForbiddenPath},
		{"GET", "shop.example.com", "/%61pi", auth.Allowed},
		{"GET", "shop.example.com", "/api/../x", auth.AmbiguousPath},
	} {
		w := f.send(head("GET /verify/traefik HTTP/1.1", append(traefik(c.method, c.host, c.uri, "192.0.2.7"), "API-KEY: "+key)...))
		if got := f.logged()["reason"]; w.status != answer.Of(c.want).Status || got != c.want.String() {
			t.Errorf("%s %s %s: %d for %v, want %s", c.method, c.host, c.uri, w.status, got, c.want)
		}
	}
}
