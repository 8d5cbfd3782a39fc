package config

import (
	"os"
	"slices"
	"testing"
)

func TestFolder(t *testing.T) {
	place(t, map[string]string{"last.yaml": "log: {format: json}\napi_key_C: {active: false}\n"})
	for _, dir := range []string{"etc", "etc/sub", "empty"} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		"etc/20.ini": "[log]\nformat = text\nlevel = warn\n[api_key_B]\nactive = no\n", "etc/10.yaml": "log: {level: debug}\napi_key_A: {active: false}\n",
		"etc/README": "not: ours", "etc/.hidden.yaml": "x: 1", "etc/sub/30.yaml": "x: 1",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	src := Source{Files: []string{"etc", "empty", "last.yaml"}, Environ: environ()}
	l, err := Load(src)
	if err != nil {
		t.Fatal(err)
	}
	if o := origins(l); o["log.level"] != "etc/20.ini:3" || o["log.format"] != "last.yaml:1" {
		t.Errorf("%v", o)
	}
	var names []string
	for _, s := range l.Sections {
		names = append(names, s.Name)
	}
	if !slices.Equal(names, []string{"A", "B", "C"}) {
		t.Errorf("sections %q", names)
	}
	if want := []string{"etc", "etc/10.yaml", "etc/20.ini", "empty", "last.yaml"}; !slices.Equal(l.Files, want) {
		t.Errorf("watched are %q", l.Files)
	}
	if want := []string{"empty: no configuration file is in this folder"}; !slices.Equal(l.Warnings, want) {
		t.Errorf("warnings %q", l.Warnings)
	}
}

// Sections reads sections alone: what became of the settings does not matter.
func TestSectionsAgain(t *testing.T) {
	place(t, map[string]string{"x.yaml": "log: {level: nonsense}\nunknown: 1\napi_key_A: {active: false}\n"})
	src := Source{Files: []string{"x.yaml"}}
	sections, files, err := Sections(src)
	if err != nil || len(sections) != 1 || sections[0].Name != "A" || sections[0].Line != 3 || !slices.Equal(files, []string{"x.yaml"}) {
		t.Errorf("%+v, %q, %v", sections, files, err)
	}
	if err := os.WriteFile("x.yaml", []byte("a: ]"), 0o600); err != nil {
		t.Fatal(err)
	}
	src.Files = append(src.Files, "gone.yaml", "")
	if _, files, err = Sections(src); !slices.Equal(files, []string{"x.yaml", "gone.yaml"}) {
		t.Errorf("watched are %q", files)
	}
	wantFaults(t, err,
		"x.yaml: not YAML: did not find expected node content",
		"gone.yaml: no such file or directory",
		"the name of a configuration file is empty: -c wants a file or a folder",
	)
}
