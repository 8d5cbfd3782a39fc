package config

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"authd/internal/auth"
)

const (
	first  = "the first pepper of all"
	second = "the second pepper of all"
	third  = "the third pepper of all"
)

// ids are the peppers' ids, newest first; without any, that of no pepper.
func ids(t *testing.T, peppers ...string) (out []string) {
	t.Helper()
	for _, s := range peppers {
		p, err := auth.NewPepper([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p.ID())
	}
	return append(out, auth.NoPepper)[:min(len(peppers)+1, auth.TriedPeppers)]
}

func TestPeppers(t *testing.T) {
	for text, want := range map[string][]string{
		first:                                {first},
		first + "\n":                         {first},
		second + "\r\n" + first + "\r\n":     {second, first},
		"\n\n" + second + "\n \n" + first:    {second, first},
		third + "\n" + second + "\n" + first: {third, second, first},
		" " + first:                          {" " + first},
		"\xff\xfe0123456789abcdef":           {"\xff\xfe0123456789abcdef"},
	} {
		place(t, map[string]string{"pepper": text})
		l, err := Load(Source{Environ: environ("AUTHD_CREDENTIALS_PEPPER_FILE=pepper")})
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		var got []string
		for _, p := range l.Digester.Tried() {
			got = append(got, p.ID())
		}
		if a, b := strings.Join(got, " "), strings.Join(ids(t, want...), " "); a != b {
			t.Errorf("%q: %s are tried, want %s", text, a, b)
		}
		if warned := len(l.Warnings) > 0; warned != (len(want) > auth.TriedPeppers) {
			t.Errorf("%q: warnings %q", text, l.Warnings)
		}
	}
}

// A path in a file starts at the file's folder, one from elsewhere at the process's.
func TestPepperFileIsRelative(t *testing.T) {
	place(t, map[string]string{"pepper": first})
	if err := os.Mkdir("etc", 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"etc/pepper": second, "etc/authd.ini": "[credentials]\npepper_file = pepper\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for want, src := range map[string]Source{
		second: {Files: []string{"etc/authd.ini"}, Environ: environ()},
		first:  {Files: []string{"etc"}, Environ: environ("AUTHD_CREDENTIALS_PEPPER_FILE=pepper")},
	} {
		l, err := Load(src)
		if err != nil || l.Digester.Current().ID() != ids(t, want)[0] {
			t.Errorf("%v: not %q: %v", src, want, err)
		}
	}
}

func TestPepperFaults(t *testing.T) {
	place(t, map[string]string{
		"short":  "tooshort\n" + first + "\n\nalso-short\n",
		"empty":  "\n \n",
		"large":  strings.Repeat(first+"\n", 200),
		"x.yaml": "\ncredentials: {pepper_file: missing}\n",
	})
	if err := syscall.Mkfifo("pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	const at = "AUTHD_CREDENTIALS_PEPPER_FILE: "
	for file, want := range map[string][]string{
		"short":                   {at + "short:1: a pepper has at least 16 bytes, this one 8", at + "short:4: a pepper has at least 16 bytes, this one 10"},
		"empty":                   {at + "empty: no pepper is in it"},
		"large":                   {at + "large: larger than 4 KiB: not a file of peppers"},
		"pipe":                    {at + "pipe: not a regular file"},
		".":                       {at + ".: not a regular file"},
		"short/x":                 {at + "short/x: not a directory"},
		"nowhere":                 {at + "there is no such file (a relative path starts at " + dir + "; the pepper itself stands in the file)"},
		"a\x00b":                  {at + "there is no such file (a relative path starts at " + dir + "; the pepper itself stands in the file)"},
		strings.Repeat("x", 5000): {at + "there is no such file (a relative path starts at " + dir + "; the pepper itself stands in the file)"},
	} {
		l, err := Load(Source{Environ: environ("AUTHD_CREDENTIALS_PEPPER_FILE=" + file)})
		wantFaults(t, err, want...)
		if l.Digester == nil {
			t.Errorf("%s: the sections can't be checked", file)
		}
	}
	_, err = Load(Source{Files: []string{filepath.Join(dir, "x.yaml")}, Environ: environ()})
	wantFaults(t, err, filepath.Join(dir, "x.yaml")+":2: credentials.pepper_file: there is no such file (a relative path starts at "+dir+"; the pepper itself stands in the file)")
}

func TestPrefix(t *testing.T) {
	for _, prefix := range []string{"a", "ak", "AK9", "0123456789abcdef"} {
		l, err := Load(Source{Environ: environ("AUTHD_CREDENTIALS_PREFIX=" + prefix)})
		if err != nil || l.Digester.Prefix() != prefix {
			t.Errorf("%q: %v", prefix, err)
		}
	}
	for _, prefix := range []string{"", "a_b", "a-b", "é", "0123456789abcdefg", " a", "a b"} {
		if l, err := Load(Source{Environ: environ("AUTHD_CREDENTIALS_PREFIX=" + prefix)}); err == nil || l.Digester == nil {
			t.Errorf("%q is taken", prefix)
		}
	}
}
