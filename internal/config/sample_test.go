package config

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"authd/internal/auth"
)

func TestNothingIsNeeded(t *testing.T) {
	l, err := Load(Source{Environ: environ(), Flags: flags(t)})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Policies = map[string]Policy{}
	if diff := cmp.Diff(want, l.Config); diff != "" {
		t.Error(diff)
	}
	if l.Digester == nil || l.Digester.Prefix() != "ak" || len(l.Policies)+len(l.Sections)+len(l.Files)+len(l.Warnings) != 0 {
		t.Errorf("%+v", l)
	}
	for path, origin := range origins(l) {
		if origin != "default" {
			t.Errorf("%s comes from %s", path, origin)
		}
	}
}

// The sample of the manual is the same in each format, and all of it is the default but what it adds.
func TestSample(t *testing.T) {
	yes := true
	for _, name := range []string{"testdata/sample.yaml", "testdata/sample.toml", "testdata/sample.json", "testdata/sample.ini"} {
		t.Run(name, func(t *testing.T) {
			l, err := Load(Source{Files: []string{name}, Environ: environ()})
			if err != nil {
				t.Fatal(err)
			}
			want := Default()
			want.Policies = map[string]Policy{
				"partners": {Groups: []string{"partner"}, Scopes: []string{}, Preflight: "deny"},
				"shop": {Scopes: []string{"shop:write"}, Rules: []Rule{
					{Paths: []string{"/public/"}, Anonymous: &yes},
					{Methods: []string{"GET", "HEAD"}, Scopes: []string{"shop:read"}},
				}},
			}
			if strings.HasSuffix(name, ".ini") {
				want.Policies["shop"] = Policy{Scopes: []string{"shop:write"}}
			}
			if diff := cmp.Diff(want, l.Config); diff != "" {
				t.Error(diff)
			}
			if len(l.Sections) != 1 || l.Sections[0].Name != "Partner sync" || l.Sections[0].Line == 0 {
				t.Errorf("sections: %+v", l.Sections)
			}
			for path, origin := range origins(l) {
				// What it does not have are the other headers.
				if !strings.HasPrefix(origin, name+":") && !strings.HasPrefix(path, "identity.headers.") {
					t.Errorf("%s comes from %s", path, origin)
				}
			}
		})
	}
}

func TestPoliciesAreCompiled(t *testing.T) {
	l, err := loadText(t, "authd.yaml", `
policies:
  any:
  any_too: {}
  nobody: {groups: []}
  shop:
    groups: [a, b]
    preflight: allow
    anonymous: yes
    rules:
      - {paths: [/a/], methods: [GET], groups: [], scopes: [x], anonymous: false, preflight: deny}
      - {}
`)
	if err != nil {
		t.Fatal(err)
	}
	no := false
	for name, want := range map[string]struct {
		base  auth.Requirement
		rules []auth.Rule
	}{
		"any":     {},
		"any_too": {},
		"nobody":  {base: auth.Requirement{Groups: []string{}}},
		"shop": {auth.Requirement{Groups: []string{"a", "b"}, Anonymous: true, Preflight: true}, []auth.Rule{
			{Paths: []string{"/a/"}, Methods: []string{"GET"}, Groups: []string{}, Scopes: []string{"x"}, Anonymous: &no, Preflight: &no}, {},
		}},
	} {
		policy, err := auth.NewPolicy(name, want.base, want.rules)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(policy, l.Policies[name], cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if len(l.Policies) != 4 {
		t.Errorf("%d policies", len(l.Policies))
	}
}
