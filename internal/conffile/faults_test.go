package conffile

import (
	"strings"
	"testing"
	"unicode/utf8"
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
		{"x.json", "{\"a\\nb\": 1,\n\"a\\nb\": 2}", `x.json:2: "a\nb" is there twice, first on line 1`},
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
	dots := strings.Repeat("a.", 50_000) + "a"
	for text, path := range map[string]string{
		dots + "=1": "x.toml", "[" + dots + "]": "x.toml", "a={" + dots + "=1}": "x.toml", "[ " + dots + "]": "x.ini",
		"a = " + strings.Repeat("[", 1000) + strings.Repeat("]", 1000): "x.toml",
	} {
		if _, err := parse(path, []byte(text)); err == nil || err.Error() != path+":1: it nests too deep" {
			t.Errorf("%s, %.20q…: %v", path, text, err)
		}
	}
}

// What is no configuration at all has a fault on each line; nobody reads them all.
func TestErrorsAreBounded(t *testing.T) {
	for path, text := range map[string]string{
		"x.ini":  strings.Repeat("x\n", 10_000),
		"x.yaml": strings.Repeat("1: a\n", 10_000),
		"x.json": "{" + strings.Repeat(`"a": 1, `, 10_000) + `"b": 2}`,
		"x.toml": strings.Repeat("[a]\n", 10_000),
	} {
		_, err := parse(path, []byte(text))
		if err == nil || strings.Count(err.Error(), "\n") != maxFaults || !strings.HasSuffix(err.Error(), " more") {
			t.Errorf("%s: %.200v", path, err)
		}
	}
	long := strings.Repeat("é", MaxSize/8)
	_, err := parse("x.ini", []byte("[s]\n"+long+"=\n"+long+"=\n"))
	if err == nil || len(err.Error()) > maxText+20 || !utf8.ValidString(err.Error()) {
		t.Errorf("a long name: %.1000v", err)
	}
}

// TestNoValueInFaults: a value that a format takes for something else, for
// want of quotes, is not in the fault.
func TestNoValueInFaults(t *testing.T) {
	const secret, digits = "QmFzZTY0IGtleSBvZiAzMiBieXRlcyE", "98765432109876543210"
	for _, c := range []struct{ path, text, want string }{
		{"x.yaml", "key: *SECRET", `x.yaml:2: not YAML: an alias of an anchor that is not there: text that begins with "*" is put in quotes`},
		{"x.yaml", "key: &SECRET", `x.yaml:2: api_key_a.key: an anchor of nothing: text that begins with "&" is put in quotes`},
		{"x.yaml", "key: !SECRET", `x.yaml:2: api_key_a.key: a tag that nothing here has: text that begins with "!" is put in quotes`},
		{"x.yaml", "key: !!SECRET", `x.yaml:2: api_key_a.key: a tag that nothing here has: text that begins with "!" is put in quotes`},
		{"x.yaml", "key: !!int SECRET", "x.yaml: not YAML: cannot decode a !!str as a !!int"},
		{"x.yaml", "key: @SECRET", "x.yaml:2: not YAML: found character that cannot start any token"},
		{"x.yaml", "key: |SECRET", "x.yaml:2: not YAML: did not find expected comment or line break"},
		{"x.yaml", "key: SECRET: SECRET", "x.yaml:2: not YAML: mapping values are not allowed in this context"},
		{"x.yaml", "<<: SECRET", "x.yaml: not YAML: map merge requires map or sequence of maps as the value"},
		{"x.toml", "key = SECRET", "x.toml:2: not TOML: incomplete number"},
		{"x.toml", "key = DIGITS", "x.toml:2: not TOML: couldn't parse decimal number: text is put in quotes"},
		{"x.toml", "key = 1.DIGITSe9DIGITS", "x.toml:2: not TOML: unable to parse float: text is put in quotes"},
		{"x.toml", "[api_key_b key = 'SECRET'", "x.toml:2: not TOML: expected character ]"},
		{"x.toml", "key = 'SECRET", "x.toml:2: not TOML: literal strings cannot have new lines"},
		{"x.json", `"key": SECRET`, "x.json:2: not JSON: invalid character 'Q' looking for beginning of value"},
		{"x.json", `"key": "SECRET\q"`, "x.json:2: not JSON: invalid character 'q' in string escape code"},
		{"x.ini", "SECRET", "x.ini:2: neither a section, nor a key with its value: key = value"},
		{"x.ini", "key = x\n  SECRET", "x.ini:3: the line is indented, as if it went on with the value above: a value has one line"},
	} {
		text := strings.NewReplacer("SECRET", secret, "DIGITS", digits).Replace(c.text)
		switch c.path {
		case "x.yaml":
			text = "api_key_a:\n  " + text + "\n"
		case "x.json":
			text = "{\"api_key_a\": {\n" + text + "}}"
		default:
			text = "[api_key_a]\n" + text + "\n"
		}
		_, err := parse(c.path, []byte(text))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v\nwant %s", c.text, err, c.want)
		}
	}
}
