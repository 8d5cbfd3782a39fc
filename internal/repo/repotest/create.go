package repotest

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"authd/internal/auth"
)

var creating = []test{
	{"every field is kept", everyFieldIsKept},
	{"lists are never null in JSON", listsInJSON},
	{"a record may have no secret, or several", severalSecrets},
	{"a record may come revoked", comesRevoked},
	{"a taken name, slug or secret is refused", takenIsRefused},
	{"a user is made, or kept as it is", userIsMade},
}

// fullRecord has a value in every field that a caller sets.
func fullRecord(name string) auth.Record {
	r := newRecord(name)
	r.NotBefore, r.ExpiresAt = early.Add(time.Hour), time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)
	r.Groups = []string{"sync", "partner", `a "quoted" one`, "Größe", "<&>\u2028"}
	r.Scopes = []string{"shop:read", "a/b", "{}[]'"}
	r.Restrictions = auth.Restrictions{
		Hosts: []string{"api.example.com", "*.example.org", "[::1]"}, Methods: []string{"GET", "PROPFIND"},
		Paths: []string{"/public/", "/é%20"},
		CIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("192.0.2.7/32")},
	}
	r.Limits = someLimits()
	r.Metadata = map[string]string{"team": "sales", "empty": "", `k"ey`: "line\nline\t'\"\\ \u2028 é"}
	r.Note = strings.Repeat("né ", auth.MaxNote/4)
	return r
}

func everyFieldIsKept(t *testing.T, db *base) {
	r := fullRecord("Full")
	secret := newSecret()
	secret.PepperID, secret.ExpiresAt = "0badcafe", early.Add(90*24*time.Hour)
	filled(t, reflect.ValueOf(r), "RevokedAt", "ChangedSeq", "Secrets", "UserLimits") // the store's, or tested elsewhere
	filled(t, reflect.ValueOf(secret), "Revoked")
	want := db.createWith(t, r, secret)
	db.wantRecord(t, want)
	list, err := db.other.ListKeys(db.ctx, auth.KeyFilter{})
	if err != nil || len(list) != 1 {
		t.Fatalf("listed: %+v, %v", list, err)
	}
	same(t, "as it is listed", want, &list[0])
}

// filled asks that the test leaves no field out, so that a new one can't be forgotten.
func filled(t *testing.T, v reflect.Value, but ...string) {
	t.Helper()
	for i := range v.NumField() {
		field := v.Type().Field(i)
		switch {
		case slices.Contains(but, field.Name):
		case v.Field(i).IsZero():
			t.Errorf("the test sets no %s.%s", v.Type(), field.Name)
		case field.Type.Kind() == reflect.Struct && field.Type.PkgPath() == v.Type().PkgPath():
			filled(t, v.Field(i))
		}
	}
}

func listsInJSON(t *testing.T, db *base) {
	r := newRecord("Bare")
	r.Groups, r.Scopes = nil, nil
	db.createWith(t, r)
	got, err := db.other.Key(db.ctx, "Bare")
	if err != nil {
		t.Fatal(err)
	}
	list, err := db.other.ListKeys(db.ctx, auth.KeyFilter{})
	if err != nil || len(list) != 1 {
		t.Fatalf("listed: %+v, %v", list, err)
	}
	for _, r := range []*auth.Record{got, &list[0]} {
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{`"groups":[]`, `"scopes":[]`, `"secrets":[]`} {
			if !strings.Contains(string(text), want) {
				t.Errorf("no %s in %s", want, text)
			}
		}
	}
}

func severalSecrets(t *testing.T, db *base) {
	db.wantRecord(t, db.createWith(t, newRecord("None")))
	old, ended, last := newSecret(), newSecret(), newSecret()
	ended.CreatedAt, ended.ExpiresAt, ended.Hint = early.Add(time.Minute), early.Add(time.Hour), "ak_b…"
	last.CreatedAt, last.Revoked, last.Hint = early.Add(2*time.Minute), true, "ak_c…"
	db.wantRecord(t, db.createWith(t, newRecord("Three"), old, ended, last))
}

func comesRevoked(t *testing.T, db *base) {
	r, secret := newRecord("Imported"), newSecret()
	r.RevokedAt, secret.Revoked = early.Add(time.Hour), true
	db.wantRecord(t, db.createWith(t, r, secret))
	_, err := db.RotateKey(db.ctx, "Imported", newSecret(), early)
	wantErr(t, "rotating it", err, auth.ErrRevoked)
}

func takenIsRefused(t *testing.T, db *base) {
	live := db.create(t, "Live")
	ended := newSecret()
	ended.ExpiresAt = early
	expired := db.createWith(t, newRecord("Expired"), ended)
	revoked := db.create(t, "Revoked")
	if _, err := db.RevokeKey(db.ctx, "Revoked", early); err != nil {
		t.Fatal(err)
	}
	free := newSecret()
	for what, refused := range map[string]struct {
		with func(r *auth.Record, second *auth.SecretInfo)
		want error
	}{
		"a name and its slug": {func(r *auth.Record, _ *auth.SecretInfo) { r.Name, r.Slug = live.Name, live.Slug }, auth.ErrNameTaken},
		"a name":              {func(r *auth.Record, _ *auth.SecretInfo) { r.Name = live.Name }, auth.ErrNameTaken},
		"a slug":              {func(r *auth.Record, _ *auth.SecretInfo) { r.Slug = live.Slug }, auth.ErrSlugTaken},
		"a live secret":       {func(_ *auth.Record, s *auth.SecretInfo) { s.Digest = live.Secrets[0].Digest }, auth.ErrSecretTaken},
		"an expired secret":   {func(_ *auth.Record, s *auth.SecretInfo) { s.Digest = expired.Secrets[0].Digest }, auth.ErrSecretTaken},
		"a revoked secret":    {func(_ *auth.Record, s *auth.SecretInfo) { s.Digest = revoked.Secrets[0].Digest }, auth.ErrSecretTaken},
		"a secret twice":      {func(_ *auth.Record, s *auth.SecretInfo) { s.Digest = free.Digest }, auth.ErrSecretTaken},
	} {
		r, second := newRecord("New"), newSecret()
		r.User = "nobody@example.com"
		refused.with(&r, &second)
		db.unlogged(t, func() {
			_, err := db.CreateKey(db.ctx, &r, free, second)
			wantErr(t, what, err, refused.want)
		})
		_, err := db.other.Key(db.ctx, r.ID)
		wantErr(t, what+": the record", err, auth.ErrKeyNotFound)
		db.wantDigest(t, free.Digest, nil)
	}
	db.wantRecord(t, live)
	db.wantUsers(t, auth.User{Login: login, Active: true, Keys: 3})
	// What was refused took nothing away.
	db.wantRecord(t, db.createWith(t, newRecord("New"), free))
}

func userIsMade(t *testing.T, db *base) {
	first := db.create(t, "First")
	db.wantUsers(t, auth.User{Login: login, Active: true, Keys: 1})
	if _, err := db.SetUserActive(db.ctx, login, false); err != nil {
		t.Fatal(err)
	}
	second := newRecord("Second")
	second.UserActive = false
	db.wantRecord(t, db.createWith(t, second, newSecret()))
	// Whatever the caller believes of the user: it is the user's to say.
	third := db.create(t, "Third")
	third.UserActive = false
	db.wantRecord(t, third)
	first.UserActive = false
	db.wantDigest(t, first.Secrets[0].Digest, auth.NewKey(first, first.Secrets[0]))
	db.wantUsers(t, auth.User{Login: login, Active: false, Keys: 3})
}
