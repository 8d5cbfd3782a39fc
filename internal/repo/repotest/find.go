package repotest

import (
	"strings"
	"testing"

	"authd/internal/auth"
)

var finding = []test{
	{"a name comes before a slug, and a slug before an id", namesBeforeSlugs},
	{"what is not there is ErrKeyNotFound", unknownKeys},
	{"names are taken to the letter", exactNames},
}

// Three records, each of which is what another's name, slug or id says.
func namesBeforeSlugs(t *testing.T, db *base) {
	first := db.create(t, "First")
	slugged := db.create(t, "Slugged", func(r *auth.Record) { r.Slug = "shared" })
	named := db.create(t, "shared", func(r *auth.Record) { r.Slug = first.ID })
	idNamed := db.create(t, slugged.ID)
	for ref, want := range map[string]*auth.Record{
		"First": first, "first": first, "Slugged": slugged,
		"shared": named, first.ID: named, named.ID: named, slugged.ID: idNamed,
	} {
		got, err := db.other.Key(db.ctx, ref)
		if err != nil || got.ID != want.ID {
			t.Errorf("ref %q: %+v, %v; want %q", ref, got, err, want.Name)
		}
	}
	db.wantName(t, "shared", auth.NewKey(named, auth.SecretInfo{}))
	db.wantName(t, first.ID, auth.NewKey(named, auth.SecretInfo{}))
	db.wantName(t, "slugged", nil)
	db.wantName(t, named.ID, nil) // an id is no name

	// With the name gone, the slug is what is meant.
	c := db.logged(t, func() (auth.Change, error) { return db.DeleteKey(db.ctx, "shared") })
	tells(t, c, named.ID, digestsOf(named), "shared", first.ID)
	db.wantName(t, "shared", auth.NewKey(slugged, auth.SecretInfo{}))
	db.wantName(t, first.ID, nil)
	if got, err := db.other.Key(db.ctx, first.ID); err != nil || got.ID != first.ID {
		t.Errorf("by its id again: %+v, %v", got, err)
	}
}

func unknownKeys(t *testing.T, db *base) {
	r := db.create(t, "Known")
	db.wantDigest(t, newDigest(), nil)
	db.wantDigest(t, auth.Digest{}, nil)
	for _, name := range []string{"", "unknown", r.ID, newID(), "%", "_____", "' OR 1=1 --"} {
		db.wantName(t, name, nil)
	}
	for _, ref := range []string{"", "unknown", newID(), "%", "_____"} {
		_, err := db.other.Key(db.ctx, ref)
		wantErr(t, "Key "+ref, err, auth.ErrKeyNotFound)
	}
}

func exactNames(t *testing.T, db *base) {
	names := []string{
		"Clé été", "Cle\u0301 e\u0301te\u0301", "CLÉ ÉTÉ", "日本語", "a", "A", "a b", "a  b", "a.b", "a/b", "a:b", "a%b", "a_b", `a\b`,
		`a"b`, "a'b", "a,b", "a|b", "[a]", "{a,b}", "<a>&amp;", "a\u2028b", "\U0001F511", strings.Repeat("n", auth.MaxName),
	}
	var all []*auth.Record
	for _, name := range names {
		all = append(all, db.create(t, name, func(r *auth.Record) { r.Slug = "slug of " + r.Name }))
	}
	for _, r := range all {
		db.wantRecord(t, r)
		db.wantName(t, r.Slug, auth.NewKey(r, auth.SecretInfo{}))
		tells(t, db.since(t, r.ChangedSeq-1)[0], r.ID, digestsOf(r), r.Name, r.Slug)
	}
	for _, name := range []string{"clé été", "a ", " a", "b", "日本"} {
		db.wantName(t, name, nil)
	}
}
