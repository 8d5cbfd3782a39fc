package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"authd/internal/auth"
)

// scene is a request and all that is asked about it. As allowedScene makes it, it
// passes every step of the decision; each fault then spoils one of them.
type scene struct {
	req     auth.Request
	record  auth.Record
	secret  auth.SecretInfo
	value   auth.Secret // of the stored key; the request may carry another
	edit    func(*auth.Key)
	find    func(auth.Digest, *auth.Key) (*auth.Key, error)
	limit   auth.LimitState
	limitBy error
	options auth.Options

	taken int // how often the limits were asked
}

// ByDigest answers the key of the scene, if it is this one.
func (s *scene) ByDigest(_ context.Context, d auth.Digest) (*auth.Key, error) {
	s.secret.Digest = auth.Pepper{}.Digest(s.value)
	k := auth.NewKey(&s.record, s.secret)
	if s.edit != nil {
		s.edit(k)
	}
	if s.find != nil {
		return s.find(d, k)
	}
	if d != k.Digest {
		return nil, auth.ErrKeyNotFound
	}
	return k, nil
}

func (s *scene) ByName(context.Context, string) (*auth.Key, error) { return nil, auth.ErrKeyNotFound }

func (s *scene) Take(_ context.Context, _ *auth.Key, at time.Time, _ string) (auth.LimitState, error) {
	s.taken++
	if !at.Equal(s.req.At) {
		return auth.LimitState{}, errors.New("counted at another time than the request's")
	}
	return s.limit, s.limitBy
}

func (s *scene) decide() auth.Decision {
	s.taken = 0
	return auth.NewChecker(auth.NewDigester("ak"), s, s, s.options).Check(context.Background(), &s.req)
}

func mustPolicy(tb testing.TB, base auth.Requirement, rules ...auth.Rule) *auth.Policy {
	tb.Helper()
	p, err := auth.NewPolicy("partners", base, rules)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func allowedScene(tb testing.TB) *scene {
	s := &scene{record: goodRecord(), value: auth.NewSecret("ak"), limit: auth.LimitState{Reason: auth.Allowed}}
	s.record.Restrictions = auth.Restrictions{
		Hosts: []string{"*.example.com"}, Methods: []string{"GET", "OPTIONS"}, Paths: []string{"/v1/"}, CIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
	}
	s.record.Limits.Rate = auth.Rate{Count: 1, Per: time.Second}
	s.record.NotBefore, s.record.ExpiresAt, s.secret.ExpiresAt = noon, noon.Add(time.Hour), noon.Add(time.Hour)
	s.req = auth.Request{
		Credential: auth.Credential{Secret: s.value}, At: noon,
		Policy: mustPolicy(tb, auth.Requirement{Groups: []string{}}, auth.Rule{
			Paths: []string{"/v1/"}, Methods: []string{"GET", "OPTIONS"}, Groups: []string{"nobody", "partner"}, Scopes: []string{"shop:read"},
		}),
		Vouched: true, Method: "GET", Host: "a.example.com", Path: "/v1/x", Client: netip.MustParseAddr("10.1.2.3"),
	}
	return s
}

// fault spoils a scene.
type fault struct {
	name   string
	want   auth.Reason
	spoil  func(*scene)
	nobody bool // the decision knows no key
}

func answers(err error) func(*scene) {
	return func(s *scene) {
		s.find = func(auth.Digest, *auth.Key) (*auth.Key, error) { return nil, err }
	}
}

func carries(s *scene, raw string) { s.req.Credential.Secret = auth.RawSecret(raw) }

// faults are in the order of the decision.
var faults = []fault{
	{"several credentials", auth.SeveralCredentials, func(s *scene) { s.req.Credential.Several = true }, true},
	{"none", auth.MissingCredential, func(s *scene) { s.req.Credential.Secret = auth.Secret{} }, true},
	{"a short one", auth.MalformedCredential, func(s *scene) { carries(s, "short") }, true},
	{"a mistyped one", auth.BadChecksum, func(s *scene) { carries(s, "ak_00000000000000000000000000000011111111"[:39]) }, true},

	{"a store that is away", auth.Unavailable, answers(fmt.Errorf("dial: %w", auth.ErrUnavailable)), true},
	{"a store that says something else", auth.Unavailable, answers(errors.New("syntax error")), true},
	{"a store that is slow", auth.Unavailable, answers(fmt.Errorf("%w, or %w", auth.ErrKeyNotFound, context.DeadlineExceeded)), true},
	{"a caller that is gone", auth.Unavailable, answers(fmt.Errorf("%w, or %w", auth.ErrKeyNotFound, context.Canceled)), true},
	{"a store that may not know", auth.Unavailable, answers(fmt.Errorf("%w, or %w", auth.ErrKeyNotFound, auth.ErrUnavailable)), true},
	{"nothing at all", auth.Unavailable, answers(nil), true},
	{"another key", auth.Unavailable, func(s *scene) {
		s.find = func(_ auth.Digest, k *auth.Key) (*auth.Key, error) { k.Digest[0] ^= 1; return k, nil }
	}, true},
	{"a lost lease", auth.LeaseLost, answers(fmt.Errorf("replica: %w", auth.ErrLeaseLost)), true},
	{"an unknown key", auth.UnknownKey, answers(fmt.Errorf("sqlite: %w", auth.ErrKeyNotFound)), true},

	{"an overridden value", auth.Overridden, func(s *scene) { s.edit = func(k *auth.Key) { k.Overridden = true } }, false},
	{"a revoked key", auth.Revoked, func(s *scene) { s.record.RevokedAt = noon.Add(time.Hour) }, false},
	{"a revoked secret", auth.Revoked, func(s *scene) { s.secret.Revoked = true }, false},
	{"a disabled key", auth.Disabled, func(s *scene) { s.record.Active = false }, false},
	{"an inactive user", auth.UserInactive, func(s *scene) { s.record.UserActive = false }, false},
	{"a key of the future", auth.NotYetValid, func(s *scene) { s.record.NotBefore = noon.Add(time.Millisecond) }, false},
	{"an expired key", auth.Expired, func(s *scene) { s.record.ExpiresAt = noon }, false},
	{"a replaced secret", auth.SecretExpired, func(s *scene) { s.secret.ExpiresAt = noon }, false},

	{"nobody vouches", auth.Unvouched, func(s *scene) { s.req.Vouched = false }, false},
	{"a method in lower case", auth.ForbiddenMethod, func(s *scene) { s.req.Method = "get" }, false},
	{"an ambiguous path", auth.AmbiguousPath, func(s *scene) { s.req.Path = "/v1/../v1/x" }, false},
	{"a route for nobody", auth.ForbiddenGroup, func(s *scene) { s.req.Path = "/v2" }, false},
	{"another group", auth.ForbiddenGroup, func(s *scene) { s.record.Groups = []string{"partners", "PARTNER"} }, false},
	{"a scope too few", auth.ForbiddenScope, func(s *scene) { s.record.Scopes = []string{"shop"} }, false},
	{"another host", auth.ForbiddenHost, func(s *scene) { s.req.Host = "example.org" }, false},
	{"another method", auth.ForbiddenMethod, func(s *scene) { s.record.Restrictions.Methods = []string{"POST"} }, false},
	{"another path", auth.ForbiddenPath, func(s *scene) { s.record.Restrictions.Paths = []string{"/v1/y"} }, false},
	{"another network", auth.ForbiddenNetwork, func(s *scene) { s.req.Client = netip.MustParseAddr("192.0.2.1") }, false},

	{"counters that are away", auth.Unavailable, func(s *scene) { s.limitBy = errors.New("the counters are away") }, false},
	{"a rate that is used up", auth.RateLimited, func(s *scene) { s.limit.Reason = auth.RateLimited }, false},
	{"a quota that is used up", auth.QuotaExceeded, func(s *scene) { s.limit.Reason = auth.QuotaExceeded }, false},
	{"a limiter that says nothing", auth.Undecided, func(s *scene) { s.limit = auth.LimitState{} }, false},
}

// countsFrom is where the faults of the last step begin.
func countsFrom(t *testing.T) int {
	for i, f := range faults {
		if f.name == "counters that are away" {
			return i
		}
	}
	t.Fatal("no fault of the limits")
	return 0
}

func TestEachFaultHasItsReason(t *testing.T) {
	if d := allowedScene(t).decide(); d.Reason != auth.Allowed || d.Key == nil || d.Key.Name != "Partner sync" || d.Err != nil {
		t.Fatalf("without a fault: %s, %v", d.Reason, d.Err)
	}
	limits := countsFrom(t)
	for i, f := range faults {
		s := allowedScene(t)
		f.spoil(s)
		d := s.decide()
		if d.Reason != f.want || d.Reason.Allows() {
			t.Errorf("%s: %s, want %s", f.name, d.Reason, f.want)
		}
		if (d.Key == nil) != f.nobody {
			t.Errorf("%s: the decision tells the key %v", f.name, d.Key)
		}
		if outage := d.Reason == auth.Unavailable || d.Reason == auth.LeaseLost; (d.Err != nil) != outage {
			t.Errorf("%s: the error is %v", f.name, d.Err)
		}
		if want := map[bool]int{true: 1}[i >= limits]; s.taken != want {
			t.Errorf("%s: counted %d times, want %d", f.name, s.taken, want)
		}
	}
}

// Whatever else is wrong with a request, the first step that objects is the one that is told.
func TestEarlierFaultsComeFirst(t *testing.T) {
	limits := countsFrom(t)
	for i, first := range faults {
		for _, second := range faults[i+1:] {
			s := allowedScene(t)
			second.spoil(s)
			first.spoil(s)
			if d := s.decide(); d.Reason != first.want {
				t.Errorf("%s and %s: %s, want %s", first.name, second.name, d.Reason, first.want)
			}
			if i < limits && s.taken > 0 {
				t.Errorf("%s and %s: a request that is denied was counted", first.name, second.name)
			}
		}
	}
}

// Every reason is one that a Checker gives, but for those that belong to what asks it.
func TestEveryReasonIsReached(t *testing.T) {
	reached := map[auth.Reason]bool{
		auth.Allowed: true, auth.AllowedAnonymous: true, auth.AllowedPreflight: true, // see below
		auth.UnknownPolicy: true, auth.UnknownProxy: true, auth.AliasedHeader: true, // internal/api gives them
	}
	for _, f := range faults {
		reached[f.want] = true
	}
	names := map[string]auth.Reason{}
	for r := range auth.Reasons {
		if !reached[r] {
			t.Errorf("no test leads to %s", r)
		}
		if before, ok := names[r.String()]; ok || r.String() == "" {
			t.Errorf("reasons %d and %d are both called %q", before, r, r)
		}
		names[r.String()] = r
		if want := r == auth.Allowed || r == auth.AllowedAnonymous || r == auth.AllowedPreflight; r.Allows() != want {
			t.Errorf("%s allows: %v", r, r.Allows())
		}
	}
	if r := auth.Reasons + 7; r.Allows() || r.String() != fmt.Sprintf("reason_%d", uint8(r)) {
		t.Errorf("a reason that there is not: %s, allows: %v", r, r.Allows())
	}
	if (auth.Decision{}).Reason.Allows() {
		t.Error("the zero Decision allows")
	}
}

func TestNoLookUpForWhatCanBeNoKey(t *testing.T) {
	for _, f := range faults[:4] {
		s := allowedScene(t)
		f.spoil(s)
		s.find = func(auth.Digest, *auth.Key) (*auth.Key, error) {
			t.Errorf("%s: looked up", f.name)
			return nil, auth.ErrKeyNotFound
		}
		s.decide()
	}
}

func TestAnonymous(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*scene)
		want  auth.Reason
	}{
		"no key":             {func(s *scene) { s.req.Credential = auth.Credential{} }, auth.AllowedAnonymous},
		"no key, unvouched":  {func(s *scene) { s.req.Credential, s.req.Vouched = auth.Credential{}, false }, auth.AllowedAnonymous},
		"a good key":         {func(*scene) {}, auth.Allowed},
		"several":            {func(s *scene) { s.req.Credential = auth.Credential{Several: true} }, auth.SeveralCredentials},
		"a short one":        {func(s *scene) { carries(s, "x") }, auth.MalformedCredential},
		"an unknown key":     {func(s *scene) { s.req.Credential.Secret = auth.NewSecret("ak") }, auth.UnknownKey},
		"a revoked key":      {func(s *scene) { s.record.RevokedAt = noon }, auth.Revoked},
		"a key of elsewhere": {func(s *scene) { s.req.Host = "example.org" }, auth.ForbiddenHost},
	} {
		s := allowedScene(t)
		s.req.Policy = mustPolicy(t, auth.Requirement{Anonymous: true})
		c.spoil(s)
		d := s.decide()
		if d.Reason != c.want || (c.want == auth.AllowedAnonymous && d.Key != nil) {
			t.Errorf("%s: %s, want %s", name, d.Reason, c.want)
		}
	}
	// Where the rules can't be told apart, nothing is anonymous.
	yes := true
	for name, spoil := range map[string]func(*scene){
		"nobody vouches": func(s *scene) { s.req.Vouched = false }, "an ambiguous path": func(s *scene) { s.req.Path = "/public/../admin" },
	} {
		s := allowedScene(t)
		s.req.Credential = auth.Credential{}
		s.req.Policy = mustPolicy(t, auth.Requirement{Anonymous: true}, auth.Rule{Paths: []string{"/public/"}, Anonymous: &yes})
		if spoil(s); s.decide().Reason != auth.MissingCredential {
			t.Errorf("%s: %s without a key, want missing_credential", name, s.decide().Reason)
		}
	}
}

func TestPreflight(t *testing.T) {
	lenient, strict := auth.Requirement{Preflight: true, Groups: []string{}}, auth.Requirement{Groups: []string{}}
	yes := true
	for name, c := range map[string]struct {
		policy *auth.Policy
		spoil  func(*scene)
		want   auth.Reason
	}{
		"a preflight":            {mustPolicy(t, lenient), func(*scene) {}, auth.AllowedPreflight},
		"with a bad key":         {mustPolicy(t, lenient), func(s *scene) { carries(s, "x") }, auth.AllowedPreflight},
		"nobody vouches":         {mustPolicy(t, lenient), func(s *scene) { s.req.Vouched = false }, auth.MissingCredential},
		"no preflight":           {mustPolicy(t, lenient), func(s *scene) { s.req.Preflight = false }, auth.MissingCredential},
		"none are let pass":      {mustPolicy(t, strict), func(*scene) {}, auth.MissingCredential},
		"no policy":              {nil, func(*scene) {}, auth.MissingCredential},
		"a rule lets them pass":  {mustPolicy(t, strict, auth.Rule{Methods: []string{"OPTIONS"}, Preflight: &yes}), func(*scene) {}, auth.AllowedPreflight},
		"a rule for other paths": {mustPolicy(t, strict, auth.Rule{Paths: []string{"/v2"}, Preflight: &yes}), func(*scene) {}, auth.MissingCredential},
		"rules can't be told":    {mustPolicy(t, lenient, auth.Rule{Paths: []string{"/v2"}}), func(s *scene) { s.req.Path = "//" }, auth.MissingCredential},
	} {
		s := allowedScene(t)
		s.req.Policy, s.req.Credential, s.req.Method, s.req.Preflight = c.policy, auth.Credential{}, "OPTIONS", true
		c.spoil(s)
		if d := s.decide(); d.Reason != c.want || d.Key != nil {
			t.Errorf("%s: %s, want %s", name, d.Reason, c.want)
		}
	}
}

func TestInactiveUsersPassWhereTheOperatorSaysSo(t *testing.T) {
	s := allowedScene(t)
	s.record.UserActive, s.options.AllowInactiveUsers = false, true
	if d := s.decide(); d.Reason != auth.Allowed {
		t.Errorf("an inactive user: %s, want ok", d.Reason)
	}
	s.record.Active = false
	if d := s.decide(); d.Reason != auth.Disabled {
		t.Errorf("a disabled key of an inactive user: %s, want disabled", d.Reason)
	}
}

func TestTimesAreBoundsToTheMillisecond(t *testing.T) {
	for name, c := range map[string]struct {
		at   time.Time
		want auth.Reason
	}{
		"the first":  {noon, auth.Allowed},
		"before":     {noon.Add(-time.Millisecond), auth.NotYetValid},
		"the last":   {noon.Add(time.Hour - time.Nanosecond), auth.Allowed},
		"after":      {noon.Add(time.Hour), auth.Expired},
		"long after": {noon.AddDate(500, 0, 0), auth.Expired},
	} {
		s := allowedScene(t)
		s.req.At = c.at
		if d := s.decide(); d.Reason != c.want {
			t.Errorf("%s: %s, want %s", name, d.Reason, c.want)
		}
	}
}

// To a clock that was never set every end has come; what has no end goes on.
func TestClockBefore1970(t *testing.T) {
	for name, at := range map[string]time.Time{"never set": {}, "1969": time.UnixMilli(-1), "the first moment": time.UnixMilli(0)} {
		for what, c := range map[string]struct {
			change func(*scene)
			want   auth.Reason
		}{
			"a key that ends":        {func(s *scene) { s.record.ExpiresAt = noon }, auth.Expired},
			"a secret that ends":     {func(s *scene) { s.secret.ExpiresAt = noon }, auth.SecretExpired},
			"a key that begins":      {func(s *scene) { s.record.NotBefore = noon }, auth.NotYetValid},
			"a key without bounds":   {func(*scene) {}, auth.Allowed},
			"a key that began early": {func(s *scene) { s.record.NotBefore = time.UnixMilli(0) }, auth.NotYetValid},
		} {
			s := allowedScene(t)
			s.record.NotBefore, s.record.ExpiresAt, s.secret.ExpiresAt, s.req.At = time.Time{}, time.Time{}, time.Time{}, at
			c.change(s)
			if d := s.decide(); d.Reason != c.want {
				t.Errorf("%s, %s: %s, want %s", name, what, d.Reason, c.want)
			}
		}
	}
}

func TestLimitsWithoutALimiter(t *testing.T) {
	limited := auth.Record{Limits: auth.Limits{Quota: auth.Quota{Count: 1, Per: "d"}}}
	if d := checkWith(t, limited, &auth.Request{}); d.Reason != auth.Unavailable || d.Err == nil {
		t.Errorf("limits that nothing counts: %s, %v; want unavailable", d.Reason, d.Err)
	}
	limited.Limits, limited.UserLimits = limited.UserLimits, limited.Limits
	if d := checkWith(t, limited, &auth.Request{}); d.Reason != auth.Unavailable || d.Err == nil {
		t.Errorf("limits of the user that nothing counts: %s, %v; want unavailable", d.Reason, d.Err)
	}
	if d := checkWith(t, auth.Record{}, &auth.Request{}); d.Reason != auth.Allowed {
		t.Errorf("no limits and no limiter: %s, want ok", d.Reason)
	}
	s := allowedScene(t)
	s.record.Limits = auth.Limits{}
	if d := s.decide(); d.Reason != auth.Allowed || s.taken != 0 {
		t.Errorf("no limits: %s, counted %d times", d.Reason, s.taken)
	}
}

func TestTheLimitIsToldWithTheDecision(t *testing.T) {
	s := allowedScene(t)
	s.limit = auth.LimitState{Reason: auth.RateLimited, RetryAfter: time.Second, Policy: `"rate";q=1;w=1`, State: `"rate";r=0;t=1`}
	if d := s.decide(); d.Limit != s.limit || d.Key == nil {
		t.Errorf("the decision tells %+v, want %+v", d.Limit, s.limit)
	}
}
