package conffile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// names that some format or library would split, fold, trim or unquote.
var names = []string{
	"Partner sync", "api.example.com", "a=b", "it's", `say "hi"`, "a/b", "Clé été", "日本", "x]y", "UPPER", "#1", "-", "a  b", "100%",
}

func TestNamesWorkInEveryFormat(t *testing.T) {
	write := map[string]func(name string) string{
		"x.yaml": func(n string) string {
			return "'api_key_" + strings.ReplaceAll(n, "'", "''") + "':\n  key_file: /run/a\n"
		},
		"x.toml": func(n string) string {
			return `["api_key_` + strings.ReplaceAll(n, `"`, `\"`) + "\"]\nkey_file = '/run/a'\n"
		},
		"x.json": func(n string) string {
			return `{"api_key_` + strings.ReplaceAll(n, `"`, `\"`) + `": {"key_file": "/run/a"}}`
		},
		"x.ini":  func(n string) string { return "[api_key_" + n + "]\nkey_file = /run/a\n" },
		"x.conf": func(n string) string { return "[api_key_" + n + "]\nkey_file: /run/a\n" },
	}
	for path, text := range write {
		for _, name := range append(names, "a:b", " blanks around ") {
			f, err := parse(path, []byte("\xef\xbb\xbf"+text(name)))
			if err != nil {
				t.Errorf("%s, %q: %v", path, name, err)
				continue
			}
			want := []Section{{Name: name, File: path, Line: 1, Fields: map[string]any{"key_file": "/run/a"}}}
			if diff := cmp.Diff(want, f.Sections); diff != "" {
				t.Errorf("%s, %q: %s", path, name, diff)
			}
			if len(f.Settings) > 0 {
				t.Errorf("%s, %q: settings %v", path, name, f.Settings)
			}
		}
	}
}

func TestEveryFormatGivesTheSame(t *testing.T) {
	type lines map[string]int
	for path, c := range map[string]struct {
		text  string
		lines lines
	}{
		"x.yaml": {`
listen: {verify: ":8080"}
cache:
  max_entries: 10
policies:
  shop:
    groups: []
    rules:
      - paths: ["/a/"]
      - {anonymous: true}
api_key_b: {active: true, expires_at: 2027-01-31}
api_key_a:
`, lines{"cache.max_entries": 4, "policies.shop.groups": 7, "policies.shop.rules[0].paths": 9, "policies.shop.rules[1].anonymous": 10, "policies.shop.nothing": 6, "nothing": 0}},
		"x.toml": {`
listen.verify = ":8080"
[cache]
max_entries = 10
[policies]
[policies.shop]
groups = []
[[policies.shop.rules]]
paths = ["/a/"]
[[policies.shop.rules]]
anonymous = true
[api_key_b]
active = true
expires_at = 2027-01-31
[api_key_a]
`, lines{"listen.verify": 2, "cache.max_entries": 4, "policies.shop.groups": 7, "policies.shop.rules[0].paths": 9, "policies.shop.rules[1].anonymous": 11, "policies.shop.rules[1].x": 10, "policies.shop.nothing": 6}},
		"x.json": {`{
  "listen": {"verify": ":8080"},
  "cache": {
    "max_entries": 10
  },
  "policies": {"shop": {
    "groups": [],
    "rules": [
      {"paths": ["/a/"]},
      {"anonymous": true}
    ]
  }},
  "api_key_b": {"active": true, "expires_at": "2027-01-31"},
  "api_key_a": null
}`, lines{"cache.max_entries": 4, "policies.shop.groups": 7, "policies.shop.rules[0].paths": 9, "policies.shop.rules[1].anonymous": 10, "policies.shop.nothing": 6}},
	} {
		f, err := parse(path, []byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		want := map[string]any{
			"listen": map[string]any{"verify": ":8080"},
			"cache":  map[string]any{"max_entries": int64(10)},
			"policies": map[string]any{"shop": map[string]any{
				"groups": []any{},
				"rules":  []any{map[string]any{"paths": []any{"/a/"}}, map[string]any{"anonymous": true}},
			}},
		}
		if diff := cmp.Diff(want, f.Settings); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
		if len(f.Sections) != 2 || f.Sections[0].Name != "b" || f.Sections[1].Name != "a" {
			t.Errorf("%s: sections %v, want b and a, as in the file", path, f.Sections)
			continue
		}
		if diff := cmp.Diff(map[string]any{"active": true, "expires_at": "2027-01-31"}, f.Sections[0].Fields); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
		for setting, line := range c.lines {
			if got := f.Line(setting); got != line {
				t.Errorf("%s: %s is on line %d, want %d", path, setting, got, line)
			}
		}
	}
}

func TestINIValuesAreLiteral(t *testing.T) {
	f, err := parse("x.ini", []byte(`; a comment
# another
[listen]
  verify = :8080
  metrics: "127.0.0.1:8082" ; no comment

[policies.partners]
groups = partner, shop
[policies.empty]
groups =
[ api_key_x ]
a = b
[api_key_x]
key = '"""`+"`a%%b`"+`"""' # ; = : \
key2 = a`+"\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"listen": map[string]any{"verify": ":8080", "metrics": `"127.0.0.1:8082" ; no comment`},
		"policies": map[string]any{
			"partners": map[string]any{"groups": "partner, shop"},
			"empty":    map[string]any{"groups": ""},
		},
	}
	want[" api_key_x "] = map[string]any{"a": "b"} // the blanks count
	if diff := cmp.Diff(want, f.Settings); diff != "" {
		t.Error(diff)
	}
	fields := map[string]any{"key": `'"""` + "`a%%b`" + `"""' # ; = : \`, "key2": "a"}
	if diff := cmp.Diff([]Section{{Name: "x", File: "x.ini", Line: 13, Fields: fields}}, f.Sections); diff != "" {
		t.Error(diff)
	}
	for setting, line := range map[string]int{"listen.verify": 4, "policies.partners": 7, "policies.partners.groups": 8, "policies": 7, "log": 0} {
		if got := f.Line(setting); got != line {
			t.Errorf("%s is on line %d, want %d", setting, got, line)
		}
	}
}

func TestExpand(t *testing.T) {
	dir := t.TempDir()
	write := func(name string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link := func(to, name string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"c/20.toml", "c/.hidden.yaml", "c/README.md", "c/sub.yaml/30.yaml", "c/..2026/10.yaml", "c/..2026/key.conf", "one.yaml"} {
		write(name)
	}
	link("..2026", "c/..data")
	link("..data/10.yaml", "c/10.yaml")
	link("..data/key.conf", "c/key.conf")

	got, err := Expand([]string{filepath.Join(dir, "one.yaml"), filepath.Join(dir, "c")})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Join(dir, "one.yaml"), filepath.Join(dir, "c/10.yaml"), filepath.Join(dir, "c/20.toml"), filepath.Join(dir, "c/key.conf")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	link("nowhere", "c/dangling.yaml")
	for _, path := range []string{"c", "absent.yaml"} {
		if got, err := Expand([]string{filepath.Join(dir, path)}); err == nil {
			t.Errorf("%s: %v, want an error", path, got)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	dir := t.TempDir()
	big := filepath.Join(dir, "big.yaml")
	if err := os.WriteFile(big, []byte(strings.Repeat("# x\n", MaxSize/4+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"authd.cfg":                     "authd.cfg: the format is told by the ending of the name: .yaml, .yml, .toml, .json, .ini or .conf is wanted",
		"authd":                         "authd: the format is told by the ending of the name: .yaml, .yml, .toml, .json, .ini or .conf is wanted",
		big:                             big + ": larger than 1024 KiB: not a configuration file",
		filepath.Join(dir, "none.yaml"): "open " + filepath.Join(dir, "none.yaml") + ": no such file or directory",
	} {
		if _, err := Read(path); err == nil || err.Error() != want {
			t.Errorf("%s: %v\nwant %s", path, err, want)
		}
	}
	folder := filepath.Join(dir, "folder.yaml")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(folder); err == nil || err.Error() != "read "+folder+": not a regular file" {
		t.Errorf("a folder: %v", err)
	}
}
