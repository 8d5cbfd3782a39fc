package override

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"authd/internal/auth"
	"authd/internal/conffile"
)

// FuzzSections makes sets of files of all formats. SECRET in a file stands for
// a key, which is in no fault, whatever field it came to.
func FuzzSections(f *testing.F) {
	for _, name := range formatNames {
		f.Add(name, everyField[name])
		f.Add(name, formats[name]("api_key_a", field{"key", "SECRET"}, field{"groups", "a,SECRET"}, field{"burst", "SECRET"}))
		f.Add(name, formats[name]("api_key_a", field{"key_file", "SECRET"}, field{"expires_at", "SECRET"}, field{"hosts", "SECRET:80"}))
		f.Add(name, formats[name]("api_key_a", field{"key_env", "SECRET"}, field{"SECRET", "x"}, field{"scopes", "x SECRET\""}))
		f.Add(name, formats[name]("api_key_a", field{"key_digest", "sha256:SECRET"}, field{"rate", "1/SECRET"}, field{"quota", "SECRET/1d"}))
	}
	f.Add("x.yaml", "api_key_My Key: {key: SECRET, standalone: yes, user: u}\napi_key_my_key: {key: SECRET}\napi_key_b: {key_digest: 'hmac-sha256:00000000:SECRET'}")
	f.Add("x.yaml", "a: &a {key: SECRET, active: [], burst: 1e30}\napi_key_a: *a\napi_key_b: {<<: *a, rate: '', standalone: on}\napi_key_c:")
	f.Add("x.toml", "['api_key_a']\nkey = 1979-05-27T07:32:00Z\nnot_before = 1979-05-27 07:32:00\ncidrs = [['SECRET']]\nburst = -0.0\n")
	f.Add("x.json", `{"api_key_a": {"key": null, "active": null, "groups": null, "burst": 98765432109876543210, "paths": ["/%2e"]}}`)
	f.Add("x.ini", "[api_key_ a]\nkey_file = /SECRET\n[api_key_\x7f]\nuser =\n")

	dir := f.TempDir()
	key := auth.NewSecret("ak").Reveal()
	f.Fuzz(func(t *testing.T, format, text string) {
		if !slices.Contains(formatNames, format) {
			return
		}
		sections, err := read(write(t, dir, format, strings.ReplaceAll(text, "SECRET", key)))
		if err != nil {
			return // package conffile tests that
		}
		// Twice, as if two files had the same sections: they merge with themselves.
		set, err := NewSet(append(sections, sections...), fuzzEnv())
		var faults Faults
		if err != nil && (!errors.As(err, &faults) || len(faults) == 0) {
			t.Fatalf("%T: %v", err, err)
		}
		for _, f := range faults {
			if f.At.File == "" || f.At.Line < 1 || f.Section == "" || strings.Contains(f.Text, "\n") || len(f.Text) > 4*(maxShown+1) {
				t.Fatalf("%#v", f)
			}
			if strings.Contains(f.Text, key) && !slices.ContainsFunc(sections, func(s conffile.Section) bool { return strings.Contains(s.Name, key) }) {
				t.Fatalf("the key is in a fault: %v", f)
			}
		}
		if err == nil {
			checkSet(t, set)
		}
	})
}

var formatNames = []string{"x.yaml", "x.toml", "x.json", "x.ini"}

// fuzzEnv has the same value in every file and variable, so that two sections can't have it.
func fuzzEnv() Env {
	return Env{
		Digester:  auth.NewDigester("ak"),
		LookupEnv: func(string) (string, bool) { return other, true },
		ReadFile:  func(string) ([]byte, error) { return []byte(other + "\n"), nil },
	}
}

// checkSet: each section is found by its name, and each usable value leads to one section.
func checkSet(t *testing.T, set *Set) {
	values := 0
	for _, s := range set.sections {
		if set.section(&auth.Key{Name: s.name}) != s || s.value.usable && !s.value.given {
			t.Fatalf("section %q: %+v", s.name, s.value)
		}
		if s.value.usable {
			values++
			if set.byDigest[s.value.digest] != s {
				t.Fatalf("section %q is not found by its value", s.name)
			}
		}
		if s.ready != nil && (s.ready.User == "" || s.ready.Digest != s.value.digest || !s.value.usable) {
			t.Fatalf("standalone %q: %+v", s.name, s.ready)
		}
	}
	if values != len(set.byDigest) {
		t.Fatalf("%d values, %d digests", values, len(set.byDigest))
	}
}
