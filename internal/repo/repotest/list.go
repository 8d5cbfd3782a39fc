package repotest

import (
	"testing"
	"time"

	"authd/internal/auth"
)

var listing = []test{
	{"keys are listed by name, their secrets oldest first", listInOrder},
	{"each field of the filter narrows the list", listFilters},
	{"a list of none is empty", listOfNone},
}

// By name means byte by byte, in every backend and whatever its locale.
func listInOrder(t *testing.T, db *base) {
	want := map[string]*auth.Record{}
	for _, name := range []string{"b", "a", "C", "ä", "a b", "ab", "_", "10", "9"} {
		want[name] = db.create(t, name, func(r *auth.Record) { r.Slug = "slug of " + name })
	}
	for i := range 3 {
		want["a"] = db.rotate(t, want["a"], early.Add(time.Duration(i)*time.Hour))
	}
	list, err := db.other.ListKeys(db.ctx, auth.KeyFilter{})
	if err != nil {
		t.Fatal(err)
	}
	var ordered []auth.Record
	for _, name := range []string{"10", "9", "C", "_", "a", "a b", "ab", "b", "ä"} {
		ordered = append(ordered, *want[name])
	}
	for i := range list {
		if list[i].Name == "a" { // the rotations' own business
			list[i].UpdatedAt, list[i].ChangedSeq = ordered[4].UpdatedAt, ordered[4].ChangedSeq
		}
	}
	same(t, "the list", ordered, list)
}

func listFilters(t *testing.T, db *base) {
	now := early.Truncate(time.Millisecond)
	expires := func(after time.Duration) func(*auth.Record) {
		return func(r *auth.Record) { r.ExpiresAt = now.Add(after) }
	}
	db.create(t, "1 plain")
	db.create(t, "2 partner", func(r *auth.Record) { r.Groups = []string{"a_b", "partner"} })
	db.create(t, "3 partners", func(r *auth.Record) { r.Groups = []string{"partners", "axb"}; r.User = "another" })
	db.create(t, "4 disabled", func(r *auth.Record) { r.Active = false; r.Groups = []string{"partner"} })
	db.create(t, "5 expired", expires(-time.Millisecond))
	db.create(t, "6 expiring", expires(0))
	db.create(t, "7 later", expires(time.Millisecond))
	db.create(t, "8 not yet", func(r *auth.Record) { r.NotBefore = now.Add(time.Millisecond) })
	db.create(t, "9 inactive", func(r *auth.Record) { r.User = "gone" })
	if _, err := db.SetUserActive(db.ctx, "gone", false); err != nil {
		t.Fatal(err)
	}
	for what, list := range map[string]struct {
		filter auth.KeyFilter
		want   string // the first characters of the names
	}{
		"all":                        {auth.KeyFilter{Now: now}, "123456789"},
		"user":                       {auth.KeyFilter{User: "another"}, "3"},
		"part of a login":            {auth.KeyFilter{User: "another%"}, ""},
		"unknown user":               {auth.KeyFilter{User: "nobody"}, ""},
		"group":                      {auth.KeyFilter{Group: "partner"}, "24"},
		"part of a group":            {auth.KeyFilter{Group: "part"}, ""},
		"group with a wild card":     {auth.KeyFilter{Group: "a_b"}, "2"},
		"inactive":                   {auth.KeyFilter{Inactive: true, Now: now}, "45689"},
		"inactive a moment later":    {auth.KeyFilter{Inactive: true, Now: now.Add(time.Millisecond)}, "45679"},
		"expiring":                   {auth.KeyFilter{Expiring: now, Now: now}, "5"},
		"expiring a moment later":    {auth.KeyFilter{Expiring: now.Add(2 * time.Millisecond), Now: now}, "567"},
		"user and group":             {auth.KeyFilter{User: login, Group: "partner"}, "24"},
		"group and inactive":         {auth.KeyFilter{Group: "partner", Inactive: true, Now: now}, "4"},
		"user, inactive and expires": {auth.KeyFilter{User: login, Inactive: true, Expiring: now.Add(time.Hour), Now: now}, "56"},
	} {
		got, err := db.other.ListKeys(db.ctx, list.filter)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		names := ""
		for i := range got {
			names += got[i].Name[:1]
			if len(got[i].Secrets) != 1 {
				t.Errorf("%s: %q has %d secrets", what, got[i].Name, len(got[i].Secrets))
			}
		}
		if names != list.want {
			t.Errorf("%s: %q; want %q", what, names, list.want)
		}
	}
}

func listOfNone(t *testing.T, db *base) {
	list, err := db.other.ListKeys(db.ctx, auth.KeyFilter{Inactive: true, Now: early})
	if err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	db.wantUsers(t)
}
