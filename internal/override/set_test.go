package override

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"authd/internal/auth"
)

// everyField is all that a section can say, in the types that each format has for it.
var everyField = map[string]string{
	"x.yaml": `
api_key_Partner sync:
  key: value-of-this-place-1
  active: yes
  user: staging@example.com
  groups: [staging, sync]
  scopes: ["shop:read", "shop:write"]
  not_before: 2026-01-31
  expires_at: 2027-01-31T18:00:00+01:00
  hosts: [API.example.com, "*.test"]
  methods: [get, POST]
  paths: ["/orders/"]
  cidrs: [10.1.2.3/8, "2001:db8::1"]
  rate: 100/1m
  burst: 20
  quota: 10000/1d
`,
	"x.toml": `
["api_key_Partner sync"]
key = "value-of-this-place-1"
active = true
user = "staging@example.com"
groups = ["staging", "sync"]
scopes = ["shop:read", "shop:write"]
not_before = 2026-01-31
expires_at = 2027-01-31T18:00:00+01:00
hosts = ["API.example.com", "*.test"]
methods = ["get", "POST"]
paths = ["/orders/"]
cidrs = ["10.1.2.3/8", "2001:db8::1"]
rate = "100/1m"
burst = 20
quota = "10000/1d"
`,
	"x.json": `{"api_key_Partner sync": {
  "key": "value-of-this-place-1",
  "active": true,
  "user": "staging@example.com",
  "groups": ["staging", "sync"],
  "scopes": ["shop:read", "shop:write"],
  "not_before": "2026-01-31",
  "expires_at": "2027-01-31T18:00:00+01:00",
  "hosts": ["API.example.com", "*.test"],
  "methods": ["get", "POST"],
  "paths": ["/orders/"],
  "cidrs": ["10.1.2.3/8", "2001:db8::1"],
  "rate": "100/1m",
  "burst": 20,
  "quota": "10000/1d"
}}`,
	"x.ini": `
[api_key_Partner sync]
key = value-of-this-place-1
active = on
user = staging@example.com
groups = staging, sync
scopes = shop:read shop:write
not_before = 2026-01-31
expires_at = 2027-01-31T18:00:00+01:00
hosts = API.example.com, *.test
methods = get, POST
paths = /orders/
cidrs = 10.1.2.3/8, 2001:db8::1
rate = 100/1m
burst = 20
quota = 10000/1d
`,
}

func TestEveryFieldInEveryFormat(t *testing.T) {
	at := func(s string) int64 {
		when, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return when.UnixMilli()
	}
	for name, text := range everyField {
		w := newWorld(t)
		disabled := record("Partner sync")
		disabled.Active, disabled.UserActive = false, false
		w.records.put(disabled, w.digest(production))
		w.finder.Swap(mustSet(t, w.env, name, text))

		got, err := w.finder.ByDigest(t.Context(), w.digest(here))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := &auth.Key{
			Digest: w.digest(here), ID: disabled.ID, Name: "Partner sync", Slug: "partner_sync",
			User: "staging@example.com", UserActive: true, Active: true,
			NotBefore: at("2026-01-31T00:00:00Z"), ExpiresAt: at("2027-01-31T17:00:00Z"),
			Grants: auth.NewGrants([]string{"staging", "sync"}, []string{"shop:read", "shop:write"}),
			Restrictions: &auth.Restrictions{
				Hosts: []string{"api.example.com", "*.test"}, Methods: []string{"GET", "POST"}, Paths: []string{"/orders/"},
				CIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::1/128")},
			},
			Limits: &auth.Limits{Rate: auth.Rate{Count: 100, Per: time.Minute}, Burst: 20, Quota: auth.Quota{Count: 10000, Per: "d"}},
		}
		want.Encode()
		if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Prefix{}), cmp.AllowUnexported(auth.Key{}, auth.Grants{})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		w.expect(production, auth.Overridden)
	}
}

// TestEmptyFields: an empty field takes away what the record has.
func TestEmptyFields(t *testing.T) {
	for name, section := range formats {
		w := newWorld(t)
		full := record("Partner sync")
		full.NotBefore, full.ExpiresAt = noon, noon.Add(time.Hour)
		full.Restrictions = auth.Restrictions{Hosts: []string{"a"}, Methods: []string{"GET"}, Paths: []string{"/a/"}, CIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
		full.Limits = auth.Limits{Rate: auth.Rate{Count: 1, Per: time.Second}, Burst: 2, Quota: auth.Quota{Count: 3, Per: "d"}}
		w.records.put(full, w.digest(production))

		var fields []field
		for _, f := range []string{"groups", "scopes", "not_before", "expires_at", "hosts", "methods", "paths", "cidrs", "rate", "burst", "quota"} {
			fields = append(fields, field{f, ""})
		}
		w.finder.Swap(mustSet(t, w.env, name, section("api_key_Partner sync", fields...)))
		got, err := w.finder.ByDigest(t.Context(), w.digest(production))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(got.Grants.Groups)+len(got.Grants.Scopes) > 0 || got.NotBefore != 0 || got.ExpiresAt != 0 || got.Restrictions != nil || got.Limits != nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestEverySourceInEveryFormat(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "value", here+"\n")
	write(t, dir, "value.crlf", here+"\r\n")
	t.Setenv("AUTHD_TEST_VALUE", here)
	pepper := mustPepper(t, "the pepper of this test")
	secret := auth.RawSecret(here)
	for name, section := range formats {
		for _, source := range []field{
			{"key", here}, {"key_file", "value"}, {"key_file", "./value.crlf"}, {"key_file", dir + "/value"}, {"key_env", "AUTHD_TEST_VALUE"},
			{"key_digest", "sha256:" + auth.Pepper{}.Digest(secret).String()},
			{"key_digest", "hmac-sha256:" + pepper.ID() + ":" + pepper.Digest(secret).String()},
		} {
			w := newWorld(t, pepper)
			w.records.put(record("a"), w.digest(production))
			set, err := NewSet(mustRead(t, write(t, dir, name, section("api_key_a", source))), w.env)
			if err != nil {
				t.Errorf("%s, %s: %v", name, source.name, err)
				continue
			}
			w.finder.Swap(set)
			w.expect(here, auth.Allowed)
			if got := w.ask(production); got.Reason.Allows() {
				t.Errorf("%s, %s: the production value passes", name, source.name)
			}
		}
	}
}

// names that some format or library would split, fold, trim or unquote.
var names = []string{
	"Partner sync", "api.example.com", "a=b", "a:b", "it's", `say "hi"`, `back\slash`, "a/b", "Clé été", "日本", "x]y", "[x]", "UPPER", "#1", ";1", "-",
	"a  b", "100%", "%(x)s", "${HOME}", "true", "1", "null", "api_key_x", "key", "DEFAULT",
}

// TestNames: a section means the record of this very name, or of this slug.
func TestNames(t *testing.T) {
	for format, section := range formats {
		for _, name := range names {
			for _, written := range []string{name, auth.Slug(name)} {
				w := newWorld(t)
				w.records.put(record(name), w.digest(production))
				w.records.put(record("bystander"), w.digest(other))
				w.finder.Swap(mustSet(t, w.env, format, section("api_key_"+written, field{"key", here})))
				if got := w.ask(here); got.Reason != auth.Allowed || got.Key.Name != name {
					t.Errorf("%s, %q for the record %q: %s", format, written, name, got.Reason)
				}
				w.expect(production, auth.Overridden)
				w.expect(other, auth.Allowed)
			}
		}
	}
}

// TestOtherNames: what is neither the name nor the slug does not mean the record.
func TestOtherNames(t *testing.T) {
	for format, section := range formats {
		for _, name := range []string{"my key", "MY KEY", "My_Key", "MY_KEY", "My  Key", "my-key", "My Key.", "Mÿ Key"} {
			w := newWorld(t)
			w.records.put(record("My Key"), w.digest(production))
			w.finder.Swap(mustSet(t, w.env, format, section("api_key_"+name, field{"key", here})))
			w.expect(here, auth.UnknownKey)
			w.expect(production, auth.Allowed)
		}
		// With blanks in the brackets it is no section at all: the settings have it, and know no such.
		if sections := mustRead(t, write(t, t.TempDir(), format, section(" api_key_my_key ", field{"key", here}))); len(sections) > 0 {
			t.Errorf("%s: %v", format, sections)
		}
	}
}

// TestINIIsLiteral: quotes and percent signs belong to the value, since only
// Odoo's own files double a percent sign.
func TestINIIsLiteral(t *testing.T) {
	for _, value := range []string{`"a-value-in-quotes"`, `'a-value-in-quotes'`, "percent%%percent%%", "percent%(x)s%percent", `back\slash\n\x41`, "a;value#with=signs:", "`${HOME}$HOME`~~~"} {
		w := newWorld(t)
		w.records.put(record("a"))
		w.finder.Swap(mustSet(t, w.env, "x.ini", "[api_key_a]\nkey = "+value+"\n"))
		w.expect(value, auth.Allowed)
	}
}

// TestMerge: sections of one name merge across files. Later ones win field by
// field, and a source of the value replaces any earlier one.
func TestMerge(t *testing.T) {
	dir := t.TempDir()
	first := write(t, dir, "10.ini", "[api_key_a]\nkey = "+other+"\nuser = first\ngroups = one\n[api_key_b]\nkey = "+other+"-b\n")
	second := write(t, dir, "20.yaml", "api_key_a: {key_env: AUTHD_TEST_VALUE, user: second}\n")
	t.Setenv("AUTHD_TEST_VALUE", here)

	w := newWorld(t)
	w.records.put(record("a"), w.digest(production))
	w.records.put(record("b"))
	set, err := NewSet(mustRead(t, first, second), w.env)
	if err != nil {
		t.Fatal(err)
	}
	w.finder.Swap(set)
	got := w.ask(here)
	if got.Reason != auth.Allowed || got.Key.User != "second" || !cmp.Equal(got.Key.Grants.Groups, []string{"one"}) {
		t.Errorf("%s: %+v", got.Reason, got.Key)
	}
	w.expect(other, auth.UnknownKey)
	w.expect(other+"-b", auth.Allowed)

	status, err := w.finder.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []Status{
		{Section: "a", State: Matched, At: Origin{first, 1}, Fields: map[string]Origin{"key_env": {second, 1}, "user": {second, 1}, "groups": {first, 1}}},
		{Section: "b", State: Matched, At: Origin{first, 5}, Fields: map[string]Origin{"key": {first, 5}}},
	}
	if diff := cmp.Diff(want, status); diff != "" {
		t.Error(diff)
	}
}
