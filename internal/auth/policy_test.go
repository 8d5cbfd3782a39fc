package auth_test

import (
	"slices"
	"strings"
	"testing"

	"authd/internal/auth"
)

// asks tells what a policy makes of a request: with the given groups and
// scopes the key passes, or why not.
func asks(t *testing.T, p *auth.Policy, method, path string, groups, scopes []string) auth.Reason {
	t.Helper()
	req := &auth.Request{Policy: p, Vouched: true, Method: method, Path: path}
	return checkWith(t, auth.Record{Groups: append([]string{}, groups...), Scopes: append([]string{}, scopes...)}, req).Reason
}

func TestGroupsAreAnyOfAndScopesAreAllOf(t *testing.T) {
	for name, c := range map[string]struct {
		base           auth.Requirement
		groups, scopes []string
		want           auth.Reason
	}{
		"nothing is asked":       {auth.Requirement{}, nil, nil, auth.Allowed},
		"one group of two":       {auth.Requirement{Groups: []string{"a", "b"}}, []string{"b", "c"}, nil, auth.Allowed},
		"no group of two":        {auth.Requirement{Groups: []string{"a", "b"}}, []string{"c"}, nil, auth.ForbiddenGroup},
		"a key without groups":   {auth.Requirement{Groups: []string{"a"}}, nil, nil, auth.ForbiddenGroup},
		"an empty list: nobody":  {auth.Requirement{Groups: []string{}}, []string{"a"}, []string{"a"}, auth.ForbiddenGroup},
		"nobody, without groups": {auth.Requirement{Groups: []string{}}, nil, nil, auth.ForbiddenGroup},
		"all scopes":             {auth.Requirement{Scopes: []string{"r", "w"}}, nil, []string{"w", "r", "x"}, auth.Allowed},
		"one scope of two":       {auth.Requirement{Scopes: []string{"r", "w"}}, nil, []string{"r"}, auth.ForbiddenScope},
		"an empty list: none":    {auth.Requirement{Scopes: []string{}}, nil, nil, auth.Allowed},
		"the case of a group":    {auth.Requirement{Groups: []string{"a"}}, []string{"A"}, nil, auth.ForbiddenGroup},
		"part of a scope":        {auth.Requirement{Scopes: []string{"shop:read"}}, nil, []string{"shop"}, auth.ForbiddenScope},
		"the group is told first": {
			auth.Requirement{Groups: []string{"a"}, Scopes: []string{"r"}}, nil, nil, auth.ForbiddenGroup,
		},
	} {
		if got := asks(t, mustPolicy(t, c.base), "GET", "/", c.groups, c.scopes); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestTheFirstRuleThatMatchesDecides(t *testing.T) {
	p := mustPolicy(t, auth.Requirement{Scopes: []string{"base"}},
		auth.Rule{Paths: []string{"/a/", "/b"}, Methods: []string{"GET", "HEAD"}, Scopes: []string{"read"}},
		auth.Rule{Paths: []string{"/a/"}, Scopes: []string{"write"}},
		auth.Rule{Methods: []string{"DELETE"}, Scopes: []string{"delete"}},
		auth.Rule{Paths: []string{"/a/private"}, Scopes: []string{}}, // never reached,
	)
	for _, c := range []struct{ method, path, scope string }{
		{"GET", "/a/x", "read"}, {"HEAD", "/b", "read"}, {"GET", "/b/c", "read"},
		{"POST", "/a/x", "write"}, {"DELETE", "/a/private", "write"},
		{"DELETE", "/c", "delete"}, {"DELETE", "/a", "delete"},
		{"GET", "/a", "base"}, {"GET", "/bc", "base"}, {"POST", "/", "base"},
	} {
		for _, scope := range []string{"read", "write", "delete", "base"} {
			want := auth.ForbiddenScope
			if scope == c.scope {
				want = auth.Allowed
			}
			if got := asks(t, p, c.method, c.path, nil, []string{scope}); got != want {
				t.Errorf("%s %s with %s: %s, want %s", c.method, c.path, scope, got, want)
			}
		}
	}
}

func TestRulesInheritWhatTheyDoNotName(t *testing.T) {
	yes, no := true, false
	base := auth.Requirement{Groups: []string{"g"}, Scopes: []string{"s"}, Anonymous: true, Preflight: true}
	g, s := []string{"g"}, []string{"s"}
	for name, c := range map[string]struct {
		rule           auth.Rule
		groups, scopes []string
		want           auth.Reason
	}{
		"all of it":             {auth.Rule{}, g, s, auth.Allowed},
		"the groups":            {auth.Rule{Scopes: []string{"other"}}, nil, []string{"other"}, auth.ForbiddenGroup},
		"the scopes":            {auth.Rule{Groups: []string{"other"}}, []string{"other"}, nil, auth.ForbiddenScope},
		"an empty list is none": {auth.Rule{Scopes: []string{}}, g, nil, auth.Allowed},
		"an empty list: nobody": {auth.Rule{Groups: []string{}}, g, s, auth.ForbiddenGroup},
	} {
		if got := asks(t, mustPolicy(t, base, c.rule), "GET", "/", c.groups, c.scopes); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	for name, c := range map[string]struct {
		rule                 auth.Rule
		anonymous, preflight auth.Reason
	}{
		"neither": {auth.Rule{}, auth.AllowedAnonymous, auth.AllowedPreflight},
		"off":     {auth.Rule{Anonymous: &no, Preflight: &no}, auth.MissingCredential, auth.MissingCredential},
		"on":      {auth.Rule{Anonymous: &yes, Preflight: &yes}, auth.AllowedAnonymous, auth.AllowedPreflight},
		"one":     {auth.Rule{Anonymous: &no}, auth.MissingCredential, auth.AllowedPreflight},
	} {
		for preflight, want := range map[bool]auth.Reason{false: c.anonymous, true: c.preflight} {
			sc := allowedScene(t)
			sc.req = auth.Request{Policy: mustPolicy(t, base, c.rule), Vouched: true, Preflight: preflight}
			if got := sc.decide().Reason; got != want {
				t.Errorf("%s, preflight %v: %s, want %s", name, preflight, got, want)
			}
		}
	}
}

// What a rule does not look at may be anything, and nobody has to vouch for it.
func TestOnlyWhatARuleLooksAtMatters(t *testing.T) {
	paths := mustPolicy(t, auth.Requirement{}, auth.Rule{Paths: []string{"/a"}})
	methods := mustPolicy(t, auth.Requirement{}, auth.Rule{Methods: []string{"GET"}})
	neither := mustPolicy(t, auth.Requirement{Scopes: []string{"missing"}}, auth.Rule{Scopes: []string{}}, auth.Rule{Groups: []string{}})
	for name, c := range map[string]struct {
		policy *auth.Policy
		req    auth.Request
		want   auth.Reason
	}{
		"a path, and a method of any kind":   {paths, auth.Request{Vouched: true, Method: "get\x00", Path: "/a"}, auth.Allowed},
		"a path that is ambiguous":           {paths, auth.Request{Vouched: true, Method: "GET", Path: "/b//"}, auth.AmbiguousPath},
		"a path that is not known":           {paths, auth.Request{Vouched: true, Method: "GET"}, auth.AmbiguousPath},
		"a path that nobody vouches for":     {paths, auth.Request{Method: "GET", Path: "/b"}, auth.Unvouched},
		"a method, and a path of any kind":   {methods, auth.Request{Vouched: true, Method: "GET", Path: "/../"}, auth.Allowed},
		"a method that no rule has":          {methods, auth.Request{Vouched: true, Method: "PATCH"}, auth.Allowed},
		"a method in lower case":             {methods, auth.Request{Vouched: true, Method: "patch"}, auth.ForbiddenMethod},
		"a method with a blank":              {methods, auth.Request{Vouched: true, Method: "GET "}, auth.ForbiddenMethod},
		"a method that is not known":         {methods, auth.Request{Vouched: true}, auth.ForbiddenMethod},
		"a method that nobody vouches for":   {methods, auth.Request{Method: "GET"}, auth.Unvouched},
		"neither: the first rule, for all":   {neither, auth.Request{}, auth.Allowed},
		"neither, whatever the request is":   {neither, auth.Request{Vouched: true, Method: "get", Path: "//"}, auth.Allowed},
		"no policy, whatever the request is": {nil, auth.Request{Vouched: true, Method: "get", Path: "//"}, auth.Allowed},
	} {
		c.req.Policy = c.policy
		if got := checkWith(t, auth.Record{}, &c.req).Reason; got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestPolicyTellsEveryFault(t *testing.T) {
	_, err := auth.NewPolicy("no spaces", auth.Requirement{Groups: []string{"a,b"}, Scopes: []string{"a b"}}, []auth.Rule{
		{},
		{Paths: []string{"nowhere", "/ok"}, Methods: []string{"get"}, Groups: []string{""}, Scopes: []string{"é"}},
		{Paths: slices.Repeat([]string{"/"}, auth.MaxItems+1)},
	})
	if err == nil {
		t.Fatal("taken")
	}
	for _, part := range []string{`policy "no spaces"`, `group "a,b"`, `scope "a b"`, "rule 2: ", `path "nowhere"`, `method "get"`, `group ""`, `scope "é"`, "rule 3: more than 100 paths"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not told in\n%v", part, err)
		}
	}
	for _, part := range []string{"rule 1", "/ok"} {
		if strings.Contains(err.Error(), part) {
			t.Errorf("%q is told, and no fault, in\n%v", part, err)
		}
	}
}

func TestPolicyNames(t *testing.T) {
	for _, s := range []string{"partners", "A-z_09", "x", strings.Repeat("x", 64), "Default"} {
		if err := auth.CheckPolicyName(s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, s := range []string{"", "default", "a/b", "a b", "é", "a.b", "..", "a%2f", "a\x00", strings.Repeat("x", 65)} {
		if auth.CheckPolicyName(s) == nil {
			t.Errorf("%q is taken for a name", s)
		}
	}
	if p := mustPolicy(t, auth.Requirement{}); p.Name != "partners" {
		t.Errorf("the policy is called %q", p.Name)
	}
}

// A policy is immutable, whatever becomes of the lists that it was made of.
func TestPolicyKeepsItsOwnLists(t *testing.T) {
	base := auth.Requirement{Groups: []string{"a"}, Scopes: []string{"a"}}
	rule := auth.Rule{Paths: []string{"/a"}, Methods: []string{"GET"}, Groups: []string{"b"}, Scopes: []string{"b"}}
	p := mustPolicy(t, base, rule)
	for _, list := range [][]string{base.Groups, base.Scopes, rule.Paths, rule.Methods, rule.Groups, rule.Scopes} {
		list[0] = "X"
	}
	if got := asks(t, p, "GET", "/a", []string{"b"}, []string{"b"}); got != auth.Allowed {
		t.Errorf("the rule: %s, want ok", got)
	}
	if got := asks(t, p, "GET", "/b", []string{"a"}, []string{"a"}); got != auth.Allowed {
		t.Errorf("the base: %s, want ok", got)
	}
}
