package auth_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"authd/internal/auth"
)

func TestRecordState(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*auth.Record)
		want   string
	}{
		"good":                 {func(*auth.Record) {}, "active"},
		"revoked":              {func(r *auth.Record) { r.RevokedAt, r.Active = noon.Add(time.Hour), false }, "revoked"},
		"disabled":             {func(r *auth.Record) { r.Active, r.UserActive = false, false }, "disabled"},
		"user":                 {func(r *auth.Record) { r.UserActive, r.ExpiresAt = false, noon }, "user-inactive"},
		"later":                {func(r *auth.Record) { r.NotBefore = noon.Add(1) }, "not-yet-valid"},
		"from now":             {func(r *auth.Record) { r.NotBefore = noon }, "active"},
		"until now":            {func(r *auth.Record) { r.ExpiresAt = noon }, "expired"},
		"until a moment later": {func(r *auth.Record) { r.ExpiresAt = noon.Add(1) }, "active"},
	} {
		r := goodRecord()
		if c.change(&r); r.State(noon) != c.want {
			t.Errorf("%s: %s, want %s", name, r.State(noon), c.want)
		}
	}
}

func long200(s string) string { return strings.Repeat(s, auth.MaxName) }

func TestRecordValidate(t *testing.T) {
	many := slices.Repeat([]string{"x"}, auth.MaxItems)
	metadata := func(n int) map[string]string {
		m := map[string]string{}
		for i := range n {
			m[fmt.Sprint("k", i)] = "v"
		}
		return m
	}
	for name, change := range map[string]func(*auth.Record){
		"as it is":             func(*auth.Record) {},
		"the longest name":     func(r *auth.Record) { r.Name, r.User = long200("x"), long200("y") },
		"a name of all kinds":  func(r *auth.Record) { r.Name = "Clé: été/été \"a.b\" [x] 例" },
		"the longest lists":    func(r *auth.Record) { r.Groups, r.Scopes = many, many },
		"the longest note":     func(r *auth.Record) { r.Note = strings.Repeat("x", auth.MaxNote) },
		"a note of many lines": func(r *auth.Record) { r.Note = "a\n\tb" },
		"much metadata":        func(r *auth.Record) { r.Metadata = metadata(auth.MaxItems) },
		"empty metadata":       func(r *auth.Record) { r.Metadata = map[string]string{"k": ""} },
		"the years": func(r *auth.Record) {
			r.NotBefore, r.ExpiresAt = time.Unix(0, 0), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
		},
	} {
		r := goodRecord()
		if change(&r); r.Validate() != nil {
			t.Errorf("%s: %v", name, r.Validate())
		}
	}
	for name, c := range map[string]struct {
		change func(*auth.Record)
		told   string
	}{
		"no name":                {func(r *auth.Record) { r.Name = "" }, "the name is empty"},
		"too long a name":        {func(r *auth.Record) { r.Name = long200("x") + "x" }, "the name is longer"},
		"a name with blanks":     {func(r *auth.Record) { r.Name = " x" }, "the name begins or ends"},
		"a name of two lines":    {func(r *auth.Record) { r.Name = "a\nb" }, "the name holds a control"},
		"a name with a NUL":      {func(r *auth.Record) { r.Name = "a\x00b" }, "the name holds a control"},
		"a name in Latin-1":      {func(r *auth.Record) { r.Name = "\xe9" }, "the name is not UTF-8"},
		"no user":                {func(r *auth.Record) { r.User = "" }, "login is empty"},
		"a year before 1970":     {func(r *auth.Record) { r.NotBefore = time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC) }, "not-before: the year 1969"},
		"a year of five digits":  {func(r *auth.Record) { r.ExpiresAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "expires: the year 10000"},
		"an end at its start":    {func(r *auth.Record) { r.NotBefore, r.ExpiresAt = noon, noon }, "expire before it is valid"},
		"a group with a comma":   {func(r *auth.Record) { r.Groups = []string{"a,b"} }, `group "a,b"`},
		"an empty group":         {func(r *auth.Record) { r.Groups = []string{""} }, `group ""`},
		"too many groups":        {func(r *auth.Record) { r.Groups = slices.Concat(many, []string{"y"}) }, "more than 100 groups"},
		"a scope with a blank":   {func(r *auth.Record) { r.Scopes = []string{"a b"} }, `scope "a b"`},
		"a scope with a quote":   {func(r *auth.Record) { r.Scopes = []string{`"`} }, "a scope is visible ASCII"},
		"a scope with backslash": {func(r *auth.Record) { r.Scopes = []string{`\`} }, "a scope is visible ASCII"},
		"a scope of elsewhere":   {func(r *auth.Record) { r.Scopes = []string{"é"} }, "a scope is visible ASCII"},
		"too long a scope":       {func(r *auth.Record) { r.Scopes = []string{strings.Repeat("x", auth.MaxItem+1)} }, "a scope is longer"},
		"a bad restriction":      {func(r *auth.Record) { r.Restrictions.Methods = []string{"get"} }, `method "get"`},
		"a bad limit":            {func(r *auth.Record) { r.Limits.Burst = 1 }, "a burst needs a rate"},
		"too long a note":        {func(r *auth.Record) { r.Note = strings.Repeat("x", auth.MaxNote+1) }, "the note"},
		"a note in Latin-1":      {func(r *auth.Record) { r.Note = "\xe9" }, "the note"},
		"too much metadata":      {func(r *auth.Record) { r.Metadata = metadata(auth.MaxItems + 1) }, "more than 100 metadata"},
		"metadata of no name":    {func(r *auth.Record) { r.Metadata = map[string]string{"": "v"} }, "a metadata key is empty"},
		"too long metadata":      {func(r *auth.Record) { r.Metadata = map[string]string{"k": strings.Repeat("x", auth.MaxNote+1)} }, `metadata "k"`},
	} {
		r := goodRecord()
		c.change(&r)
		if err := r.Validate(); err == nil || !strings.Contains(err.Error(), c.told) {
			t.Errorf("%s: %v, want %q", name, err, c.told)
		}
	}
	all := auth.Record{Name: " ", User: "", Groups: []string{","}, Note: "\xff", Limits: auth.Limits{Burst: -1}}
	for _, part := range []string{"the name", "login", "group", "note", "burst"} {
		if err := all.Validate(); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("the fault of %s is not told in\n%v", part, err)
		}
	}
}

// What people are shown of a record holds no digest of its secrets.
func TestRecordInJSON(t *testing.T) {
	r := goodRecord()
	digest := auth.Pepper{}.Digest(auth.NewSecret("ak"))
	r.Secrets = []auth.SecretInfo{{Digest: digest, Hint: "ak_abcd…", PepperID: auth.NoPepper}}
	b, err := json.Marshal(r)
	if err != nil || !strings.Contains(string(b), `"hint":"ak_abcd…"`) {
		t.Fatalf("%s (%v)", b, err)
	}
	for _, absent := range []string{digest.String(), "revoked_at", "not_before", "expires_at", "restrictions", "limits", "metadata", "note"} {
		if strings.Contains(string(b), absent) {
			t.Errorf("%s is in %s", absent, b)
		}
	}
}

func TestKeyFilter(t *testing.T) {
	expiring := goodRecord()
	expiring.ExpiresAt = noon.Add(time.Hour)
	disabled := goodRecord()
	disabled.Active = false
	for name, c := range map[string]struct {
		filter                  auth.KeyFilter
		good, expires, inactive bool
	}{
		"all":             {auth.KeyFilter{}, true, true, true},
		"the user":        {auth.KeyFilter{User: "partner@example.com"}, true, true, true},
		"another user":    {auth.KeyFilter{User: "partner"}, false, false, false},
		"a group":         {auth.KeyFilter{Group: "sync"}, true, true, true},
		"another group":   {auth.KeyFilter{Group: "SYNC"}, false, false, false},
		"inactive":        {auth.KeyFilter{Inactive: true, Now: noon}, false, false, true},
		"inactive then":   {auth.KeyFilter{Inactive: true, Now: noon.Add(time.Hour)}, false, true, true},
		"expiring":        {auth.KeyFilter{Expiring: noon.Add(2 * time.Hour)}, false, true, false},
		"expiring by now": {auth.KeyFilter{Expiring: noon.Add(time.Hour)}, false, false, false},
		"both":            {auth.KeyFilter{User: "partner@example.com", Inactive: true, Now: noon}, false, false, true},
	} {
		for what, r := range map[string]struct {
			record auth.Record
			want   bool
		}{"a good key": {goodRecord(), c.good}, "one that expires": {expiring, c.expires}, "a disabled one": {disabled, c.inactive}} {
			if got := c.filter.Matches(&r.record); got != r.want {
				t.Errorf("%s: %s is listed: %v", name, what, got)
			}
		}
	}
}

func TestReplicaStopsAfter(t *testing.T) {
	for mode, want := range map[string]time.Duration{
		auth.OutageDeny: 32 * time.Second, auth.OutageServe: time.Hour + 32*time.Second, "": time.Hour + 32*time.Second, "of the future": time.Hour + 32*time.Second,
	} {
		r := auth.Replica{Lease: 30 * time.Second, Outage: mode, MaxStale: time.Hour}
		if got := r.StopsAfter(); got != want {
			t.Errorf("%q: %s, want %s", mode, got, want)
		}
	}
}
