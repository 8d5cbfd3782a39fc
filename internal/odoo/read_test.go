package odoo

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tree writes files, each with its text, and makes their folder the present one.
func tree(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// key is a file with a section of one key.
func key(value string) string { return "[api_key_a]\nkey = " + value + "\n" }

// values are those that the sections give the key a, in the order in which they count.
func values(f Found) string {
	var list []string
	for _, s := range f.Sections {
		if v, ok := s.Fields["key"].(string); ok && s.Name == "a" {
			list = append(list, v)
		}
	}
	return strings.Join(list, " ")
}

func read(env map[string]string, paths ...string) (Found, error) {
	_, variables := env["variables"]
	return Read(Source{Paths: paths, Variables: variables, Known: anyField, LookupEnv: func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	}})
}

// TestPrecedence: folders, whatever the order, then Odoo's own file, then the variables. The last one that has the option wins.
func TestPrecedence(t *testing.T) {
	all := map[string]string{
		"conf.d/default/1.conf": key("default-1"), "conf.d/default/2.conf": key("default-2"), "conf.d/default/3.txt": key("no"),
		"conf.d/dev/1.conf": key("dev-1"), "conf.d/prod/1.conf": key("prod-1"), "conf.d/prod/2.conf": key("prod-2"), "conf.d/test/1.conf": key("test-1"),
		"odoo.conf": "[options]\nrunning_env = prod\n" + key("rc"), "other.conf": "[options]\n" + key("other"),
		"plain/b.conf": key("plain-b"), "plain/a.conf": key("plain-a"), "plain/c.ini": key("no"),
	}
	vars := map[string]string{"variables": "", "SERVER_ENV_CONFIG": key("variable"), "SERVER_ENV_CONFIG_SECRET": key("secret")}
	for name, c := range map[string]struct {
		env   map[string]string
		paths []string
		want  string
	}{
		"a file": {nil, []string{"odoo.conf"}, "rc"},
		"the folder of its environment, which the file names": {nil, []string{"odoo.conf", "conf.d"}, "rc"},
		"RUNNING_ENV counts where the file names none":        {map[string]string{"RUNNING_ENV": "dev", "ODOO_STAGE": "prod"}, []string{"conf.d"}, "dev-1"},
		"the file goes before RUNNING_ENV":                    {map[string]string{"RUNNING_ENV": "nowhere"}, []string{"conf.d", "odoo.conf"}, "rc"},
		"ODOO_STAGE after that":                               {map[string]string{"ODOO_STAGE": "prod"}, []string{"conf.d"}, "prod-2"},
		"and test where none does":                            {nil, []string{"conf.d"}, "test-1"},
		"two files, in their order":                           {nil, []string{"other.conf", "odoo.conf"}, "rc"},
		"a plain folder":                                      {nil, []string{"plain"}, "plain-b"},
		"the variables":                                       {vars, []string{"odoo.conf"}, "secret"},
		"the variables alone":                                 {vars, nil, "secret"},
		"variables that were not asked for":                   {map[string]string{"SERVER_ENV_CONFIG": key("variable")}, []string{"odoo.conf"}, "rc"},
	} {
		t.Run(name, func(t *testing.T) {
			tree(t, all)
			found, err := read(c.env, c.paths...)
			if got := values(found); err != nil || got != c.want {
				t.Errorf("%s, %v; want %s", got, err, c.want)
			}
			for _, path := range c.paths {
				if !slices.Contains(found.Files, path) {
					t.Errorf("%s is not watched: %v", path, found.Files)
				}
			}
		})
	}
}

// TestFolderIsWatched: what would come to count, were it made, is watched for as well.
func TestFolderIsWatched(t *testing.T) {
	tree(t, map[string]string{"conf.d/test/1.conf": key("v")})
	found, err := read(nil, "conf.d")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"conf.d", "conf.d/default", "conf.d/test", "conf.d/test/1.conf"} {
		if !slices.Contains(found.Files, want) {
			t.Errorf("%s is not watched: %v", want, found.Files)
		}
	}
}

func TestFaultsOfPlaces(t *testing.T) {
	for _, c := range []struct {
		files map[string]string
		env   map[string]string
		paths []string
		want  string
	}{
		{nil, nil, []string{"odoo.conf"}, "odoo.conf: no such file or directory"},
		{map[string]string{"conf.d/default/1.conf": "", "conf.d/prod/1.conf": ""}, nil, []string{"conf.d"},
			"conf.d: the running environment is test, and has no folder here: make conf.d/test, or name another environment by running_env in the section [options] of Odoo's file, RUNNING_ENV or ODOO_STAGE"},
		{map[string]string{"conf.d/prod/1.conf": ""}, map[string]string{"RUNNING_ENV": "dev"}, []string{"conf.d"},
			"conf.d: the running environment is dev, and has no folder here: make conf.d/dev, or name another environment by running_env in the section [options] of Odoo's file, RUNNING_ENV or ODOO_STAGE"},
		{map[string]string{"conf.d/prod/1.conf": ""}, map[string]string{"RUNNING_ENV": "../prod"}, []string{"conf.d"},
			`conf.d: running_env is "../prod", which is not the name of a folder`},
		{map[string]string{"odoo.conf": "[api_key_a]\nkey\n"}, map[string]string{"variables": "", "SERVER_ENV_CONFIG": "[api_key_b]\n\nkey\n"}, []string{"odoo.conf"},
			"odoo.conf:2: neither a section, nor an option with its value: Odoo refuses such a file\nSERVER_ENV_CONFIG:3: neither a section, nor an option with its value: Odoo refuses such a file"},
	} {
		tree(t, c.files)
		if _, err := read(c.env, c.paths...); err == nil || err.Error() != c.want {
			t.Errorf("%v\nwant\n%s", err, c.want)
		}
	}
}

// TestWarnings tell what looks like a section of a key, and what would be passed over without a word.
func TestWarnings(t *testing.T) {
	tree(t, map[string]string{
		"odoo.conf":           "[ api_key_a ]\nkey = v\n[API_KEY_b]\n[api key c]\n[options]\n[api_key_d]\nkey = v\n",
		"conf.d/test/1.conf":  "",
		"conf.d/1.conf":       key("v"),
		"empty/nothing.ini":   "",
		"second/default.conf": "",
	})
	found, err := read(map[string]string{"variables": ""}, "odoo.conf", "conf.d", "empty", "second")
	want := []string{
		"conf.d: its own *.conf are passed over: those in default and test count",
		"empty: no file *.conf is in this folder",
		"neither SERVER_ENV_CONFIG nor SERVER_ENV_CONFIG_SECRET is set, so there is nothing to read from them",
		"odoo.conf:1: [ api_key_a ] is passed over: a section of a key begins with [api_key_, to the letter, and blanks inside the brackets count",
		"odoo.conf:3: [API_KEY_b] is passed over: a section of a key begins with [api_key_, to the letter, and blanks inside the brackets count",
		"odoo.conf:4: [api key c] is passed over: a section of a key begins with [api_key_, to the letter, and blanks inside the brackets count",
	}
	if err != nil || !slices.Equal(found.Warnings, want) {
		t.Errorf("%v\n%s\nwant\n%s", err, strings.Join(found.Warnings, "\n"), strings.Join(want, "\n"))
	}
}
