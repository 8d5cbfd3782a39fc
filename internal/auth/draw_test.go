package auth_test

import (
	"net/netip"
	"time"

	"pgregory.net/rapid"

	"authd/internal/auth"
)

// rarely is true once in a while: a world in which everything is wrong passes nothing, and shows little.
func rarely(t *rapid.T, what string) bool { return rapid.IntRange(0, 15).Draw(t, what) == 15 }

func someOf(t *rapid.T, what string, most int, of ...string) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(of), 0, most, rapid.ID[string]).Draw(t, what)
}

// list is nil, empty, or has some.
func list(t *rapid.T, what string, most int, of ...string) []string {
	if rapid.IntRange(0, 2).Draw(t, what+" asked") != 0 {
		return nil
	}
	return someOf(t, what, most, of...)
}

func moment(t *rapid.T, what string, mostly time.Time) time.Time {
	switch rapid.IntRange(0, 9).Draw(t, what) {
	case 0:
		return noon.Add(-time.Millisecond)
	case 1:
		return noon
	case 2:
		return noon.Add(time.Millisecond)
	case 3, 4:
		return mostly
	}
	return time.Time{}
}

func maybe(t *rapid.T, what string) *bool {
	return rapid.Ptr(rapid.Bool(), true).Draw(t, what)
}

var (
	groups  = []string{"a", "b", "c"}
	scopes  = []string{"r", "w", "x"}
	methods = []string{"GET", "POST", "OPTIONS"}
	paths   = []string{"/", "/a", "/a/", "/a/b", "/é"}
	sent    = []string{"/", "/a", "/a/", "/a/b", "/a/b/c", "/ab", "/%61/b", "/%C3%A9/x", "/a//b", "/a/../b", "/a/%2e%2e", "/a%2fb", "/a;b", "a", "", "/%ff", "/a/.b"}
	nets    = []string{"10.0.0.0/8", "2001:db8::/32", "192.0.2.1/32", "0.0.0.0/0"}
	clients = []string{"10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1", "192.0.2.1", "192.0.2.2"}
)

func drawRestrictions(t *rapid.T) auth.Restrictions {
	if rapid.Bool().Draw(t, "unrestricted") {
		return auth.Restrictions{}
	}
	r := auth.Restrictions{
		Hosts:   list(t, "own hosts", 2, "*", "a.example.com", "*.example.com", "b.*"),
		Methods: list(t, "own methods", 2, methods...),
		Paths:   list(t, "own paths", 2, paths...),
	}
	for _, n := range list(t, "own networks", 2, nets...) {
		r.CIDRs = append(r.CIDRs, netip.MustParsePrefix(n))
	}
	return r
}

func drawRecord(t *rapid.T) auth.Record {
	r := auth.Record{
		ID: "id", Name: "n", Slug: "n", User: "u",
		Active: !rarely(t, "disabled"), UserActive: !rarely(t, "user off"),
		NotBefore: moment(t, "not before", noon.Add(-time.Hour)), ExpiresAt: moment(t, "expires", noon.Add(time.Hour)),
		Groups: someOf(t, "own groups", 3, groups...), Scopes: someOf(t, "own scopes", 3, scopes...),
		Restrictions: drawRestrictions(t),
	}
	if rarely(t, "revoked") {
		r.RevokedAt = noon
	}
	if rapid.Bool().Draw(t, "limited") {
		r.Limits.Quota = auth.Quota{Count: 1, Per: "d"}
	}
	if rapid.Bool().Draw(t, "user limited") {
		r.UserLimits.Quota = auth.Quota{Count: 1, Per: "d"}
	}
	return r
}

func drawRules(t *rapid.T) (rules []auth.Rule) {
	for range rapid.IntRange(0, 3).Draw(t, "rules") {
		rules = append(rules, auth.Rule{
			Paths: list(t, "rule's paths", 2, paths...), Methods: list(t, "rule's methods", 2, methods...),
			Groups: list(t, "rule's groups", 3, groups...), Scopes: list(t, "rule's scopes", 2, scopes...),
			Anonymous: maybe(t, "rule's anonymous"), Preflight: maybe(t, "rule's preflight"),
		})
	}
	return rules
}

func drawWorld(t *rapid.T) *world {
	w := &world{
		record:     drawRecord(t),
		secret:     auth.SecretInfo{Revoked: rarely(t, "secret revoked"), ExpiresAt: moment(t, "secret expires", noon.Add(time.Hour))},
		overridden: rarely(t, "overridden"),
		base: auth.Requirement{
			Groups: list(t, "groups", 3, groups...), Scopes: list(t, "scopes", 2, scopes...),
			Anonymous: rarely(t, "anonymous"), Preflight: rapid.Bool().Draw(t, "preflight passes"),
		},
		rules: drawRules(t), noPolicy: rarely(t, "no policy"), shadow: rarely(t, "shadow"), lenient: rapid.Bool().Draw(t, "lenient"),
		limited:   rapid.SampledFrom([]auth.Reason{auth.Allowed, auth.Allowed, auth.Allowed, auth.RateLimited, auth.QuotaExceeded, auth.Unavailable, auth.Undecided}).Draw(t, "limiter"),
		noLimiter: rarely(t, "no limiter"),
	}
	w.drawRequest(t)
	return w
}

func (w *world) drawRequest(t *rapid.T) {
	good := auth.NewSecret("ak").Reveal()
	w.sent, w.several, w.outage = good, rarely(t, "several"), rarely(t, "outage")
	w.known = !rarely(t, "unknown")
	if rarely(t, "none") {
		w.sent = ""
	}
	if rarely(t, "malformed") { // what is no key can't be known
		w.sent, w.known = rapid.SampledFrom([]string{"x", good[:38] + "!,", good[:38] + string(other(good[38])), "é" + good}).Draw(t, "sent"), false
	}
	w.req = auth.Request{
		At: noon, Vouched: !rarely(t, "unvouched"), Preflight: rarely(t, "preflight"),
		Method: rapid.SampledFrom([]string{"GET", "GET", "POST", "OPTIONS", "PATCH", "get", ""}).Draw(t, "method"),
		Host:   rapid.SampledFrom([]string{"a.example.com", "b.example.com", "b.x", "example.com", ""}).Draw(t, "host"),
		Path:   rapid.SampledFrom(sent).Draw(t, "path"),
	}
	if !rarely(t, "no client") {
		w.req.Client = netip.MustParseAddr(rapid.SampledFrom(clients).Draw(t, "client"))
	}
}
