package override

import (
	"errors"
	"slices"
	"testing"

	"authd/internal/auth"
	"authd/internal/conffile"
)

// odoo is Odoo's [auth_api_key], which authd's own files can't have.
func odoo(fields map[string]any) conffile.Section {
	return conffile.Section{Global: true, File: "odoo.conf", Line: 3, Fields: fields}
}

// TestForEveryRecord: what [auth_api_key] says holds for each record, unless a section of its own says otherwise.
func TestForEveryRecord(t *testing.T) {
	w := newWorld(t)
	w.records.put(record("Partner sync"), w.digest(production))
	w.records.put(record("Other"), w.digest(other))
	load := func(sections ...conffile.Section) {
		t.Helper()
		set, err := NewSet(sections, w.env)
		if err != nil {
			t.Fatal(err)
		}
		w.finder.Swap(set)
	}
	groups := func(value string, want ...string) {
		t.Helper()
		d := w.ask(value)
		if d.Reason != auth.Allowed || !slices.Equal(d.Key.Grants.Groups, want) {
			t.Errorf("%q: %s in %v, want %v", value, d.Reason, d.Key.Grants.Groups, want)
		}
	}
	section := conffile.Section{Name: "Partner sync", File: "odoo.conf", Line: 9, Fields: map[string]any{"key": here}}

	load(odoo(map[string]any{"groups": "staging"}))
	groups(production, "staging")
	groups(other, "staging")
	load(odoo(map[string]any{"groups": "staging"}), section)
	groups(here, "staging")
	groups(other, "staging")
	w.expect(production, auth.Overridden)
	section.Fields["groups"] = "own"
	load(section, odoo(map[string]any{"groups": "staging"}))
	groups(here, "own")
	groups(other, "staging")
	load(odoo(map[string]any{"active": "false"}))
	w.expect(other, auth.Disabled)
	w.expect(here, auth.UnknownKey)
	w.finder.Swap(nil)
	groups(other, "partner")
}

// TestForEveryRecordIsTold in what is counted, shown and logged.
func TestForEveryRecordIsTold(t *testing.T) {
	w := newWorld(t)
	none, err := NewSet(nil, w.env)
	if err != nil {
		t.Fatal(err)
	}
	one, err := NewSet([]conffile.Section{odoo(map[string]any{"groups": "staging"})}, w.env)
	if err != nil {
		t.Fatal(err)
	}
	all, err := one.Check(t.Context(), w.records)
	if err != nil || len(all) != 1 || all[0].State != Global || all[0].Fields["groups"] != (Origin{"odoo.conf", 3}) || one.Len() != 1 {
		t.Errorf("%+v, %v", all, err)
	}
	for _, c := range []struct {
		from, to *Set
		want     [3]int
	}{{none, one, [3]int{1, 0, 0}}, {one, none, [3]int{0, 1, 0}}, {one, one, [3]int{}}} {
		added, removed, changed := diff(c.from, c.to)
		if got := [3]int{len(added), len(removed), len(changed)}; got != c.want {
			t.Errorf("%v %v %v, want %v", added, removed, changed, c.want)
		}
	}
}

// TestForEveryRecordFaults: a value can't be every record's.
func TestForEveryRecordFaults(t *testing.T) {
	env := NewEnv(auth.NewDigester("ak"))
	for field, want := range map[string]string{
		"key":        "odoo.conf:3: [auth_api_key]: key would be that of every record, and one value can't stand for several keys: write it into a section [api_key_NAME]",
		"standalone": "odoo.conf:3: [auth_api_key]: standalone would be that of every record, and one value can't stand for several keys: write it into a section [api_key_NAME]",
		"group":      `odoo.conf:3: [auth_api_key]: unknown field "group": did you mean "groups"?`,
	} {
		_, err := NewSet([]conffile.Section{odoo(map[string]any{field: "true"})}, env)
		if faults := (Faults)(nil); err == nil || !errors.As(err, &faults) || err.Error() != want {
			t.Errorf("%v\nwant\n%s", err, want)
		}
	}
}
