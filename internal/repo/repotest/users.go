package repotest

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"authd/internal/auth"
)

var users = []test{
	{"a user is created once", createUser},
	{"users are listed with how many keys stand for them", listUsers},
	{"a user's standing is that of its keys", userStanding},
	{"what changes nothing returns the user's last change", sameStanding},
	{"a user's limits are those of its keys", userLimits},
	{"limits that change nothing return the user's last change", sameLimits},
	{"an edit of limits that fails changes nothing", failingLimits},
	{"an unknown user is ErrUserNotFound", unknownUser},
}

// wantUsers looks for these users and no others, whenever they were created.
func (db *base) wantUsers(t *testing.T, want ...auth.User) {
	t.Helper()
	got, err := db.other.ListUsers(db.ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if got[i].CreatedAt.IsZero() {
			t.Errorf("user %q was created at no time", got[i].Login)
		}
		got[i].CreatedAt = time.Time{}
	}
	for _, list := range [][]auth.User{got, want} {
		slices.SortFunc(list, func(a, b auth.User) int { return cmp.Compare(a.Login, b.Login) })
	}
	same(t, "the users", want, got)
}

func createUser(t *testing.T, db *base) {
	db.wantUsers(t)
	if err := db.CreateUser(db.ctx, login); err != nil {
		t.Fatal(err)
	}
	wantErr(t, "a second time", db.CreateUser(db.ctx, login), auth.ErrUserTaken)
	if _, err := db.SetUserActive(db.ctx, login, false); err != nil {
		t.Fatal(err)
	}
	wantErr(t, "once it is inactive", db.CreateUser(db.ctx, login), auth.ErrUserTaken)
	db.create(t, "Key", func(r *auth.Record) { r.User = "by its key" })
	wantErr(t, "one that a key made", db.CreateUser(db.ctx, "by its key"), auth.ErrUserTaken)
	// Logins are taken to the letter.
	if err := db.CreateUser(db.ctx, "Partner@Example.com"); err != nil {
		t.Fatal(err)
	}
	db.wantUsers(t, auth.User{Login: login}, auth.User{Login: "Partner@Example.com", Active: true},
		auth.User{Login: "by its key", Active: true, Keys: 1})
}

func listUsers(t *testing.T, db *base) {
	for _, user := range []string{"none", "two's"} {
		if err := db.CreateUser(db.ctx, user); err != nil {
			t.Fatal(err)
		}
	}
	of := func(user string) func(*auth.Record) { return func(r *auth.Record) { r.User = user } }
	db.create(t, "A", of("two's"))
	db.createWith(t, func() auth.Record { r := newRecord("B"); r.User = "two's"; return r }(), newSecret(), newSecret())
	db.create(t, "C", of("one"))
	db.create(t, "D", of("one"))
	if _, err := db.RevokeKey(db.ctx, "A", early); err != nil { // it still stands for the user
		t.Fatal(err)
	}
	if _, err := db.DeleteKey(db.ctx, "D"); err != nil {
		t.Fatal(err)
	}
	db.wantUsers(t, auth.User{Login: "none", Active: true}, auth.User{Login: "one", Active: true, Keys: 1},
		auth.User{Login: "two's", Active: true, Keys: 2})
}

func userStanding(t *testing.T, db *base) {
	bystander := db.create(t, "Bystander", func(r *auth.Record) { r.User = "another" })
	var all []*auth.Record
	for _, name := range []string{"First", "Second", "Third"} {
		all = append(all, db.createWith(t, newRecord(name), newSecret(), newSecret()))
	}
	for _, active := range []bool{false, true} {
		c := db.logged(t, func() (auth.Change, error) { return db.SetUserActive(db.ctx, login, active) })
		spares(t, c, bystander)
		for _, r := range all {
			tells(t, c, "", digestsOf(r), r.Name, r.Slug)
			for _, secret := range r.Secrets {
				r.UserActive = active
				db.wantDigest(t, secret.Digest, auth.NewKey(r, secret))
			}
			db.wantName(t, r.Name, auth.NewKey(r, auth.SecretInfo{}))
			if got, err := db.other.Key(db.ctx, r.Name); err != nil || got.UserActive != active {
				t.Errorf("the record %q of a user that is active (%v): %+v, %v", r.Name, active, got, err)
			}
		}
		db.wantUsers(t, auth.User{Login: login, Active: active, Keys: 3}, auth.User{Login: "another", Active: true, Keys: 1})
	}
	db.wantRecord(t, bystander)
}

func sameStanding(t *testing.T, db *base) {
	if err := db.CreateUser(db.ctx, login); err != nil {
		t.Fatal(err)
	}
	again := func(active bool, want auth.Change) {
		t.Helper()
		db.unlogged(t, func() {
			c, err := db.SetUserActive(db.ctx, login, active)
			if err != nil {
				t.Error(err)
			}
			same(t, "the change", want, c)
		})
	}
	again(true, auth.Change{}) // there has been none
	for _, active := range []bool{false, true} {
		last := db.logged(t, func() (auth.Change, error) { return db.SetUserActive(db.ctx, login, active) })
		db.create(t, "Key "+newID(), func(r *auth.Record) { r.User = "another" })
		again(active, last)
	}
}

func unknownUser(t *testing.T, db *base) {
	db.create(t, "Key")
	for _, user := range []string{"nobody", "", "Key"} {
		db.unlogged(t, func() {
			_, err := db.SetUserActive(db.ctx, user, false)
			wantErr(t, user, err, auth.ErrUserNotFound)
			_, err = db.limitUser(user, auth.Limits{})
			wantErr(t, user, err, auth.ErrUserNotFound)
		})
	}
}

func (db *base) limitUser(user string, l auth.Limits) (auth.Change, error) {
	return db.SetUserLimits(db.ctx, user, func(was *auth.Limits) error { *was = l; return nil })
}

// someLimits have a value in every field.
func someLimits() auth.Limits {
	return auth.Limits{Rate: auth.Rate{Count: 7, Per: 1500 * time.Millisecond}, Burst: 12, Quota: auth.Quota{Count: 1_000_000_000, Per: "mo"}}
}

func userLimits(t *testing.T, db *base) {
	bystander := db.create(t, "Bystander", func(r *auth.Record) { r.User = "another"; r.Limits = someLimits() })
	first := db.createWith(t, newRecord("First"), newSecret(), newSecret())
	second := db.create(t, "Second", func(r *auth.Record) { r.Limits.Quota = auth.Quota{Count: 5, Per: "h"} })
	all := []*auth.Record{first, second}
	for _, l := range []auth.Limits{someLimits(), {Quota: auth.Quota{Count: 1, Per: "d"}}, {}} {
		c := db.logged(t, func() (auth.Change, error) { return db.limitUser(login, l) })
		spares(t, c, bystander)
		for _, r := range all {
			tells(t, c, "", digestsOf(r), r.Name, r.Slug)
			r.UserLimits = l
			db.wantRecord(t, r)
		}
		db.wantUsers(t, auth.User{Login: login, Active: true, Keys: 2, Limits: l}, auth.User{Login: "another", Active: true, Keys: 1})
	}
	// They stay with the user: over its standing, for keys to come, and for keys that come to it.
	db.logged(t, func() (auth.Change, error) { return db.limitUser("another", someLimits()) })
	db.logged(t, func() (auth.Change, error) { return db.SetUserActive(db.ctx, "another", false) })
	c := db.update(t, "Second", func(r *auth.Record) { r.User = "another" })
	second.User, second.UserActive, second.UserLimits, second.ChangedSeq, second.UpdatedAt = "another", false, someLimits(), c.Seq, c.At
	db.wantRecord(t, second)
	third := newRecord("Third")
	third.User, third.UserActive = "another", false
	made := db.createWith(t, third, newSecret())
	made.UserLimits = someLimits()
	db.wantRecord(t, made)
	db.wantRecord(t, first)
}

func sameLimits(t *testing.T, db *base) {
	if err := db.CreateUser(db.ctx, login); err != nil {
		t.Fatal(err)
	}
	again := func(l auth.Limits, want auth.Change) {
		t.Helper()
		db.unlogged(t, func() {
			c, err := db.limitUser(login, l)
			if err != nil {
				t.Error(err)
			}
			same(t, "the change", want, c)
		})
	}
	again(auth.Limits{}, auth.Change{}) // there has been none
	for _, l := range []auth.Limits{someLimits(), {}} {
		last := db.logged(t, func() (auth.Change, error) { return db.limitUser(login, l) })
		again(l, last)
		again(l, last)
	}
}

func failingLimits(t *testing.T, db *base) {
	db.create(t, "Key")
	last := db.logged(t, func() (auth.Change, error) { return db.limitUser(login, someLimits()) })
	db.unlogged(t, func() {
		_, err := db.SetUserLimits(db.ctx, login, func(l *auth.Limits) error {
			same(t, "the limits that an edit gets", someLimits(), *l)
			*l = auth.Limits{}
			return errEdit
		})
		wantErr(t, "the edit", err, errEdit)
	})
	if c, err := db.limitUser(login, someLimits()); err != nil || c.Seq != last.Seq {
		t.Errorf("after an edit that has failed, the last change is %+v, %v", c, err)
	}
}
