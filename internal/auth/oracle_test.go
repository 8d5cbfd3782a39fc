package auth_test

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"authd/internal/auth"
)

// world is everything that a decision may depend on, as people would write it down.
type world struct {
	record     auth.Record
	secret     auth.SecretInfo
	overridden bool
	base       auth.Requirement
	rules      []auth.Rule
	noPolicy   bool
	shadow     bool // the policy only shadows
	lenient    bool // inactive users pass

	sent      string // "", or what the request carries
	several   bool
	known     bool // the store knows what was sent
	outage    bool
	limited   auth.Reason
	noLimiter bool
	takes     int // how often a limit was asked
	req       auth.Request
}

// permits says what the rules of a deployment come to, in no order and
// without a Checker: whether all of them hold.
func (w *world) permits() bool {
	path, pathOK := plainPath(w.req.Path)
	need, told := w.asked(path, pathOK)
	if told && need.Preflight && w.req.Preflight && w.req.Vouched {
		return true
	}
	if w.sent == "" && !w.several {
		return told && need.Anonymous
	}
	r, at := &w.record, w.req.At
	restrictions := &r.Restrictions
	return !slices.Contains([]bool{
		!w.several,
		w.known && !w.outage, // only values that are well formed are known
		!w.overridden,
		r.RevokedAt.IsZero() && !w.secret.Revoked,
		r.Active,
		r.UserActive || w.lenient,
		r.NotBefore.IsZero() || !at.Before(r.NotBefore),
		r.ExpiresAt.IsZero() || at.Before(r.ExpiresAt),
		w.secret.ExpiresAt.IsZero() || at.Before(w.secret.ExpiresAt),
		told,
		need.Groups == nil || shareOne(need.Groups, r.Groups),
		isSubset(need.Scopes, r.Scopes),
		restrictions.IsZero() || w.req.Vouched,
		len(restrictions.Hosts) == 0 || w.req.Host != "" && globs(restrictions.Hosts).MatchString(w.req.Host),
		len(restrictions.Methods) == 0 || slices.Contains(restrictions.Methods, w.req.Method),
		len(restrictions.Paths) == 0 || pathOK && liesUnder(path, restrictions.Paths),
		len(restrictions.CIDRs) == 0 || w.insideOne(restrictions.CIDRs),
		r.Limits.IsZero() && r.UserLimits.IsZero() || !w.noLimiter && w.limited == auth.Allowed,
	}, false)
}

// asked finds the requirement, or says that it can't be told.
func (w *world) asked(path string, pathOK bool) (auth.Requirement, bool) {
	if w.noPolicy || w.shadow {
		return auth.Requirement{}, true
	}
	for _, r := range w.rules {
		if len(r.Paths) > 0 && (!w.req.Vouched || !pathOK) || len(r.Methods) > 0 && (!w.req.Vouched || !methodForm.MatchString(w.req.Method)) {
			return auth.Requirement{}, false
		}
	}
	need := w.base
	for _, r := range w.rules {
		if len(r.Paths) > 0 && !liesUnder(path, r.Paths) || len(r.Methods) > 0 && !slices.Contains(r.Methods, w.req.Method) {
			continue
		}
		if r.Groups != nil {
			need.Groups = r.Groups
		}
		if r.Scopes != nil {
			need.Scopes = r.Scopes
		}
		if r.Anonymous != nil {
			need.Anonymous = *r.Anonymous
		}
		if r.Preflight != nil {
			need.Preflight = *r.Preflight
		}
		break
	}
	return need, true
}

func (w *world) insideOne(nets []netip.Prefix) bool {
	for _, n := range nets {
		if a := w.req.Client; a.IsValid() && (n.Contains(a) || a.Is4In6() && n.Contains(netip.AddrFrom4(a.As4()))) {
			return true
		}
	}
	return false
}

var (
	methodForm = regexp.MustCompile(`^[A-Z0-9_-]+$`)
	doubtful   = regexp.MustCompile("(?i)%2[ef5]|[\\\\;#?\x00-\x1f\x7f]")
)

// plainPath decodes a path, where there is but one way to read it.
func plainPath(raw string) (string, bool) {
	decoded, err := url.PathUnescape(raw)
	ok := err == nil && strings.HasPrefix(raw, "/") && !doubtful.MatchString(raw) && !doubtful.MatchString(decoded) && utf8.ValidString(decoded)
	clean := path.Clean("/" + decoded)
	return decoded, ok && (clean == decoded || clean+"/" == decoded)
}

func liesUnder(path string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(path, strings.TrimSuffix(p, "/")+"/") || path == p {
			return true
		}
	}
	return false
}

func shareOne(a, b []string) bool {
	for _, s := range a {
		if slices.Contains(b, s) {
			return true
		}
	}
	return false
}

func isSubset(a, b []string) bool {
	for _, s := range a {
		if !slices.Contains(b, s) {
			return false
		}
	}
	return true
}

// globs is one pattern for them all.
func globs(list []string) *regexp.Regexp {
	var any []string
	for _, g := range list {
		any = append(any, strings.ReplaceAll(regexp.QuoteMeta(g), `\*`, ".*"))
	}
	return regexp.MustCompile(`\A(?s:` + strings.Join(any, "|") + `)\z`)
}

func (w *world) ByDigest(_ context.Context, d auth.Digest) (*auth.Key, error) {
	switch {
	case w.outage:
		return nil, auth.ErrUnavailable
	case !w.known:
		return nil, auth.ErrKeyNotFound
	}
	s := w.secret
	s.Digest = d
	k := auth.NewKey(&w.record, s)
	k.Overridden = w.overridden
	return k, nil
}

func (w *world) ByName(context.Context, string) (*auth.Key, error) { return nil, auth.ErrKeyNotFound }

func (w *world) Take(context.Context, *auth.Key, time.Time, string) (auth.LimitState, error) {
	w.takes++
	if w.limited == auth.Unavailable {
		return auth.LimitState{}, errors.New("the counters are away")
	}
	return auth.LimitState{Reason: w.limited}, nil
}

func (w *world) checker() *auth.Checker {
	var l auth.Limiter
	if !w.noLimiter {
		l = w
	}
	return auth.NewChecker(auth.NewDigester("ak"), w, l, auth.Options{AllowInactiveUsers: w.lenient})
}

func (w *world) request(t *rapid.T) *auth.Request {
	req := w.req
	req.Credential = auth.Credential{Secret: auth.RawSecret(w.sent), Several: w.several}
	if !w.noPolicy {
		p, err := auth.NewPolicy("p", w.base, w.rules)
		if err != nil {
			t.Fatal(err)
		}
		if req.Policy = p; w.shadow {
			req.Policy = p.Shadow()
		}
	}
	return &req
}
