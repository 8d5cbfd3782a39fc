package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"authd/internal/answer"
	"authd/internal/auth"
)

// addKey puts a key of any standing before the Checker.
func (m *memory) addKey(name string, edit func(*auth.Key)) string {
	secret := m.add(name, nil)
	m.mu.Lock()
	defer m.mu.Unlock()
	d := testDigester.Current().Digest(auth.RawSecret(secret))
	k := *m.keys[d]
	edit(&k)
	m.keys[d] = &k
	return secret
}

// restrict makes a key that is restricted.
func (m *memory) restrict(name string, r auth.Restrictions) string {
	return m.add(name, func(rec *auth.Record) { rec.Restrictions = r })
}

// limitStates is a Limiter that has an answer ready for each key, by name.
type limitStates map[string]auth.LimitState

func (l limitStates) Take(_ context.Context, k *auth.Key, _ time.Time, _ string) (auth.LimitState, error) {
	if s, ok := l[k.Name]; ok {
		return s, nil
	}
	return auth.LimitState{}, errors.New("the counters are away")
}

// limitedKey makes a key with limits, so that the Limiter is asked.
func limitedKey(m *memory, name string) string {
	return m.add(name, func(r *auth.Record) { r.Limits.Rate = auth.Rate{Count: 100, Per: time.Minute} })
}

func cidrs(list ...string) (out []netip.Prefix) {
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

func testPolicies(t testing.TB) map[string]*auth.Policy {
	yes := true
	return map[string]*auth.Policy{
		"partners": mustPolicy(t, "partners", auth.Requirement{Groups: []string{"silver", "gold"}}),
		"staff":    mustPolicy(t, "staff", auth.Requirement{Groups: []string{"staff"}}),
		"nobody":   mustPolicy(t, "nobody", auth.Requirement{Groups: []string{}}),
		"shop":     mustPolicy(t, "shop", auth.Requirement{Scopes: []string{"shop:read", "shop:write"}}),
		"admin":    mustPolicy(t, "admin", auth.Requirement{Scopes: []string{"shop:read", "admin"}}),
		"open":     mustPolicy(t, "open", auth.Requirement{Anonymous: true}),
		"cors":     mustPolicy(t, "cors", auth.Requirement{Preflight: true}),
		"ruled": mustPolicy(t, "ruled", auth.Requirement{Scopes: []string{"admin"}},
			auth.Rule{Paths: []string{"/public/"}, Anonymous: &yes, Scopes: []string{}},
			auth.Rule{Paths: []string{"/shop"}, Methods: []string{"GET", "HEAD"}, Scopes: []string{"shop:read"}},
			auth.Rule{Paths: []string{"/shop"}, Scopes: []string{"shop:delete"}},
			auth.Rule{Methods: []string{"OPTIONS"}, Preflight: &yes}),
	}
}

// asked is a request that has its reason.
type asked struct {
	reason  auth.Reason
	path    string
	headers []string
	before  func() // what has to be so, first
	after   func()
}

// everyReason starts a server that can be brought to every reason, and says how.
func everyReason(t *testing.T) (*fixture, []asked) {
	states := limitStates{
		"Fast": {Reason: auth.RateLimited, RetryAfter: 1500 * time.Millisecond, Policy: `"rate";q=100;w=60`, State: `"rate";r=0;t=2`},
		"Much": {Reason: auth.QuotaExceeded, RetryAfter: time.Hour, Policy: `"quota";q=10;w=86400`, State: `"quota";r=0;t=3600`},
		"Slow": {Reason: auth.Allowed, Policy: `"rate";q=100;w=60`},
	}
	m := &memory{keys: map[auth.Digest]*auth.Key{}}
	f := start(t, func(o *Options) {
		o.Checker = auth.NewChecker(testDigester, m, states, auth.Options{})
		o.Policies = testPolicies(t)
	})
	f.keys = m
	return f, reasonTable(f)
}

func reasonTable(f *fixture) []asked {
	m := f.keys
	good := m.add("Partner sync", nil)
	with := func(key string) []string { return []string{"API-KEY: " + key} }
	as := func(key, method, host, uri string) []string {
		return append(traefik(method, host, uri, "192.0.2.7"), "API-KEY: "+key)
	}
	past, future := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	bound := m.restrict("Bound", auth.Restrictions{Hosts: []string{"*.example.com"}, Methods: []string{"GET"}, Paths: []string{"/api/"}, CIDRs: cidrs("192.0.2.0/24")})
	outage := func(err error) func() { return func() { m.fail(err, nil) } }
	healed := func() { m.fail(nil, nil) }
	return []asked{
		{reason: auth.Allowed, path: "/verify", headers: with(good)},
		{reason: auth.AllowedAnonymous, path: "/verify/traefik/open"},
		{reason: auth.AllowedPreflight, path: "/verify/traefik/cors",
			headers: append(traefik("OPTIONS", "shop.example.com", "/", "192.0.2.7"), "Origin: https://a.test", "Access-Control-Request-Method: PUT")},
		{reason: auth.MissingCredential, path: "/verify"},
		{reason: auth.SeveralCredentials, path: "/verify", headers: append(with(good), "API-KEY: "+good)},
		{reason: auth.MalformedCredential, path: "/verify", headers: with("short")},
		{reason: auth.BadChecksum, path: "/verify", headers: with(mistyped(good))},
		{reason: auth.UnknownKey, path: "/verify", headers: with(auth.NewSecret("ak").Reveal())},
		{reason: auth.Revoked, path: "/verify", headers: with(m.add("Gone", func(r *auth.Record) { r.RevokedAt = past }))},
		{reason: auth.Overridden, path: "/verify", headers: with(m.addKey("Overridden", func(k *auth.Key) { k.Overridden = true }))},
		{reason: auth.Disabled, path: "/verify", headers: with(m.add("Off", func(r *auth.Record) { r.Active = false }))},
		{reason: auth.UserInactive, path: "/verify", headers: with(m.add("Left", func(r *auth.Record) { r.UserActive = false }))},
		{reason: auth.NotYetValid, path: "/verify", headers: with(m.add("Soon", func(r *auth.Record) { r.NotBefore = future }))},
		{reason: auth.Expired, path: "/verify", headers: with(m.add("Late", func(r *auth.Record) { r.ExpiresAt = past }))},
		{reason: auth.SecretExpired, path: "/verify", headers: with(m.addKey("Rotated", func(k *auth.Key) { k.SecretExpiresAt = auth.Millis(past) }))},
		{reason: auth.ForbiddenGroup, path: "/verify/traefik/staff", headers: with(good)},
		{reason: auth.ForbiddenScope, path: "/verify/traefik/admin", headers: with(good)},
		{reason: auth.ForbiddenHost, path: "/verify/traefik", headers: as(bound, "GET", "example.org", "/api/")},
		{reason: auth.ForbiddenMethod, path: "/verify/traefik", headers: as(bound, "PUT", "a.example.com", "/api/")},
		{reason: auth.ForbiddenPath, path: "/verify/traefik", headers: as(bound, "GET", "a.example.com", "/")},
		{reason: auth.ForbiddenNetwork, path: "/verify/traefik", headers: append(traefik("GET", "a.example.com", "/api/", "198.51.100.1"), "API-KEY: "+bound)},
		{reason: auth.AmbiguousPath, path: "/verify/traefik", headers: as(bound, "GET", "a.example.com", "/api/../admin")},
		{reason: auth.Unvouched, path: "/verify", headers: as(bound, "GET", "a.example.com", "/api/")},
		{reason: auth.UnknownPolicy, path: "/verify/traefik/nope", headers: with(good)},
		{reason: auth.UnknownProxy, path: "/verify/squid", headers: with(good)},
		{reason: auth.AliasedHeader, path: "/verify", headers: append(with(good), "X_Auth_User: root")},
		{reason: auth.RateLimited, path: "/verify", headers: with(limitedKey(m, "Fast"))},
		{reason: auth.QuotaExceeded, path: "/verify", headers: with(limitedKey(m, "Much"))},
		{reason: auth.Unavailable, path: "/verify", headers: with(good), before: outage(auth.ErrUnavailable), after: healed},
		{reason: auth.LeaseLost, path: "/verify", headers: with(good), before: outage(auth.ErrLeaseLost), after: healed},
		{reason: auth.Undecided, path: "/verify", headers: with(good), before: func() { m.fail(nil, "a bug") }, after: healed},
	}
}

// mistyped changes one character of an own key.
func mistyped(own string) string {
	c := "x"
	if own[10] == 'x' {
		c = "y"
	}
	return own[:10] + c + own[11:]
}

// logged is the last line about a decision.
func (f *fixture) logged() map[string]any {
	f.t.Helper()
	lines := f.log.lines(`"reason":`)
	if len(lines) == 0 {
		f.t.Fatal("nothing was logged")
	}
	m := map[string]any{}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &m); err != nil {
		f.t.Fatal(err)
	}
	return m
}

// request is the asked as it goes over the wire.
func (a asked) request(method string) string {
	return head(method+" "+a.path+" HTTP/1.1", a.headers...)
}

func (f *fixture) raise(a asked, method string) wire {
	f.t.Helper()
	if a.before != nil {
		a.before()
	}
	w := f.send(a.request(method))
	if a.after != nil {
		a.after()
	}
	return w
}

func TestEveryReasonOverHTTP(t *testing.T) {
	f, table := everyReason(t)
	reached := map[auth.Reason]bool{}
	for _, a := range table {
		reached[a.reason] = true
		w := f.raise(a, http.MethodGet)
		want := answer.Of(a.reason)
		if w.status != want.Status {
			t.Errorf("%s is answered %d, want %d", a.reason, w.status, want.Status)
		}
		if a.reason == auth.Undecided {
			continue // panic_test.go has its log line
		}
		if got := f.logged()["reason"]; got != a.reason.String() {
			t.Errorf("the log gives the reason %v, want %s", got, a.reason)
		}
		checkProblem(t, a.reason.String(), w, want.Status, want.Code)
	}
	for r := range auth.Reasons {
		if !reached[r] {
			t.Errorf("no request is known that has the reason %s", r)
		}
	}
}

// checkProblem holds a body against RFC 9457 and what is promised of it.
func checkProblem(t *testing.T, name string, w wire, status int, code string) {
	t.Helper()
	if status == http.StatusOK {
		if w.body != "" {
			t.Errorf("%s: an allow has the body %q", name, w.body)
		}
		return
	}
	var p map[string]any
	if err := json.Unmarshal([]byte(w.body), &p); err != nil {
		t.Errorf("%s: the body is no JSON: %v\n%s", name, err, w.body)
		return
	}
	id, _ := p["request_id"].(string)
	detail, _ := p["detail"].(string)
	if p["title"] != http.StatusText(status) || p["status"] != float64(status) || p["code"] != code || detail == "" || id == "" || len(p) != 5 {
		t.Errorf("%s: the body is %s", name, w.body)
	}
	if !strings.HasSuffix(w.body, "}\n") {
		t.Errorf("%s: the body does not end with its line", name)
	}
}
