package auth

import (
	"errors"
	"fmt"
	"slices"
)

// DefaultPolicy is the name of the policy that asks for a key and nothing more.
const DefaultPolicy = "default"

// Requirement is what a route asks of a key.
type Requirement struct {
	Groups    []string // any of them; nil asks for none, an empty list lets nobody in
	Scopes    []string // all of them
	Anonymous bool     // a request without a credential passes; one that has a credential is judged by it
	Preflight bool     // CORS preflights pass without a credential
}

// Rule replaces the fields of the policy's requirement that it names, for the requests that it matches.
type Rule struct {
	Paths   []string // prefixes, see PathUnder; none: every path
	Methods []string // none: every method

	Groups    []string // nil: as the policy
	Scopes    []string // nil: as the policy
	Anonymous *bool    // nil: as the policy
	Preflight *bool    // nil: as the policy
}

// Policy is what an operator asks of the keys on a route. It is immutable.
type Policy struct {
	Name   string
	base   Requirement
	shadow bool

	rules     []compiledRule
	anyPath   bool // some rule looks at the path
	anyMethod bool // some rule looks at the method
}

type compiledRule struct {
	paths, methods []string
	Requirement
}

// NewPolicy checks and compiles a policy; it reports every fault.
func NewPolicy(name string, base Requirement, rules []Rule) (*Policy, error) {
	errs := []error{CheckPolicyName(name), CheckGroups(base.Groups), CheckScopes(base.Scopes)}
	base.Groups, base.Scopes = slices.Clone(base.Groups), slices.Clone(base.Scopes)
	p := &Policy{Name: name, base: base}
	for i, r := range rules {
		err := errors.Join(checkList("path", r.Paths, CheckPathPrefix), checkList("method", r.Methods, checkMethod),
			CheckGroups(r.Groups), CheckScopes(r.Scopes))
		if err != nil {
			errs = append(errs, fmt.Errorf("rule %d: %w", i+1, err))
		}
		p.rules = append(p.rules, r.compile(base))
		p.anyPath = p.anyPath || len(r.Paths) > 0
		p.anyMethod = p.anyMethod || len(r.Methods) > 0
	}
	return p, errors.Join(errs...)
}

// Shadow returns the policy as one that decides nothing: its requests are
// judged as without a policy, and what it would have denied is noted.
func (p *Policy) Shadow() *Policy {
	shadow := *p
	shadow.shadow = true
	return &shadow
}

// Shadows reports whether the policy decides nothing.
func (p *Policy) Shadows() bool { return p.shadow }

// ruleOf tells which rule a requirement is of, from 1 on; 0 for none.
func (p *Policy) ruleOf(need *Requirement) int {
	for i := range p.rules {
		if need == &p.rules[i].Requirement {
			return i + 1
		}
	}
	return 0
}

func (r Rule) compile(base Requirement) compiledRule {
	c := compiledRule{paths: slices.Clone(r.Paths), methods: slices.Clone(r.Methods), Requirement: base}
	if r.Groups != nil {
		c.Groups = slices.Clone(r.Groups)
	}
	if r.Scopes != nil {
		c.Scopes = slices.Clone(r.Scopes)
	}
	if r.Anonymous != nil {
		c.Anonymous = *r.Anonymous
	}
	if r.Preflight != nil {
		c.Preflight = *r.Preflight
	}
	return c
}

// CheckPolicyName says why s can't be a segment of the path that a proxy is configured with.
func CheckPolicyName(s string) error {
	for i := range len(s) {
		if c := s[i]; !isBase62(c) && c != '-' && c != '_' {
			return fmt.Errorf("policy %q: a name is letters, digits, '-' and '_'", s)
		}
	}
	if s == "" || len(s) > 64 {
		return fmt.Errorf("policy %q: a name has 1 to 64 characters", s)
	}
	if s == DefaultPolicy {
		return fmt.Errorf("policy %q: the name is taken by the policy that asks for a key and nothing more", s)
	}
	return nil
}

// requirement finds what the policy asks of this request: that of the first
// rule that matches, or its own. Allowed says that it was found. Where a rule
// looks at methods, one that is not written in upper case fits none: some
// upstreams take "post" for POST, others don't.
func (p *Policy) requirement(req *Request) (*Requirement, Reason) {
	if !p.anyPath && !p.anyMethod {
		return p.firstOrBase(), Allowed
	}
	if !req.Vouched {
		return nil, Unvouched
	}
	if p.anyMethod && (req.Method == "" || checkMethod(req.Method) != nil) {
		return nil, ForbiddenMethod
	}
	path := ""
	if p.anyPath {
		var ok bool
		if path, ok = CanonicalPath(req.Path); !ok {
			return nil, AmbiguousPath
		}
	}
	for i := range p.rules {
		if p.rules[i].matches(req.Method, path) {
			return &p.rules[i].Requirement, Allowed
		}
	}
	return &p.base, Allowed
}

// firstOrBase serves policies whose rules match everything: the first decides.
func (p *Policy) firstOrBase() *Requirement {
	if len(p.rules) > 0 {
		return &p.rules[0].Requirement
	}
	return &p.base
}

func (r *compiledRule) matches(method, path string) bool {
	if len(r.methods) > 0 && !slices.Contains(r.methods, method) {
		return false
	}
	return len(r.paths) == 0 || slices.ContainsFunc(r.paths, func(prefix string) bool { return PathUnder(path, prefix) })
}

// judge returns Allowed where the grants are what is asked, or else the reason why not.
func (q *Requirement) judge(grants *Grants) Reason {
	if q.Groups != nil && !slices.ContainsFunc(q.Groups, grants.inGroup) {
		return ForbiddenGroup
	}
	for _, s := range q.Scopes {
		if !grants.hasScope(s) {
			return ForbiddenScope
		}
	}
	return Allowed
}

func (g *Grants) inGroup(name string) bool  { return g != nil && slices.Contains(g.Groups, name) }
func (g *Grants) hasScope(name string) bool { return g != nil && slices.Contains(g.Scopes, name) }
