package api

import (
	"testing"

	"authd/internal/auth"
)

// A policy that only shadows lets pass what a plain check of the key lets
// pass, counts what it would have denied, and says so in the log.
func TestShadowPoliciesOverHTTP(t *testing.T) {
	f := start(t, func(o *Options) {
		o.Policies = map[string]*auth.Policy{"new": mustPolicy(t, "new", auth.Requirement{Groups: []string{"gold"}, Anonymous: true}).Shadow()}
	})
	gold := f.keys.add("Gold", nil)
	poor := f.keys.add("Poor", func(r *auth.Record) { r.Groups = nil })
	off := f.keys.add("Off", func(r *auth.Record) { r.Active = false })
	ask := func(key string) reply {
		headers := traefik("GET", "shop.example.com", "/", "192.0.2.7")
		if key != "" {
			headers = append(headers, "Api-Key: "+key)
		}
		return f.ask("GET", "/verify/traefik/new", headers...)
	}
	for key, want := range map[string]int{gold: 200, poor: 200, off: 401, "": 401} {
		if got := ask(key); got.status != want {
			t.Errorf("a request is answered %d, want %d", got.status, want)
		}
	}
	if got := ask(poor); got.header.Get("X-Auth-Key") != "Poor" {
		t.Errorf("it passes as %q", got.header.Get("X-Auth-Key"))
	}
	counted := series(t, f.reg, "authd_verify_total")
	for labels, want := range map[string]float64{
		"policy=new,proxy=traefik,reason=ok,result=allow":                   1,
		"policy=new,proxy=traefik,reason=forbidden_group,result=would_deny": 2,
		"policy=new,proxy=traefik,reason=disabled,result=deny":              1,
		"policy=new,proxy=traefik,reason=missing_credential,result=deny":    1,
	} {
		if counted[labels] != want {
			t.Errorf("%s is counted %v times, want %v", labels, counted[labels], want)
		}
	}
	if total(counted) != 5 {
		t.Errorf("5 requests are counted as %v", counted)
	}
	if n := series(t, f.reg, "authd_key_requests_total")["key=Poor,result=would_deny,user=partner@example.com"]; n != 2 {
		t.Errorf("the key's requests that would be denied are counted %v times", n)
	}
	lines := f.log.lines(`"msg":"would be denied"`, `"level":"INFO"`, `"would":"forbidden_group"`, `"key":"Poor"`, `"reason":"ok"`,
		`"hint":"authd explain --key-name 0190-poor --proxy traefik --policy new"`)
	if len(lines) != 2 {
		t.Errorf("%d lines tell of 2 requests that would be denied:\n%s", len(lines), f.log)
	}
}
