package conffile

import (
	"strings"
	"testing"
)

func TestFaults(t *testing.T) {
	for _, c := range []struct{ path, text, want string }{
		{"x.yaml", "cache:\n  ttl: 1m\n  ttl: 2m\n\napi_key_a.b: {}\napi_key_a.b: {}\n",
			"x.yaml:3: cache.ttl is there twice, first on line 2\nx.yaml:6: \"api_key_a.b\" is there twice, first on line 5"},
		{"x.yaml", "listen:\n  verify: :8080\n bad: 1\n", "x.yaml:2: not YAML: did not find expected key"},
		{"x.yaml", "a: [1\n", "x.yaml:1: not YAML: did not find expected ',' or ']'"},
		{"x.yaml", "a: &x [*x]\n", "x.yaml: not YAML: anchor 'x' value contains itself"},
		{"x.yaml", "- a\n", "x.yaml:1: a table of settings is wanted, such as listen:"},
		{"x.yaml", "listen: {}\n---\ncache: {}\n", "x.yaml:2: a second document begins: a file holds one"},
		{"x.yaml", "policies:\n  1: {}\n", "x.yaml:2: a name that is no text: put it in quotes"},
		{"x.yaml", "a: b\napi_key_Partner sync: abc\n", "x.yaml:2: api_key_Partner sync: a section is wanted, a table of fields such as key_file"},
		{"x.yaml", "api_key_: {}\n", "x.yaml:1: [api_key_] names no record"},
		{"x.yaml", "a: !!binary //8=\n", "x.yaml:1: a: not UTF-8"},
		{"x.yaml", "a: b\nc: \xff\n", "x.yaml:2: not UTF-8"},

		{"x.toml", "[cache]\nttl = 1\nttl = 2\n[listen]\n[cache]\n",
			"x.toml:3: cache.ttl is there twice, first on line 2\nx.toml:5: cache is there twice, first on line 1"},
		{"x.toml", "a = 1\n[a.b]\n", "x.toml: not TOML: expected a to be a table, not a value"},
		{"x.toml", "\n[api_key_a.b]\nkey = 'x'\n", `x.toml:2: [api_key_a]: field "b" is a table; a name with a dot or a blank is written ["api_key_a.b"]`},
		{"x.toml", "[api_key_api.example.com]\nkey = 'x'\n", `x.toml:1: [api_key_api]: field "example" is a table; a name with a dot or a blank is written ["api_key_api.example.com"]`},
		{"x.toml", "a = 1\n[api_key_Partner sync]\nkey = 'x'\n", `x.toml:2: not TOML: expected character ]; a name with blanks, dots or other signs is written ["api_key_Partner sync"]`},
		{"x.toml", "[api_key_Clé]\n", `x.toml:1: not TOML: expected character ]; a name with blanks, dots or other signs is written ["api_key_Clé"]`},
		{"x.toml", "[[api_key_a]]\nb = 1\n", "x.toml:1: api_key_a: a section is wanted, a table of fields such as key_file"},
		{"x.toml", "a = yes\n", "x.toml:1: not TOML: incomplete number"},

		{"x.json", "{\n\"a\": 1,\n\"a\": 2, \"b\": {\"c\": 1, \"c\": 2}}", "x.json:3: a is there twice, first on line 2\nx.json:3: b.c is there twice, first on line 3"},
		{"x.json", "{\"a\": 1,\n}", "x.json:2: not JSON: invalid character '}' looking for beginning of object key string"},
		{"x.json", "{\"a\": [1,\n", "x.json:1: not JSON: the file ends too early"},
		{"x.json", "{}\n{}", "x.json:2: not JSON: something follows the end of the object"},
		{"x.json", "[1]", `x.json:1: an object of settings is wanted, such as {"listen": {…}}`},
		{"x.json", "{\"a\": 1e999}", "x.json:1: a: the number is out of range"},
		{"x.json", strings.Repeat(`{"a":`, 50), "x.json:1: not JSON: it nests too deep"},

		{"x.ini", "[api_key_a]\nkey = 1\n[b]\n[api_key_a]\nkey = 2\n",
			"x.ini:4: api_key_a is there twice, first on line 1\nx.ini:5: api_key_a.key is there twice, first on line 2"},
		{"x.ini", "verify = :8080\n[DEFAULT]\n\nkey = 1\n",
			"x.ini:1: a key stands under the section it belongs to: [listen], then verify = :8080\nx.ini:4: a key stands under the section it belongs to: [listen], then verify = :8080"},
		{"x.ini", "[listen]\nverify\n", "x.ini:2: neither a section, nor a key with its value: key = value"},
		{"x.ini", "[listen]\n= 1\n", "x.ini:2: a value without a key"},
		{"x.ini", "[listen\n[]\n[a] ; b\n", "x.ini:1: a section ends in \"]\", and nothing follows it on the line\nx.ini:2: a section without a name\nx.ini:3: a section ends in \"]\", and nothing follows it on the line"},
		{"x.ini", "[listen]\nverify = a\n  b = c\n", "x.ini:3: the line is indented, as if it went on with the value above: a value has one line"},
		{"x.ini", "[listen]\nverify = a\x00\n", "x.ini:2: a control character"},
		{"x.ini", "[a]\nb = 1\n[a.b]\nc = 1\n", "x.ini:3: a.b is a value on line 2, and can't be a section"},
		{"x.ini", "[a.b]\nc = 1\n[a]\nb = 1\n", "x.ini:4: a.b is a section on line 1, and can't have a value"},
	} {
		f, err := parse(c.path, []byte(c.text))
		if err == nil {
			t.Errorf("%q: no error, but %v", c.text, f.Settings)
		} else if err.Error() != c.want {
			t.Errorf("%q:\n%v\nwant\n%s", c.text, err, c.want)
		}
	}
}

func TestEmptyFiles(t *testing.T) {
	for _, path := range []string{"x.yaml", "x.toml", "x.json", "x.ini"} {
		for _, text := range []string{"", "\n\n", "# nothing\n"} {
			if path == "x.json" && strings.Contains(text, "#") {
				continue
			}
			f, err := parse(path, []byte(text))
			if err != nil || len(f.Settings)+len(f.Sections) > 0 {
				t.Errorf("%s, %q: %v, %v", path, text, f, err)
			}
		}
	}
}

// A file of nothing but opening brackets must not bring the process down.
func TestDeepNesting(t *testing.T) {
	for path, text := range map[string]string{
		"x.yaml": strings.Repeat("[", MaxSize), "x.toml": "a = " + strings.Repeat("[", MaxSize-4),
		"x.json": strings.Repeat("[", MaxSize), "x.ini": strings.Repeat("[", MaxSize),
	} {
		if _, err := parse(path, []byte(text)); err == nil {
			t.Errorf("%s: no error", path)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "a: b", "a: &x {b: *x}\n<<: *x", "api_key_a b:\n  key_file: /x\n? [a]\n: b\n--- 1",
		"[api_key_a.b]\nc = 1\n[[x]]\ny = {z = [1, {w = 2}]}\n[x.q]\n[[x]]\n", "a.b.c = 1979-05-27T07:32:00Z\nd = 07:32:00\n['api_key_x y']\n",
		`{"a": [1, {"b": null}], "api_key_x": {"key": "y"}, "a": 1e400}`, `{"\ud800": 1`,
		"[api_key_a]b]\nx = \"y\" ; z\n[a.b]\n=1\n[DEFAULT]\nq:1\n  r = s", "\xef\xbb\xbf[x]", "\xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, path := range []string{"x.yaml", "x.toml", "x.json", "x.ini"} {
			file, err := parse(path, []byte(text))
			if (file == nil) == (err == nil) {
				t.Fatalf("%s: file %v, error %v", path, file, err)
			}
			if err != nil && !strings.HasPrefix(err.Error(), path) {
				t.Fatalf("%s: the error names no file: %v", path, err)
			}
		}
	})
}
