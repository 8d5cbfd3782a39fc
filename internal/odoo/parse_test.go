package odoo

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"authd/internal/conffile"
)

func anyField(string) bool { return true }

// sectionsOf reads sources as if they came one after another, and writes each
// section as "name@source:line{field=value ...}".
func sectionsOf(known func(string) bool, texts ...string) (string, error) {
	var sources []*source
	var faults []error
	for i, text := range texts {
		src, errs := parse(fmt.Sprintf("%c", 'a'+i), []byte(text), true)
		sources, faults = append(sources, src), append(faults, errs...)
	}
	sections, errs := merge(sources).read(known)
	var out []string
	for _, s := range sections {
		out = append(out, written(s))
	}
	return strings.Join(out, " "), errors.Join(append(faults, errs...)...)
}

func written(s conffile.Section) string {
	name := s.Name
	if s.Global {
		name = "*" + name
	}
	var fields []string
	for _, f := range slices.Sorted(maps.Keys(s.Fields)) {
		fields = append(fields, fmt.Sprintf("%s=%v", f, s.Fields[f]))
	}
	return fmt.Sprintf("%s@%s:%d{%s}", name, s.File, s.Line, strings.Join(fields, " "))
}

// TestDialect: each of these is what Python's ConfigParser makes of it.
func TestDialect(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"[api_key_a]\nkey = v\n", "a@a:1{key=v}"},
		{"[api_key_a]\nkey: v\n", "a@a:1{key=v}"},
		{"[api_key_a]\nkey=v:w=x\n", "a@a:1{key=v:w=x}"},
		{"[api_key_a]\nkey:v=w\n", "a@a:1{key=v=w}"},
		{"[api_key_a]\r\nkey = v\r\n", "a@a:1{key=v}"},
		{"[api_key_a]\rkey = v", "a@a:1{key=v}"},
		{"[api_key_a]\n  key  =   v w  \n", "a@a:1{key=v w}"},
		{"[api_key_a]\nkey = \"v\"\n", `a@a:1{key="v"}`},
		{"[api_key_a]\nkey = v ; w # x\n", "a@a:1{key=v ; w # x}"},
		{"[api_key_a]\n; key = w\n # key = x\nkey = v\n", "a@a:1{key=v}"},
		{"[api_key_a]\nkey =\n", "a@a:1{key=}"},
		{"[api_key_a]\nKey = v\nkey = w\n", "a@a:1{Key=v key=w}"},
		{"[api_key_a]\nkey = a%%b\n", "a@a:1{key=a%b}"},
		{"[api_key_a]\nkey = %(user)s-%%(user)s\nuser = u\nstandalone = false\n", "a@a:1{key=u-%(user)s standalone=false user=u}"},
		{"[api_key_a]\nkey = v\n w\n\tx\n", "a@a:1{key=v\nw\nx}"},
		{"[api_key_a]\nkey = v\n# no\n w\n", "a@a:1{key=v\nw}"},
		{"[api_key_a]\nkey = v\n\n w\n\n\n", "a@a:1{key=v\n\nw}"},
		{"[api_key_a]\nkey = v\n [api_key_b]\n", "a@a:1{key=v\n[api_key_b]}"},
		{" [api_key_a]\n key = v\nuser = u\nstandalone=no\n", "a@a:1{key=v standalone=no user=u}"},
		// Names to the letter.
		{"[api_key_My Key]\nkey = v\n", "My Key@a:1{key=v}"},
		{"[api_key_Clé été]\nkey = v\n", "Clé été@a:1{key=v}"},
		{"[api_key_x]y]\nkey = v\n", "x]y@a:1{key=v}"},
		{"[api_key_a] ; what follows is no part of it\nkey = v\n", "a@a:1{key=v}"},
		{"[api_key_ a ]\nkey = v\n", " a @a:1{key=v}"},
		{"[ api_key_a ]\nkey = v\n[API_KEY_a]\nkey = w\n", ""},
		// All else is passed over.
		{"[options]\ndb_password = x\n; c\naddons_path = a,\n    b\n[queue_job]\nchannels = root:1\n[api_key_a]\nkey = v\n", "a@a:8{key=v}"},
		{"", ""},
		// [DEFAULT] reaches the sections that are there, and creates none.
		{"[DEFAULT]\nkey = d\n", ""},
		{"[DEFAULT]\ngroups = g\n[api_key_a]\nkey = v\n[api_key_b]\ngroups = h\n[DEFAULT]\nscopes = s\n",
			"a@a:1{groups=g scopes=s} a@a:3{key=v} b@a:1{scopes=s} b@a:5{groups=h}"},
		{"[auth_api_key]\ngroups = g\n", "*@a:1{groups=g}"},
		// What 10.0 had.
		{"[api_key_a]\nkey = v\nuser = admin\n", "a@a:1{key=v standalone=true user=admin}"},
		{"[api_key_a]\nuser = admin\n", "a@a:1{user=admin}"},
		{"[api_key_a]\n", "a@a:1{}"},
	} {
		got, err := sectionsOf(anyField, c.text)
		if err != nil || got != c.want {
			t.Errorf("%q:\n%s, %v\nwant\n%s", c.text, got, err, c.want)
		}
	}
}

// TestSourcesMerge option by option, the later one wins; [DEFAULT] of any of them loses against a section of any.
func TestSourcesMerge(t *testing.T) {
	got, err := sectionsOf(func(f string) bool { return f != "foreign" && f != "v" },
		"[api_key_a]\nkey = 1\nuser = u\n[api_key_b]\nkey = 2\n",
		"[DEFAULT]\nscopes = s\nforeign = 1\nkey = no\n[api_key_a]\nkey = 3\n",
		"[api_key_c]\nkey = %(v)s\n[DEFAULT]\nv = 4\n")
	want := "a@b:1{scopes=s} a@a:1{standalone=true user=u} a@b:5{key=3} b@b:1{scopes=s} b@a:4{key=2} c@b:1{scopes=s} c@c:1{key=4}"
	if err != nil || got != want {
		t.Errorf("%s, %v\nwant\n%s", got, err, want)
	}
}

// TestFaults: each has its line, and none a value.
func TestFaults(t *testing.T) {
	const secret = "a-value-that-nobody-may-see"
	for _, c := range []struct{ text, want string }{
		{"[api_key_a]\nkey = v\n[api_key_a]\nkey = SECRET\n", "a:3: [api_key_a] is there twice, first on line 1: make one section of both"},
		{"[api_key_a]\nkey = v\nkey = SECRET\n", "a:3: in [api_key_a] an option is there twice, first on line 2: keep one of them"},
		{"key = SECRET\n", "a:1: it stands under no section: Odoo refuses such a file"},
		{"[options]\nSECRET\n", "a:2: neither a section, nor an option with its value: Odoo refuses such a file"},
		{"[options]\n= SECRET\n", "a:2: a value without the name of an option: Odoo refuses such a file"},
		{"[api_key_a\nkey = SECRET\n", "a:1: it stands under no section: Odoo refuses such a file\na:2: it stands under no section: Odoo refuses such a file"},
		{"[api_key_a]\nkey = SECRET%\n", `a:2: [api_key_a]: a "%" is written "%%" in a configuration of Odoo`},
		{"[api_key_a]\nkey = %(SECRET)s\n", `a:2: [api_key_a]: it takes in an option, as "%(name)s", that neither its section nor [DEFAULT] has; a "%" is written "%%"`},
		{"[api_key_a]\nkey = %(key)s\n", "a:2: [api_key_a]: its value takes in others, more than 10 deep"},
		{"[api_key_a]\nkey = \xff\n", "a:2: not UTF-8"},
		{"[options]\n[options]\n", "a:2: [options] is there twice, first on line 1: make one section of both"},
	} {
		_, err := sectionsOf(anyField, strings.ReplaceAll(c.text, "SECRET", secret))
		if err == nil || err.Error() != c.want {
			t.Errorf("%q: %v\nwant\n%s", c.text, err, c.want)
		}
	}
}

// TestBounds: neither a file that is none, nor a value that takes in others, is more than is told of it.
func TestBounds(t *testing.T) {
	_, err := sectionsOf(anyField, "[a]\n"+strings.Repeat("x\n", 10_000))
	if err == nil || strings.Count(err.Error(), "\n") != maxFaults {
		t.Errorf("%.300v", err)
	}
	if _, err := sectionsOf(anyField, strings.Repeat("#", conffile.MaxSize+1)); err == nil {
		t.Error("a file of more than a megabyte was read")
	}
	var b strings.Builder
	b.WriteString("[api_key_a]\nv0 = xxxxxxxxxxxxxxxx\n")
	for i := range 9 {
		fmt.Fprintf(&b, "v%d = %s\n", i+1, strings.Repeat(fmt.Sprintf("%%(v%d)s", i), 50))
	}
	if _, err := sectionsOf(anyField, b.String()); err == nil || !strings.Contains(err.Error(), "becomes larger than 64 KiB") {
		t.Errorf("%.300v", err)
	}
}

// FuzzRead: whatever the text is, reading ends, and what is read of a source
// alone is read of it and an empty one.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"[api_key_a]\nkey = v\n", "[DEFAULT]\nx = %(y)s\n[auth_api_key]\n", "[api_key_x]y] z\nkey: a%%b\n more\n\n#c\n", "\x1c[a]\nb\r=c", "[api_key_a]\nkey=%(key)s\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		one, err := sectionsOf(anyField, text)
		two, err2 := sectionsOf(anyField, text, "")
		if one != two || (err == nil) != (err2 == nil) {
			t.Errorf("%q: %s, %v; with an empty source beside it: %s, %v", text, one, err, two, err2)
		}
		if err != nil && len(err.Error()) > 64<<10 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
	})
}
