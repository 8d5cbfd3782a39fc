package auth_test

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"

	"authd/internal/auth"
)

func TestSlug(t *testing.T) {
	for name, want := range map[string]string{
		"Clé été":           "cle_ete",
		"My Key":            "my_key",
		"my_key":            "my_key",
		"Partner sync":      "partner_sync",
		"  --A..B//C--  ":   "a_b_c",
		"ÀÉÎÕÜ":             "aeiou",
		"A\u0301":           "a", // a letter and its accent apart
		"\u212aelvin":       "kelvin",
		"ＦＵＬＬ":              "full",
		"naïve café №1":     "naive_cafe_no1",
		"O'Brien & Söhne":   "o_brien_sohne",
		"a\u200bb":          "ab", // dropped, as Odoo drops it: not a gap
		"Straße":            "strae",
		"key.with.dots:1/2": "key_with_dots_1_2",
		"x":                 "x",
	} {
		if got := auth.Slug(name); got != want {
			t.Errorf("Slug(%q) is %q, want %q", name, got, want)
		}
	}
	if got := auth.Slug("日本"); !regexp.MustCompile(`^k_[0-9a-f]{8}$`).MatchString(got) {
		t.Errorf("a name without ASCII letters has the slug %q, want one made of its digest", got)
	}
	if auth.Slug("日本") == auth.Slug("中国") {
		t.Error("two names without letters share a slug")
	}
}

var slugForm = regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)*$`)

func checkSlug(t interface{ Errorf(string, ...any) }, name string) {
	s := auth.Slug(name)
	if !slugForm.MatchString(s) {
		t.Errorf("Slug(%q) is %q, which is no tech name", name, s)
	}
	if auth.Slug(s) != s {
		t.Errorf("Slug(%q) is %q, and its slug %q", name, s, auth.Slug(s))
	}
}

// That a slug is its own slug is why a section can never mean two records: a
// name that looks like another record's slug has that slug, and is refused.
func TestSlugIsItsOwnSlug(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkSlug(t, rapid.String().Draw(t, "name")) })
}

func FuzzSlug(f *testing.F) {
	for _, s := range []string{"", "Clé été", "My Key", "日本", "\xff\xfe", "k_00000000", "a__b", "\u212a", "_", "ﷺ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) { checkSlug(t, name) })
}
