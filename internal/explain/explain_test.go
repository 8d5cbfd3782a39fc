package explain

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"authd/internal/auth"
)

var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// store knows one key by its digest.
type store struct{ key *auth.Key }

func (s store) ByDigest(_ context.Context, d auth.Digest) (*auth.Key, error) {
	if s.key == nil || s.key.Digest != d {
		return nil, auth.ErrKeyNotFound
	}
	return s.key, nil
}

func (s store) ByName(context.Context, string) (*auth.Key, error) { return nil, auth.ErrKeyNotFound }

func record() auth.Record {
	return auth.Record{ID: "id", Name: "Partner sync", Slug: "partner_sync", User: "u", UserActive: true, Active: true, Groups: []string{"a"}}
}

// report explains a request with the key, after edits.
func report(t *testing.T, edit func(r *auth.Record, s *auth.SecretInfo, req *auth.Request, c *Case)) Report {
	t.Helper()
	r, s := record(), auth.SecretInfo{Digest: auth.Digest{1}, Hint: "ak_a1B2…", PepperID: auth.NoPepper}
	req := auth.Request{At: noon, Vouched: true, Method: "PUT", Host: "a.test", Path: "/a/b", Client: netip.MustParseAddr("192.0.2.7")}
	c := Case{Request: &req, Record: &r, Value: Value{Hint: s.Hint, Origin: "database"}}
	edit(&r, &s, &req, &c)
	k := auth.NewKey(&r, s)
	k.Overridden = c.Section != nil && c.Section.Gives
	checker := auth.NewChecker(auth.NewDigester("ak"), store{k}, nil, auth.Options{})
	c.Explanation = checker.Explain(t.Context(), &req, &s)
	return Of(&c)
}

func policy(t *testing.T, base auth.Requirement, rules ...auth.Rule) *auth.Policy {
	t.Helper()
	p, err := auth.NewPolicy("shop", base, rules)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Each objection says what would have to change, and by what.
func TestWhatWouldHaveToChange(t *testing.T) {
	type edit = func(r *auth.Record, s *auth.SecretInfo, req *auth.Request, c *Case)
	section := func(fields ...string) *Section {
		s := &Section{Header: "[api_key_Partner sync]", At: "x.ini:3", Fields: map[string]string{}}
		for _, f := range fields {
			s.Fields[f] = "x.ini:3"
		}
		return s
	}
	for _, c := range []struct {
		reason string
		edit   edit
		want   []string
	}{
		{"disabled", func(r *auth.Record, _ *auth.SecretInfo, _ *auth.Request, _ *Case) { r.Active = false },
			[]string{`authd keys enable "Partner sync"`}},
		{"disabled", func(r *auth.Record, _ *auth.SecretInfo, _ *auth.Request, c *Case) {
			r.Active, c.Section = false, section("active")
		},
			[]string{"change active of [api_key_Partner sync] at x.ini:3"}},
		{"disabled", func(r *auth.Record, _ *auth.SecretInfo, _ *auth.Request, _ *Case) {
			r.Active, r.Name = false, "it's $(x)"
		},
			[]string{`authd keys enable 'it'\''s $(x)'`}},
		{"user_inactive", func(r *auth.Record, _ *auth.SecretInfo, _ *auth.Request, _ *Case) { r.UserActive = false },
			[]string{`authd users enable "u"`}},
		{"revoked", func(r *auth.Record, _ *auth.SecretInfo, _ *auth.Request, _ *Case) { r.RevokedAt = noon },
			[]string{"that is final"}},
		{"not_yet_valid", func(r *auth.Record, _ *auth.SecretInfo, _ *auth.Request, _ *Case) { r.NotBefore = noon.Add(time.Hour) },
			[]string{"wait until 2026-07-01T13:00:00Z"}},
		{"expired", func(r *auth.Record, _ *auth.SecretInfo, _ *auth.Request, _ *Case) { r.ExpiresAt = noon },
			[]string{`authd keys update "Partner sync" --expires`}},
		{"secret_expired", func(_ *auth.Record, s *auth.SecretInfo, _ *auth.Request, _ *Case) { s.ExpiresAt = noon },
			[]string{"newer value"}},
		{"overridden", func(_ *auth.Record, _ *auth.SecretInfo, _ *auth.Request, c *Case) {
			c.Section = section("key")
			c.Section.Gives = true
		},
			[]string{"the value that [api_key_Partner sync] gives"}},
		{"unknown_key", func(_ *auth.Record, s *auth.SecretInfo, _ *auth.Request, _ *Case) { s.PepperID = "0badcafe" },
			[]string{"credentials.pepper_file"}},
		{"forbidden_group", func(_ *auth.Record, _ *auth.SecretInfo, req *auth.Request, _ *Case) {
			req.Policy = policy(t, auth.Requirement{Groups: []string{"g", "h"}})
		}, []string{"in one of g, h: authd keys update \"Partner sync\" --group ...; or policies.shop.groups"}},
		{"forbidden_group", func(_ *auth.Record, _ *auth.SecretInfo, req *auth.Request, _ *Case) {
			req.Policy = policy(t, auth.Requirement{Groups: []string{}})
		}, []string{"nobody passes: policies.shop.groups is an empty list"}},
		{"forbidden_scope", func(r *auth.Record, _ *auth.SecretInfo, req *auth.Request, _ *Case) {
			r.Scopes = []string{"r"}
			req.Policy = policy(t, auth.Requirement{}, auth.Rule{Methods: []string{"PUT"}, Scopes: []string{"r", "w"}})
		}, []string{"lacks w: authd keys update \"Partner sync\" --scope ...; or rule 1 of policies.shop"}},
		{"forbidden_host", func(r *auth.Record, _ *auth.SecretInfo, _ *auth.Request, _ *Case) {
			r.Restrictions.Hosts = []string{"b.test"}
		},
			[]string{`hold "a.test"`}},
		{"forbidden_method", func(r *auth.Record, _ *auth.SecretInfo, _ *auth.Request, _ *Case) {
			r.Restrictions.Methods = []string{"GET"}
		},
			[]string{`hold "PUT"`}},
		{"forbidden_path", func(r *auth.Record, _ *auth.SecretInfo, _ *auth.Request, _ *Case) {
			r.Restrictions.Paths = []string{"/b"}
		},
			[]string{`cover "/a/b"`}},
		{"forbidden_network", func(r *auth.Record, _ *auth.SecretInfo, _ *auth.Request, _ *Case) {
			r.Restrictions.CIDRs = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		}, []string{"hold 192.0.2.7"}},
		{"ambiguous_path", func(r *auth.Record, _ *auth.SecretInfo, req *auth.Request, _ *Case) {
			r.Restrictions.Paths, req.Path = []string{"/b"}, "/a//b"
		}, []string{"every upstream reads alike"}},
		{"unvouched_request", func(r *auth.Record, _ *auth.SecretInfo, req *auth.Request, c *Case) {
			r.Restrictions.Hosts, req.Vouched, c.Doubt = []string{"a.test"}, false, "nobody knows it"
		}, []string{"vouch for the request: nobody knows it"}},
		// All of them are told, in the order of the steps.
		{"disabled", func(r *auth.Record, _ *auth.SecretInfo, req *auth.Request, _ *Case) {
			r.Active, r.Restrictions.Hosts = false, []string{"b.test"}
			req.Policy = policy(t, auth.Requirement{Groups: []string{"g"}})
		}, []string{"keys enable", "in one of g", `hold "a.test"`}},
	} {
		r := report(t, c.edit)
		if r.Reason != c.reason || r.Passes || len(r.Changes) != len(c.want) {
			t.Errorf("%s: it is %s, and these would have to change: %q", c.reason, r.Reason, r.Changes)
			continue
		}
		for i, part := range c.want {
			if !strings.Contains(r.Changes[i], part) {
				t.Errorf("%s: %q does not tell %q", c.reason, r.Changes[i], part)
			}
		}
	}
}

func TestWhatPassesNeedsNoChange(t *testing.T) {
	r := report(t, func(r *auth.Record, _ *auth.SecretInfo, req *auth.Request, _ *Case) {
		r.Limits.Rate = auth.Rate{Count: 1, Per: time.Second}
		req.Policy = policy(t, auth.Requirement{Groups: []string{"g"}}).Shadow()
	})
	if !r.Passes || r.Reason != "ok" || r.Would != "forbidden_group" || r.Note == "" {
		t.Errorf("%+v", r)
	}
	grants, limits := r.Steps[auth.StepGrants], r.Steps[auth.StepLimits]
	if grants.Result != "forbidden_group" || !grants.Shadow || limits.Result != notAsked {
		t.Errorf("the steps are %+v", r.Steps)
	}
}

// Each field of the key has an origin: a section, the database, or none.
func TestOrigins(t *testing.T) {
	r := report(t, func(r *auth.Record, _ *auth.SecretInfo, _ *auth.Request, c *Case) {
		r.Scopes = []string{"r"}
		c.Section = &Section{Header: "[api_key_Partner sync]", At: "x.ini:3", Fields: map[string]string{"groups": "y.ini:7", "hosts": "x.ini:3"}}
	})
	want := map[string]string{
		"groups": "y.ini:7 [api_key_Partner sync]", "hosts": "x.ini:3 [api_key_Partner sync]",
		"scopes": fromDatabase, "user": fromDatabase, "rate": byDefault, "expires_at": byDefault,
	}
	for _, f := range r.Fields {
		if w, ok := want[f.Field]; ok && f.Origin != w {
			t.Errorf("%s is from %s, want %s", f.Field, f.Origin, w)
		}
		delete(want, f.Field)
	}
	if len(want) != 0 {
		t.Errorf("not told: %v", want)
	}
}
