package paritytest

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"authd/internal/auth"
)

// World is what the cases are judged in. A transport is built over Checker and
// Policies, with credentials from Sources, and trusts the peer that asks, but
// none of the clients.
type World struct {
	Checker  *auth.Checker
	Policies map[string]*auth.Policy
	Sources  []string // as the configuration writes them

	finder  *finder
	keys    map[string]*auth.Key
	secrets map[string]string
}

// finder fails as the case wants.
type finder struct {
	keys map[auth.Digest]*auth.Key
	err  error
}

func (f *finder) ByDigest(_ context.Context, d auth.Digest) (*auth.Key, error) {
	switch k := f.keys[d]; {
	case f.err != nil:
		return nil, f.err
	case k != nil:
		return k, nil
	}
	return nil, auth.ErrKeyNotFound
}

func (f *finder) ByName(context.Context, string) (*auth.Key, error) {
	return nil, errors.New("no transport asks by name")
}

// states are a Limiter's answers, by the key's name.
type states map[string]auth.LimitState

func (s states) Take(_ context.Context, k *auth.Key, _ time.Time, _ string) (auth.LimitState, error) {
	if state, ok := s[k.Name]; ok {
		return state, nil
	}
	return auth.LimitState{}, errors.New("the counters are away")
}

var limitStates = states{
	"Slow": {Reason: auth.Allowed, Policy: `"rate";q=100;w=60`, State: `"rate";r=99;t=1`},
	"Fast": {Reason: auth.RateLimited, RetryAfter: 1500 * time.Millisecond, Policy: `"rate";q=100;w=60`, State: `"rate";r=0;t=2`},
	"Much": {Reason: auth.QuotaExceeded, RetryAfter: time.Hour, Policy: `"quota";q=10;w=86400`, State: `"quota";r=0;t=3600`},
}

func newWorld(t testing.TB) *World {
	w := &World{
		Policies: policies(t), Sources: []string{"header:API-KEY", "header:X-API-Key", "bearer"},
		finder: &finder{keys: map[auth.Digest]*auth.Key{}},
		keys:   map[string]*auth.Key{}, secrets: map[string]string{},
	}
	digester := auth.NewDigester("ak")
	w.Checker = auth.NewChecker(digester, w.finder, limitStates, auth.Options{})
	for _, r := range records() {
		s := auth.NewSecret("ak")
		d := digester.Current().Digest(s)
		k := auth.NewKey(r, auth.SecretInfo{Digest: d})
		k.Overridden = r.Name == "Overridden"
		w.keys[r.Name], w.finder.keys[d], w.secrets[r.Name] = k, k, s.Reveal()
	}
	w.secrets["unknown"] = auth.NewSecret("ak").Reveal()
	good := w.secrets["Partner sync"]
	w.secrets["mistyped"] = good[:10] + other(good[10]) + good[11:]
	return w
}

func other(c byte) string {
	if c == 'x' {
		return "y"
	}
	return "x"
}

// records are the keys, as they stand in a store.
func records() []*auth.Record {
	key := func(name string, edit func(*auth.Record)) *auth.Record {
		r := &auth.Record{
			ID: "0190-" + auth.Slug(name), Name: name, Slug: auth.Slug(name),
			User: "partner@example.com", UserActive: true, Active: true,
		}
		edit(r)
		return r
	}
	limited := func(r *auth.Record) { r.Limits.Rate = auth.Rate{Count: 100, Per: time.Minute} }
	return []*auth.Record{
		key("Partner sync", func(r *auth.Record) {
			r.Groups, r.Scopes = []string{"partner", "gold"}, []string{"shop:read", "shop:write"}
		}),
		key("Plain", func(*auth.Record) {}),
		key("Zoë, 100%", func(r *auth.Record) { r.User = "zoë" }),
		key("Bound", func(r *auth.Record) {
			r.Restrictions = auth.Restrictions{
				Hosts: []string{"*.example.com"}, Methods: []string{"GET", "POST"}, Paths: []string{"/api/"},
				CIDRs: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")},
			}
		}),
		key("Revoked", func(r *auth.Record) { r.RevokedAt = time.Now().Add(-time.Hour) }),
		key("Overridden", func(*auth.Record) {}),
		key("Disabled", func(r *auth.Record) { r.Active = false }),
		key("Left", func(r *auth.Record) { r.UserActive = false }),
		key("Soon", func(r *auth.Record) { r.NotBefore = time.Now().Add(time.Hour) }),
		key("Expired", func(r *auth.Record) { r.ExpiresAt = time.Now().Add(-time.Hour) }),
		key("Slow", limited), key("Fast", limited), key("Much", limited), key("Uncounted", limited),
	}
}

func policies(t testing.TB) map[string]*auth.Policy {
	yes := true
	all := map[string]*auth.Policy{}
	add := func(name string, base auth.Requirement, rules ...auth.Rule) {
		p, err := auth.NewPolicy(name, base, rules)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = p
	}
	add("partners", auth.Requirement{Groups: []string{"silver", "gold"}})
	add("nobody", auth.Requirement{Groups: []string{}})
	add("shop", auth.Requirement{Scopes: []string{"shop:read", "shop:write"}})
	add("open", auth.Requirement{Anonymous: true})
	add("cors", auth.Requirement{Preflight: true})
	add("ruled", auth.Requirement{Scopes: []string{"admin"}},
		auth.Rule{Paths: []string{"/public/"}, Anonymous: &yes, Scopes: []string{}},
		auth.Rule{Paths: []string{"/shop"}, Methods: []string{"GET", "HEAD"}, Scopes: []string{"shop:read"}},
		auth.Rule{Paths: []string{"/shop"}, Scopes: []string{"shop:delete"}})
	return all
}

// fill puts secrets into the place of their names: {Partner sync} is the one of that key.
func (w *World) fill(t testing.TB, s string) string {
	before, rest, ok := strings.Cut(s, "{")
	if !ok {
		return s
	}
	name, after, _ := strings.Cut(rest, "}")
	secret, ok := w.secrets[name]
	if !ok {
		t.Fatalf("no key has the name %q", name)
	}
	return before + secret + w.fill(t, after)
}
