package api

import (
	"strings"
	"testing"

	"authd/internal/answer"
	"authd/internal/auth"
)

func TestEnvoysPath(t *testing.T) {
	f := start(t, func(o *Options) { o.Policies = testPolicies(t) })
	bound := f.keys.restrict("Bound", auth.Restrictions{Hosts: []string{"shop.example.com"}, Methods: []string{"GET", "POST", "HEAD"}, Paths: []string{"/api/"}})
	ask := func(request, host, key string) (wire, map[string]any) {
		method, _, _ := strings.Cut(request, " ")
		conn := dial(t, f.addr)
		conn.write(request + " HTTP/1.1\r\nHost: " + host + "\r\nAPI-KEY: " + key + "\r\nContent-Length: 0\r\n\r\n")
		w := conn.answer(method)
		_ = conn.c.Close()
		return w, f.logged()
	}
	for _, c := range []struct {
		request, host string
		want          auth.Reason
	}{
		{"GET /verify/envoy/default/api/orders?page=2", "shop.example.com", auth.Allowed},
		{"HEAD /verify/envoy/default/api/", "shop.example.com", auth.Allowed},
		{"POST /verify/envoy/partners/api/orders", "Shop.Example.com:443", auth.Allowed},
		{"GET /verify/envoy/default/%61pi/", "shop.example.com", auth.Allowed},
		{"GET /verify/envoy/default/api/?x=/../admin", "shop.example.com", auth.Allowed},
		{"PATCH /verify/envoy/default/api/", "shop.example.com", auth.ForbiddenMethod},
		{"GET /verify/envoy/default/api/", "example.com", auth.ForbiddenHost},
		{"GET /verify/envoy/default/admin", "shop.example.com", auth.ForbiddenPath},
		{"GET /verify/envoy/default/", "shop.example.com", auth.ForbiddenPath},
		{"GET /verify/envoy/default/verify/envoy/default/api/", "shop.example.com", auth.ForbiddenPath},
		{"GET /verify/envoy/default//api/", "shop.example.com", auth.AmbiguousPath},
		{"GET /verify/envoy/default/api/../admin", "shop.example.com", auth.AmbiguousPath},
		{"GET /verify/envoy/default/api/%2e%2e/admin", "shop.example.com", auth.AmbiguousPath},
		{"GET /verify/envoy/default/../partners/api/", "shop.example.com", auth.AmbiguousPath},
		{"GET /verify/envoy/default", "shop.example.com", auth.Unvouched},           // no path at all
		{"GET /verify/envoy/default?/api/", "shop.example.com", auth.Unvouched},     // that is a query
		{"GET /verify/envoy/%64efault/api/", "shop.example.com", auth.Unvouched},    // no operator writes it so
		{"GET /verify/envoy%2fdefault/api/", "shop.example.com", auth.Unvouched},    // nor so
		{"GET /verify/envoy/default%2fapi/", "shop.example.com", auth.Unvouched},    // nor so
		{"get /verify/envoy/default/api/", "shop.example.com", auth.Unvouched},      // not a method
		{"GET /verify/envoy/staff/api/", "shop.example.com", auth.ForbiddenGroup},   // of the policy
		{"GET /verify/envoy/nope/api/", "shop.example.com", auth.UnknownPolicy},     // the first segment alone is looked at
		{"GET /verify/envoy/Default/api/", "shop.example.com", auth.UnknownPolicy},  //
		{"GET /verify/envoy", "shop.example.com", auth.UnknownPolicy},               // a path_prefix without a policy
		{"GET /verify/envoy/", "shop.example.com", auth.UnknownPolicy},              //
		{"GET /verify/envoy//default/api/", "shop.example.com", auth.UnknownPolicy}, //
		{"GET /verify/envoy/defaultx/api/", "shop.example.com", auth.UnknownPolicy}, //
		{"OPTIONS /verify/envoy/default*", "shop.example.com", auth.UnknownPolicy},  // "OPTIONS *" behind the prefix
	} {
		w, line := ask(c.request, c.host, bound)
		if w.status != answer.Of(c.want).Status || line["reason"] != c.want.String() {
			t.Errorf("%s of %s: %d for %v, want %s", c.request, c.host, w.status, line["reason"], c.want)
		}
		if hint, _ := line["hint"].(string); c.want == auth.UnknownPolicy && !strings.Contains(hint, "/verify/envoy/<policy>") {
			t.Errorf("%s: the hint is %q", c.request, hint)
		}
	}
	if w, _ := ask("GET /verify/envoy/default/%zz", "shop.example.com", bound); w.status != 400 {
		t.Errorf("a path with broken encoding: answered %d", w.status)
	}
}

// Whatever Envoy is told to pass on, headers tell nothing of the request there.
func TestEnvoysHeadersTellNothing(t *testing.T) {
	f := start(t, nil)
	bound := boundKey(f)
	nice := append(traefik("GET", "shop.example.com", "/api/", "192.0.2.7"), "X-Original-Method: GET", "X-Original-URI: /api/", "X-Envoy-Original-Path: /api/", "API-KEY: "+bound)
	if w := f.send(head("DELETE /verify/envoy/default/admin HTTP/1.1", nice...)); w.status != 403 || f.logged()["reason"] != auth.ForbiddenMethod.String() {
		t.Errorf("answered %d for %v", w.status, f.logged()["reason"])
	}
}
