package repotest

import (
	"testing"
	"time"

	"authd/internal/auth"
)

var rotating = []test{
	{"a secret is added, and the others expire at retire, if not before", rotation},
	{"secrets expire whatever the time", retiredAtNoTime},
	{"a rotated key is as active as it was", rotateInactive},
	{"a taken secret is refused", rotateToTaken},
	{"a revoked key is ErrRevoked, an unknown one ErrKeyNotFound", rotateRefused},
}

func rotation(t *testing.T, db *base) {
	bystander := db.create(t, "Bystander")
	soon, late := newSecret(), newSecret()
	soon.ExpiresAt, late.ExpiresAt = early.Add(time.Hour), early.Add(1000*time.Hour)
	want := db.createWith(t, newRecord("Rotated"), soon, late, newSecret())

	retire := early.Add(24 * time.Hour)
	want = db.rotate(t, want, retire)
	if got := want.Secrets[0].ExpiresAt; !got.Equal(asStored(&auth.Record{ExpiresAt: early.Add(time.Hour)}).ExpiresAt) {
		t.Fatalf("the test itself lengthened a secret: %s", got)
	}
	// Later: nothing of the first rotation is lengthened, and the secret that it added ends.
	want = db.rotate(t, want, retire.Add(24*time.Hour))
	// Earlier, and before all the others.
	want = db.rotate(t, want, early.Add(-time.Hour))
	if n := len(want.Secrets); n != 6 {
		t.Errorf("%d secrets", n)
	}
	db.wantRecord(t, bystander)
}

// rotate rotates a key, and looks for what must have come of it.
func (db *base) rotate(t *testing.T, r *auth.Record, retire time.Time) *auth.Record {
	t.Helper()
	add := newSecret()
	add.CreatedAt, add.Hint, add.PepperID = early.Add(time.Duration(len(r.Secrets))*time.Minute), "ak_next…", "0badcafe"
	c := db.logged(t, func() (auth.Change, error) { return db.RotateKey(db.ctx, r.Name, add, retire) })
	r = rotated(r, add, retire)
	tells(t, c, r.ID, digestsOf(r))
	db.wantRecord(t, asStored(changed(r, c)))
	return asStored(r)
}

// rotated is what a rotation makes of a record.
func rotated(r *auth.Record, add auth.SecretInfo, retire time.Time) *auth.Record {
	after := asStored(r)
	for i := range after.Secrets {
		if e := &after.Secrets[i].ExpiresAt; e.IsZero() || retire.Before(*e) {
			*e = retire
		}
	}
	after.Secrets = append(after.Secrets, add)
	return asStored(after)
}

// The zero time stands for no bound elsewhere: here, it has long passed.
func retiredAtNoTime(t *testing.T, db *base) {
	ended := newSecret()
	ended.ExpiresAt = early
	r := db.createWith(t, newRecord("Rotated"), ended, newSecret())
	db.logged(t, func() (auth.Change, error) { return db.RotateKey(db.ctx, "Rotated", newSecret(), time.Time{}) })
	for _, d := range digestsOf(r) {
		k, err := db.other.ByDigest(db.ctx, d)
		if err != nil || k.SecretExpiresAt == 0 || k.SecretExpiresAt > auth.Millis(early) {
			t.Errorf("an older secret: %+v, %v", k, err)
		}
	}
}

func rotateInactive(t *testing.T, db *base) {
	r := db.create(t, "Disabled", func(r *auth.Record) { r.Active = false })
	db.rotate(t, r, early)
	db.rotate(t, db.createWith(t, newRecord("Without secrets")), early)
}

func rotateToTaken(t *testing.T, db *base) {
	other, want := db.create(t, "Other"), db.create(t, "Rotated")
	revoked := db.create(t, "Revoked")
	if _, err := db.RevokeKey(db.ctx, "Revoked", early); err != nil {
		t.Fatal(err)
	}
	for what, secret := range map[string]auth.SecretInfo{
		"another's": other.Secrets[0], "its own": want.Secrets[0], "a revoked one": revoked.Secrets[0],
	} {
		db.unlogged(t, func() {
			_, err := db.RotateKey(db.ctx, "Rotated", secret, early)
			wantErr(t, what, err, auth.ErrSecretTaken)
		})
		db.wantRecord(t, want) // nothing was retired either
	}
	db.wantRecord(t, other)
}

func rotateRefused(t *testing.T, db *base) {
	db.create(t, "Revoked")
	if _, err := db.RevokeKey(db.ctx, "Revoked", early); err != nil {
		t.Fatal(err)
	}
	for ref, want := range map[string]error{"Revoked": auth.ErrRevoked, "unknown": auth.ErrKeyNotFound} {
		add := newSecret()
		db.unlogged(t, func() {
			_, err := db.RotateKey(db.ctx, ref, add, early)
			wantErr(t, ref, err, want)
		})
		db.wantDigest(t, add.Digest, nil)
	}
}
