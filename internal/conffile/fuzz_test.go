package conffile

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// Each format has a fuzz test of its own, so that what is found in one stays
// in its corpus, and leads on from there.

func FuzzParseYAML(f *testing.F) {
	fuzzParse(f, "dir/x.yaml", "a: b", "a: &x {b: *x}\n<<: *x", "api_key_a b:\n  key_file: /x\n? [a]\n: b\n--- 1",
		"a: &a [1]\nb: &b [*a, *a]\nc: [*b, *b]", "api_key_x: {key: !!binary aGFsbG8=}", "a: 2027-01-31\n\"a\": .inf\nb: 0x1F\nc: ~", "? 1\n: 2",
		"%YAML 1.1\n---\na: !foo b\n...\n", "api_key_x:\n  key: *abc\n  b: &c\n", "a: |\n  b\nc: >-\n", "{a: {b: [c, {d: e}]}}")
}

func FuzzParseTOML(f *testing.F) {
	fuzzParse(f, "dir/x.toml", "[api_key_a.b]\nc = 1\n[[x]]\ny = {z = [1, {w = 2}]}\n[x.q]\n[[x]]\n",
		"a.b.c = 1979-05-27T07:32:00Z\nd = 07:32:00\n['api_key_x y']\n", "[\"api_key_a\\nb\"]\nkey = '''\nx'''\n", "a = 0x1F\nb = 1e400\nc = nan",
		"[api_key_a b]\n", "[a]\n[a]\na.b = 1\na.b.c = 2", "a = 98765432109876543210", "x = [[1, 2], [\"a\"]]\n[[x]]", "[api_key_a b", "[\n")
}

func FuzzParseJSON(f *testing.F) {
	fuzzParse(f, "dir/x.json", `{"a": [1, {"b": null}], "api_key_x": {"key": "y"}, "a": 1e400}`, `{"\ud800": 1`, `{"api_key_": {}, "": {"": []}}`,
		`{"a\nb": 1, "a\nb": 2}`, `[1]`, `{} {}`, `{"a": [[[[[[]]]]]]}`, `{"api_key_x": [true, false, -0.0e-9]}`)
}

func FuzzParseINI(f *testing.F) {
	fuzzParse(f, "dir/x.ini", "[api_key_a]b]\nx = \"y\" ; z\n[a.b]\n=1\n[DEFAULT]\nq:1\n  r = s", "[a.b]\nc = 1\n[a]\nb = 1\n", "[]\n[.]\n[a..b]\n= : =\n",
		"[api_key_ x ]\r\nkey = a\r\n\tb", "[s]\nk\u0085 = v", "[api_key_x]\nkey=\nkey:\n")
}

func fuzzParse(f *testing.F, path string, seeds ...string) {
	for _, seed := range append(seeds, "", "\xef\xbb\xbf[x]", "\xff", "\x00", "\n# x\n", "[[[[[[[[") {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file, err := parse(path, []byte(text))
		if (file == nil) == (err == nil) {
			t.Fatalf("file %v, error %v", file, err)
		}
		if err != nil {
			checkFaults(t, path, err.Error())
		} else {
			checkFile(t, path, file, strings.Count(text, "\n")+1)
		}
	})
}

// checkFaults: each line of an error names the file, and no more are told than
// anybody reads.
func checkFaults(t *testing.T, path, text string) {
	lines := strings.Split(text, "\n")
	if len(lines) > maxFaults+1 || !utf8.ValidString(text) {
		t.Fatalf("%d lines of faults, UTF-8 %t", len(lines), utf8.ValidString(text))
	}
	for _, line := range lines {
		if !strings.HasPrefix(line, path+":") || len(line) > maxText+100 {
			t.Fatalf("a line without the file, or too long: %.1000q", line)
		}
	}
}

// checkFile: values are of the kinds that File promises, sections are named,
// and their lines lie within the file.
func checkFile(t *testing.T, path string, file *File, lines int) {
	checkKinds(t, file.Settings)
	for _, s := range file.Sections {
		if s.Name == "" || s.File != path || s.Line < 1 || s.Line > lines || s.Fields == nil {
			t.Fatalf("section %q at %s:%d of %d lines, fields %v", s.Name, s.File, s.Line, lines, s.Fields)
		}
		if line := file.Line(Join("", Prefix+s.Name)); line != s.Line {
			t.Fatalf("section %q is on line %d, and on line %d", s.Name, s.Line, line)
		}
		checkKinds(t, s.Fields)
	}
	for name := range file.Settings {
		if strings.HasPrefix(name, Prefix) {
			t.Fatalf("the section %q is among the settings", name)
		}
	}
}

func checkKinds(t *testing.T, v any) {
	switch v := v.(type) {
	case nil, bool, int64, float64:
	case string:
		if !utf8.ValidString(v) {
			t.Fatalf("%q is not UTF-8", v)
		}
	case []any:
		for _, item := range v {
			checkKinds(t, item)
		}
	case map[string]any:
		for name, item := range v {
			if !utf8.ValidString(name) {
				t.Fatalf("the name %q is not UTF-8", name)
			}
			checkKinds(t, item)
		}
	default:
		t.Fatalf("a value of kind %T", v)
	}
}
