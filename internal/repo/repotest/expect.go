package repotest

import (
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"authd/internal/auth"
)

// alike compares what is kept, and all that a Key tells. Whether an empty list
// is nil shows in JSON only, and is tested there.
var alike = cmp.Options{
	cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Prefix{}),
	cmp.Exporter(func(t reflect.Type) bool { return t.PkgPath() == reflect.TypeFor[auth.Key]().PkgPath() }),
}

// wantRecord looks for the record under its name, and for its answers.
func (db *base) wantRecord(t *testing.T, want *auth.Record) {
	t.Helper()
	got, err := db.other.Key(db.ctx, want.ID)
	if err != nil {
		t.Fatalf("the record %q: %v", want.Name, err)
	}
	same(t, "the record "+want.Name, want, got)
	for _, secret := range want.Secrets {
		db.wantDigest(t, secret.Digest, auth.NewKey(want, secret))
	}
	db.wantName(t, want.Name, auth.NewKey(want, auth.SecretInfo{}))
}

// wantDigest looks for the answer to a digest; nil stands for no such key.
func (db *base) wantDigest(t *testing.T, d auth.Digest, want *auth.Key) {
	t.Helper()
	got, err := db.other.ByDigest(db.ctx, d)
	wantKey(t, "digest "+d.String()[:8], got, err, want)
}

// wantName looks for the answer to a name; nil stands for no such key.
func (db *base) wantName(t *testing.T, name string, want *auth.Key) {
	t.Helper()
	got, err := db.other.ByName(db.ctx, name)
	wantKey(t, "name "+name, got, err, want)
}

func wantKey(t *testing.T, what string, got *auth.Key, err error, want *auth.Key) {
	t.Helper()
	switch {
	case want == nil:
		wantErr(t, what, err, auth.ErrKeyNotFound)
	case err != nil:
		t.Errorf("%s: %v", what, err)
	default:
		same(t, what, want, got)
	}
}

func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got, alike); d != "" {
		t.Errorf("%s, as it should be (-) and as it is (+):\n%s", what, d)
	}
}

// wantErr also asks that the database has answered, unless want says the contrary.
func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) || errors.Is(err, auth.ErrUnavailable) != errors.Is(want, auth.ErrUnavailable) {
		t.Errorf("%s: %v; want: %v", what, err, want)
	}
}

// since reads what was logged after a change.
func (db *base) since(t *testing.T, seq int64) []auth.Change {
	t.Helper()
	list, err := db.other.Changes(db.ctx, seq, 10_000)
	if err != nil {
		t.Fatalf("reading the log: %v", err)
	}
	return list
}

func (db *base) last(t *testing.T) int64 {
	t.Helper()
	n, err := db.other.LastChange(db.ctx)
	if err != nil {
		t.Fatalf("the last change: %v", err)
	}
	return n
}

// logged runs a write, which must log one change: the one that it returns.
func (db *base) logged(t *testing.T, write func() (auth.Change, error)) auth.Change {
	t.Helper()
	before := db.last(t)
	c, err := write()
	if err != nil {
		t.Fatal(err)
	}
	same(t, "what was logged beside what was returned", []auth.Change{c}, db.since(t, before))
	if c.At.IsZero() {
		t.Error("the change has no time")
	}
	return c
}

// unlogged runs a write that must log nothing.
func (db *base) unlogged(t *testing.T, write func()) {
	t.Helper()
	before := db.last(t)
	write()
	if list := db.since(t, before); len(list) > 0 {
		t.Errorf("logged: %+v", list)
	}
}

// tells asks that a change is of this record, and names at least these digests and names.
func tells(t *testing.T, c auth.Change, id string, digests []auth.Digest, names ...string) {
	t.Helper()
	if c.KeyID != id {
		t.Errorf("the change is of key %q, not of %q", c.KeyID, id)
	}
	for _, d := range digests {
		if !slices.Contains(c.Digests, d) {
			t.Errorf("the change does not tell of digest %s: %v", d, c.Digests)
		}
	}
	for _, n := range names {
		if !slices.Contains(c.Names, n) {
			t.Errorf("the change does not tell of %q: %q", n, c.Names)
		}
	}
}

// spares asks that a change tells of no digest or name of this record.
func spares(t *testing.T, c auth.Change, r *auth.Record) {
	t.Helper()
	for _, d := range digestsOf(r) {
		if slices.Contains(c.Digests, d) {
			t.Errorf("the change tells of a digest of %q, whose answers it does not touch", r.Name)
		}
	}
	if slices.Contains(c.Names, r.Name) || slices.Contains(c.Names, r.Slug) {
		t.Errorf("the change tells of %q, whose answers it does not touch: %q", r.Name, c.Names)
	}
}

func digestsOf(records ...*auth.Record) (list []auth.Digest) {
	for _, r := range records {
		for i := range r.Secrets {
			list = append(list, r.Secrets[i].Digest)
		}
	}
	return list
}
