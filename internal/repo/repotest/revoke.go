package repotest

import (
	"testing"
	"time"

	"authd/internal/auth"
)

var revoking = []test{
	{"a key ends with all its secrets", revocation},
	{"a second time changes nothing, and returns the first one's change", revokeTwice},
	{"it is final", revokedIsFinal},
	{"an edit that sets its time revokes as well", revokedByEdit},
	{"a key ends whatever the time", revokedAtNoTime},
	{"an unknown key is ErrKeyNotFound", revokeUnknown},
}

var deleting = []test{
	{"the record and its secrets are gone", deletion},
	{"what it had is free again", freeAgain},
	{"an unknown key is ErrKeyNotFound", deleteUnknown},
}

// revoked is what a revocation makes of a record.
func revoked(r *auth.Record, at time.Time) *auth.Record {
	after := asStored(r)
	after.RevokedAt = at
	for i := range after.Secrets {
		after.Secrets[i].Revoked = true
	}
	return asStored(after)
}

func revocation(t *testing.T, db *base) {
	bystander := db.create(t, "Bystander")
	retired := newSecret()
	retired.ExpiresAt = early
	r := db.createWith(t, newRecord("Revoked"), retired, newSecret())
	at := early.Add(time.Hour)
	c := db.logged(t, func() (auth.Change, error) { return db.RevokeKey(db.ctx, "revoked", at) })
	tells(t, c, r.ID, digestsOf(r), r.Name, r.Slug)
	spares(t, c, bystander)
	db.wantRecord(t, changed(revoked(r, at), c))
	db.wantRecord(t, bystander)
}

func revokeTwice(t *testing.T, db *base) {
	r := db.create(t, "Revoked")
	first, err := db.RevokeKey(db.ctx, "Revoked", early)
	if err != nil {
		t.Fatal(err)
	}
	// Changes that come between, of this record and of others, are not what is asked for.
	last := db.update(t, "Revoked", func(r *auth.Record) { r.Note = "leaked" })
	db.create(t, "Other")
	db.unlogged(t, func() {
		second, err := db.RevokeKey(db.ctx, "Revoked", early.Add(time.Hour))
		if err != nil {
			t.Error(err)
		}
		same(t, "the second change", first, second)
	})
	want := changed(revoked(r, early), last)
	want.Note = "leaked"
	db.wantRecord(t, want)
}

// Whether the store refuses such an edit or overlooks it is its own matter.
func revokedIsFinal(t *testing.T, db *base) {
	r := db.create(t, "Revoked")
	c, err := db.RevokeKey(db.ctx, "Revoked", early)
	if err != nil {
		t.Fatal(err)
	}
	db.unlogged(t, func() {
		_, _ = db.UpdateKey(db.ctx, "Revoked", func(r *auth.Record) error {
			r.RevokedAt = time.Time{}
			return nil
		})
	})
	db.wantRecord(t, changed(revoked(r, early), c))
}

func revokedByEdit(t *testing.T, db *base) {
	r := db.createWith(t, newRecord("Revoked"), newSecret(), newSecret())
	c := db.update(t, "Revoked", func(r *auth.Record) { r.RevokedAt = early })
	tells(t, c, r.ID, digestsOf(r), r.Name, r.Slug)
	db.wantRevoked(t, r)
	_, err := db.RotateKey(db.ctx, "Revoked", newSecret(), early)
	wantErr(t, "rotating it", err, auth.ErrRevoked)
	db.unlogged(t, func() {
		again, err := db.RevokeKey(db.ctx, "Revoked", early)
		if err != nil {
			t.Error(err)
		}
		same(t, "the change", c, again)
	})
}

// The zero time stands for no bound elsewhere: here, it must not leave the key alive.
func revokedAtNoTime(t *testing.T, db *base) {
	r := db.create(t, "Revoked")
	db.logged(t, func() (auth.Change, error) { return db.RevokeKey(db.ctx, "Revoked", time.Time{}) })
	db.wantRevoked(t, r)
}

func (db *base) wantRevoked(t *testing.T, r *auth.Record) {
	t.Helper()
	for _, d := range digestsOf(r) {
		if k, err := db.other.ByDigest(db.ctx, d); err != nil || !k.Revoked {
			t.Errorf("by its digest: %+v, %v", k, err)
		}
	}
	if k, err := db.other.ByName(db.ctx, r.Name); err != nil || !k.Revoked {
		t.Errorf("by its name: %+v, %v", k, err)
	}
	if got, err := db.other.Key(db.ctx, r.ID); err != nil || got.State(early) != "revoked" {
		t.Errorf("the record: %+v, %v", got, err)
	}
}

func revokeUnknown(t *testing.T, db *base) {
	db.unlogged(t, func() {
		_, err := db.RevokeKey(db.ctx, "unknown", early)
		wantErr(t, "revoking", err, auth.ErrKeyNotFound)
	})
}

func deletion(t *testing.T, db *base) {
	bystander := db.create(t, "Bystander")
	r := db.createWith(t, newRecord("Deleted"), newSecret(), newSecret())
	c := db.logged(t, func() (auth.Change, error) { return db.DeleteKey(db.ctx, "Deleted") })
	tells(t, c, r.ID, digestsOf(r), r.Name, r.Slug)
	spares(t, c, bystander)
	for _, d := range digestsOf(r) {
		db.wantDigest(t, d, nil)
	}
	db.wantName(t, r.Name, nil)
	db.wantName(t, r.Slug, nil)
	_, err := db.other.Key(db.ctx, r.ID)
	wantErr(t, "the record", err, auth.ErrKeyNotFound)
	db.wantRecord(t, bystander)
	db.wantUsers(t, auth.User{Login: login, Active: true, Keys: 1}) // the user stays
}

func freeAgain(t *testing.T, db *base) {
	r := db.create(t, "Name")
	if _, err := db.DeleteKey(db.ctx, r.ID); err != nil {
		t.Fatal(err)
	}
	db.wantRecord(t, db.createWith(t, newRecord("Name"), r.Secrets[0]))
}

func deleteUnknown(t *testing.T, db *base) {
	db.create(t, "Twice")
	if _, err := db.DeleteKey(db.ctx, "Twice"); err != nil {
		t.Fatal(err)
	}
	for _, ref := range []string{"unknown", "Twice"} {
		db.unlogged(t, func() {
			_, err := db.DeleteKey(db.ctx, ref)
			wantErr(t, ref, err, auth.ErrKeyNotFound)
		})
	}
}
