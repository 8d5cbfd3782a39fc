package config

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"authd/internal/auth"
	"authd/internal/conffile"
)

const allow = "allow"

// policies compiles the policies. Each fault stands where its setting does.
func (l *Loaded) policies() map[string]*auth.Policy {
	out := map[string]*auth.Policy{}
	for _, name := range slices.Sorted(maps.Keys(l.Config.Policies)) {
		p := l.Config.Policies[name]
		path := conffile.Join("policies", name)
		base := auth.Requirement{Groups: p.Groups, Scopes: p.Scopes, Anonymous: p.Anonymous, Preflight: p.Preflight == allow}
		l.note(path+".groups", auth.CheckGroups(p.Groups))
		l.note(path+".scopes", auth.CheckScopes(p.Scopes))
		rules := make([]auth.Rule, len(p.Rules))
		for i, r := range p.Rules {
			rules[i] = r.rule()
			l.checkRule(conffile.Item(path+".rules", i), rules[i])
		}
		if compiled, err := auth.NewPolicy(name, base, rules); err == nil {
			if p.Shadow {
				compiled = compiled.Shadow()
			}
			out[name] = compiled
		}
	}
	return out
}

func (r *Rule) rule() auth.Rule {
	rule := auth.Rule{Paths: r.Paths, Methods: r.Methods, Groups: r.Groups, Scopes: r.Scopes, Anonymous: r.Anonymous}
	if r.Preflight != "" {
		preflight := r.Preflight == allow
		rule.Preflight = &preflight
	}
	return rule
}

// checkRule asks for each field on its own, so that its fault has its place.
func (l *Loaded) checkRule(path string, r auth.Rule) {
	l.note(path+".paths", ruleFault(auth.Rule{Paths: r.Paths}))
	l.note(path+".methods", ruleFault(auth.Rule{Methods: r.Methods}))
	l.note(path+".groups", auth.CheckGroups(r.Groups))
	l.note(path+".scopes", auth.CheckScopes(r.Scopes))
	if r.Paths != nil && len(r.Paths) == 0 {
		l.note(path+".paths", errors.New("the list is empty: name a path, or leave it out for every path"))
	}
	if r.Methods != nil && len(r.Methods) == 0 {
		l.note(path+".methods", errors.New("the list is empty: name a method, or leave it out for every method"))
	}
}

func ruleFault(r auth.Rule) error {
	_, err := auth.NewPolicy("rule", auth.Requirement{}, []auth.Rule{r})
	if err == nil {
		return nil
	}
	return errors.New(strings.TrimPrefix(err.Error(), "rule 1: ")) // the place tells which
}
