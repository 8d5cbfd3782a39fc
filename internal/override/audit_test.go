package override

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"authd/internal/auth"
)

// What the audit is told of a reload: every field that came, went or changed, by its name, and no value.
func TestFieldChanges(t *testing.T) {
	env := Env{Digester: auth.NewDigester("ak")}
	set := func(text string) *Set { return mustSet(t, env, "x.ini", text) }
	old := set("[api_key_A]\nkey = " + here + "\ngroups = a\nscopes = r\n[api_key_Gone]\nuser = u\n[api_key_Same]\nkey = " + production + "\nactive = no\n")
	now := set("[api_key_A]\nkey = " + other + "\ngroups = b\nexpires_at =\n[api_key_New]\nactive = no\n[api_key_Same]\nkey = " + production + "\nactive = false\n")
	got := fieldChanges(old, now)
	want := []auth.FieldChange{
		{Field: "api_key_New.active", After: fieldGiven},
		{Field: "api_key_A.key", Before: fieldGiven, After: fieldChanged},
		{Field: "api_key_A.groups", Before: fieldGiven, After: fieldChanged},
		{Field: "api_key_A.scopes", Before: fieldGiven},
		{Field: "api_key_A.expires_at", After: fieldGiven},
		{Field: "api_key_Gone.user", Before: fieldGiven},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %s\nwant %s", text(t, got), text(t, want))
	}
	if all := text(t, got); strings.Contains(all, "value") {
		t.Errorf("a value is told: %s", all)
	}
	if got := fieldChanges(now, now); got != nil {
		t.Errorf("the same twice: %s", text(t, got))
	}
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Every field that a section may have is compared.
func TestEveryFieldIsCompared(t *testing.T) {
	values := map[string][2]string{
		"key": {here, other}, "active": {"yes", "no"}, "user": {"u", "v"}, "groups": {"a", "b"}, "scopes": {"a", "b"},
		"not_before": {"2027-01-01", "2027-01-02"}, "expires_at": {"2028-01-01", "2028-01-02"}, "hosts": {"a.test", "b.test"},
		"methods": {"GET", "PUT"}, "paths": {"/a", "/b"}, "cidrs": {"10.0.0.0/8", "10.0.0.0/9"}, "rate": {"1/1s", "2/1s"},
		"burst": {"1", "2"}, "quota": {"1/1d", "2/1d"}, "standalone": {"yes", "no"},
	}
	env := Env{Digester: auth.NewDigester("ak")}
	for _, name := range fieldNames {
		v, ok := values[name]
		if !ok && name != "key_file" && name != "key_env" && name != "key_digest" { // those are values as key is
			t.Errorf("the test knows no values of %s", name)
		}
		if !ok {
			continue
		}
		var sets [2]*Set
		for i := range v {
			rest := ""
			if name == "standalone" {
				rest = "user = u\nkey = " + here + "\n"
			}
			sets[i] = mustSet(t, env, "x.ini", "[api_key_A]\n"+name+" = "+v[i]+"\n"+rest)
		}
		got := fieldChanges(sets[0], sets[1])
		if len(got) != 1 || got[0].Field != "api_key_A."+name || string(got[0].After) != `"changed"` {
			t.Errorf("%s: %s", name, text(t, got))
		}
	}
}
