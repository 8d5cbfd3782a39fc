package repotest

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/google/uuid"

	"authd/internal/auth"
	"authd/internal/repo"
)

// patience is for what can't take long, however slow the machine is: a test
// that needs more of it hangs.
const patience = 5 * time.Minute

// base is the database of one test. The test writes through the Store, and
// reads through other: what a write returns is committed, so that another
// process sees it at once.
type base struct {
	repo.Store
	other   repo.Store
	backend Backend
	ctx     context.Context
}

func newBase(t *testing.T, b Backend) *base {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	db := &base{Store: b.Open(t), backend: b, ctx: ctx}
	if err := db.Migrate(ctx); err != nil {
		t.Fatalf("migrating: %v", err)
	}
	db.other = db.again(t)
	return db
}

// again is one more process.
func (db *base) again(t *testing.T) repo.Store { return db.backend.Again(t, db.Store) }

// early is when the tests' records were made. It has more than the
// milliseconds that are kept.
var early = time.Date(2026, 1, 2, 3, 4, 5, 678_900_000, time.UTC)

const login = "partner@example.com"

// newRecord is a record that is fit to be stored, of the user login.
func newRecord(name string) auth.Record {
	return auth.Record{
		ID: newID(), Name: name, Slug: auth.Slug(name), User: login, UserActive: true, Active: true,
		Groups: []string{}, Scopes: []string{}, CreatedAt: early, UpdatedAt: early,
	}
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func newDigest() (d auth.Digest) {
	_, _ = rand.Read(d[:]) // never fails
	return d
}

func newSecret() auth.SecretInfo {
	return auth.SecretInfo{Digest: newDigest(), Hint: "ak_a1B2…", PepperID: auth.NoPepper, CreatedAt: early}
}

// create stores a record under a name, with one secret, after edits. It
// returns the record as it has to be found from now on.
func (db *base) create(t *testing.T, name string, edits ...func(*auth.Record)) *auth.Record {
	t.Helper()
	r := newRecord(name)
	for _, edit := range edits {
		edit(&r)
	}
	return db.createWith(t, r, newSecret())
}

func (db *base) createWith(t *testing.T, r auth.Record, secrets ...auth.SecretInfo) *auth.Record {
	t.Helper()
	c, err := db.CreateKey(db.ctx, &r, secrets...)
	if err != nil {
		t.Fatalf("creating %q: %v", r.Name, err)
	}
	r.Secrets, r.ChangedSeq = secrets, c.Seq
	return asStored(&r)
}

// asStored cuts the record's times to the milliseconds that are kept.
func asStored(r *auth.Record) *auth.Record {
	kept := func(t time.Time) time.Time { return auth.FromMillis(auth.Millis(t)) }
	s := *r
	s.RevokedAt, s.NotBefore, s.ExpiresAt = kept(s.RevokedAt), kept(s.NotBefore), kept(s.ExpiresAt)
	s.CreatedAt, s.UpdatedAt = kept(s.CreatedAt), kept(s.UpdatedAt)
	s.Secrets = make([]auth.SecretInfo, len(r.Secrets))
	for i, secret := range r.Secrets {
		secret.CreatedAt, secret.ExpiresAt = kept(secret.CreatedAt), kept(secret.ExpiresAt)
		s.Secrets[i] = secret
	}
	return &s
}

// changed notes in the record that c changed it.
func changed(r *auth.Record, c auth.Change) *auth.Record {
	r.ChangedSeq, r.UpdatedAt = c.Seq, c.At
	return r
}
