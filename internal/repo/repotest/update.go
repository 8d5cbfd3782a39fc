package repotest

import (
	"errors"
	"testing"
	"time"

	"authd/internal/auth"
)

var updating = []test{
	{"an edit may change every field", everyFieldIsEdited},
	{"an edit gets the record, and what it does in place counts", editInPlace},
	{"what an edit may not change stays", fixedFields},
	{"an edit that changes nothing writes no change", editOfNothing},
	{"an edit that fails changes nothing, and its error comes back as it is", failingEdit},
	{"a taken name or slug is refused", takenByAnother},
	{"a rename frees the old name and slug", rename},
	{"a key may go to another user", toAnotherUser},
	{"an unknown key is ErrKeyNotFound", updateUnknown},
}

// update runs an edit that must succeed, and change something.
func (db *base) update(t *testing.T, ref string, edit func(*auth.Record)) auth.Change {
	t.Helper()
	return db.logged(t, func() (auth.Change, error) {
		return db.UpdateKey(db.ctx, ref, func(r *auth.Record) error { edit(r); return nil })
	})
}

// Each field is changed by itself, so that none is stored by the way only.
func everyFieldIsEdited(t *testing.T, db *base) {
	bystander := db.create(t, "Bystander")
	want := db.create(t, "Plain")
	full := fullRecord("Full")
	for _, edit := range []func(*auth.Record){
		func(r *auth.Record) { r.Name = full.Name },
		func(r *auth.Record) { r.Slug = full.Slug },
		func(r *auth.Record) { r.Active = false },
		func(r *auth.Record) { r.NotBefore = full.NotBefore },
		func(r *auth.Record) { r.ExpiresAt = full.ExpiresAt },
		func(r *auth.Record) { r.Groups = full.Groups },
		func(r *auth.Record) { r.Scopes = full.Scopes },
		func(r *auth.Record) { r.Restrictions.Hosts = full.Restrictions.Hosts },
		func(r *auth.Record) { r.Restrictions.Methods = full.Restrictions.Methods },
		func(r *auth.Record) { r.Restrictions.Paths = full.Restrictions.Paths },
		func(r *auth.Record) { r.Restrictions.CIDRs = full.Restrictions.CIDRs },
		func(r *auth.Record) { r.Limits.Rate = full.Limits.Rate },
		func(r *auth.Record) { r.Limits.Burst = full.Limits.Burst },
		func(r *auth.Record) { r.Limits.Quota = full.Limits.Quota },
		func(r *auth.Record) { r.Metadata = full.Metadata },
		func(r *auth.Record) { r.Note = full.Note },
		func(r *auth.Record) { r.Active = true },
		func(r *auth.Record) { r.NotBefore, r.ExpiresAt = time.Time{}, time.Time{} },
		func(r *auth.Record) { r.Groups, r.Scopes = nil, nil },
		func(r *auth.Record) { r.Restrictions, r.Limits = auth.Restrictions{}, auth.Limits{} },
		func(r *auth.Record) { r.Metadata, r.Note = nil, "" },
	} {
		edit(want)
		c := db.update(t, want.ID, edit)
		want = asStored(changed(want, c))
		db.wantRecord(t, want)
		tells(t, c, want.ID, digestsOf(want), want.Name, want.Slug)
		spares(t, c, bystander)
	}
	db.wantRecord(t, bystander)
}

func editInPlace(t *testing.T, db *base) {
	r := fullRecord("Full")
	want := db.createWith(t, r, newSecret(), newSecret())
	db.update(t, "Full", func(r *auth.Record) {
		same(t, "what the edit is given", want, r)
		r.Groups[0] = "changed"
	})
	for _, edit := range []func(*auth.Record){
		func(r *auth.Record) { r.Scopes[0] = "changed" },
		func(r *auth.Record) { r.Restrictions.Hosts[0] = "changed" },
		func(r *auth.Record) { r.Restrictions.CIDRs[1] = r.Restrictions.CIDRs[0] },
		func(r *auth.Record) { r.Metadata["team"] = "changed" },
	} {
		db.update(t, "Full", edit)
	}
	got, err := db.other.Key(db.ctx, "Full")
	if err != nil || got.Groups[0] != "changed" || got.Scopes[0] != "changed" || got.Restrictions.Hosts[0] != "changed" ||
		got.Restrictions.CIDRs[1] != want.Restrictions.CIDRs[0] || got.Metadata["team"] != "changed" {
		t.Errorf("stored: %+v, %v", got, err)
	}
}

// Whether the store refuses such an edit or overlooks it is its own matter.
// What it logs must be of the secrets that there are.
func fixedFields(t *testing.T, db *base) {
	want := db.createWith(t, newRecord("Fixed"), newSecret(), newSecret())
	c, err := db.UpdateKey(db.ctx, "Fixed", func(r *auth.Record) error {
		r.ID = newID()
		r.Secrets[0].Digest, r.Secrets[0].ExpiresAt = newDigest(), early
		r.Secrets = append(r.Secrets[:1], newSecret())
		r.CreatedAt, r.UpdatedAt, r.ChangedSeq = early.Add(-time.Hour), early.Add(-time.Hour), 1000
		r.UserActive = false // the user's
		r.Active = false     // which it may change
		return nil
	})
	if err == nil {
		tells(t, c, want.ID, digestsOf(want), want.Name, want.Slug)
		changed(want, c).Active = false
	}
	db.wantRecord(t, want)
}

func editOfNothing(t *testing.T, db *base) {
	want := db.create(t, "Same")
	last := db.update(t, "Same", func(r *auth.Record) { r.Note = "x" })
	changed(want, last).Note = "x"
	db.create(t, "Other") // the last change of the log is another's
	for what, edit := range map[string]func(*auth.Record){
		"no edit":              func(*auth.Record) {},
		"the same values":      func(r *auth.Record) { r.Name, r.Note, r.Active = "Same", "x", true },
		"there and back":       func(r *auth.Record) { r.Active = false; r.Active = true },
		"empty lists, as nil":  func(r *auth.Record) { r.Groups, r.Scopes, r.Metadata = nil, nil, nil },
		"empty lists, not nil": func(r *auth.Record) { r.Restrictions.Hosts, r.Metadata = []string{}, map[string]string{} },
	} {
		db.unlogged(t, func() {
			c, err := db.UpdateKey(db.ctx, "Same", func(r *auth.Record) error { edit(r); return nil })
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
			same(t, what+": the change", last, c)
		})
		db.wantRecord(t, want)
	}
}

type editError struct{ why string }

func (e *editError) Error() string { return e.why }

func failingEdit(t *testing.T, db *base) {
	want := db.create(t, "Spared")
	for _, failure := range []error{&editError{"no"}, auth.ErrRevoked, auth.ErrNameTaken, errors.Join(auth.ErrKeyNotFound)} {
		db.unlogged(t, func() {
			_, err := db.UpdateKey(db.ctx, "Spared", func(r *auth.Record) error {
				r.Name, r.Slug, r.Active, r.User, r.Groups = "Gone", "gone", false, "nobody@example.com", []string{"admin"}
				return failure
			})
			if any(err) != any(failure) {
				t.Errorf("an edit's error %#v came back as %#v", failure, err)
			}
		})
		db.wantRecord(t, want)
		db.wantName(t, "Gone", nil)
	}
	db.wantUsers(t, auth.User{Login: login, Active: true, Keys: 1})
}

func takenByAnother(t *testing.T, db *base) {
	taken := db.create(t, "Taken")
	want := db.create(t, "Mine")
	for what, refused := range map[string]struct {
		edit func(*auth.Record)
		want error
	}{
		"name and slug": {func(r *auth.Record) { r.Name, r.Slug = taken.Name, taken.Slug }, auth.ErrNameTaken},
		"name":          {func(r *auth.Record) { r.Name = taken.Name }, auth.ErrNameTaken},
		"slug":          {func(r *auth.Record) { r.Slug = taken.Slug }, auth.ErrSlugTaken},
	} {
		db.unlogged(t, func() {
			_, err := db.UpdateKey(db.ctx, "Mine", func(r *auth.Record) error {
				r.Active, r.User = false, "nobody@example.com"
				refused.edit(r)
				return nil
			})
			wantErr(t, what, err, refused.want)
		})
	}
	db.wantRecord(t, want)
	db.wantRecord(t, taken)
	db.wantUsers(t, auth.User{Login: login, Active: true, Keys: 2})
}

func rename(t *testing.T, db *base) {
	r := db.create(t, "Old name")
	c := db.update(t, "old_name", func(r *auth.Record) { r.Name, r.Slug = "New name", "new_name" })
	tells(t, c, r.ID, digestsOf(r), "Old name", "old_name", "New name", "new_name")
	db.wantName(t, "Old name", nil)
	db.wantName(t, "old_name", nil)
	changed(r, c)
	r.Name, r.Slug = "New name", "new_name"
	db.wantRecord(t, r)
	db.wantName(t, "new_name", auth.NewKey(r, auth.SecretInfo{}))

	next := db.create(t, "Old name")
	db.wantRecord(t, next)
	// One record's slug may become its name: it is in nobody's way but another's.
	changed(r, db.update(t, "New name", func(r *auth.Record) { r.Name = "new_name" })).Name = "new_name"
	db.wantRecord(t, r)
}

func toAnotherUser(t *testing.T, db *base) {
	r := db.create(t, "Moved")
	if err := db.CreateUser(db.ctx, "away@example.com"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.SetUserActive(db.ctx, "away@example.com", false); err != nil {
		t.Fatal(err)
	}
	for user, active := range map[string]bool{"away@example.com": false, "new@example.com": true} {
		c := db.update(t, "Moved", func(r *auth.Record) { r.User = user })
		tells(t, c, r.ID, digestsOf(r), r.Name, r.Slug)
		changed(r, c).User, r.UserActive = user, active
		db.wantRecord(t, r)
	}
	// It is the new user's standing that counts from now on, and no longer the old one's.
	c := db.logged(t, func() (auth.Change, error) { return db.SetUserActive(db.ctx, login, false) })
	spares(t, c, r)
	db.wantDigest(t, r.Secrets[0].Digest, auth.NewKey(r, r.Secrets[0]))
}

func updateUnknown(t *testing.T, db *base) {
	db.unlogged(t, func() {
		_, err := db.UpdateKey(db.ctx, "unknown", func(*auth.Record) error {
			t.Error("there was something to edit")
			return nil
		})
		wantErr(t, "updating", err, auth.ErrKeyNotFound)
	})
}
