package config

import (
	"os"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// place makes a folder of files, works in it, and answers how to load it: no
// variable is set but those that a test gives.
func place(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// environ is an environment with nothing but these.
func environ(vars ...string) []string { return append([]string{"PATH=/bin"}, vars...) }

// flags parses a command line.
func flags(t *testing.T, args ...string) *pflag.FlagSet {
	t.Helper()
	set := pflag.NewFlagSet("authd", pflag.ContinueOnError)
	set.StringP("output", "o", "text", "one that is none of ours")
	AddFlags(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	return set
}

// loadText loads one file in a folder of its own.
func loadText(t *testing.T, name, text string, vars ...string) (*Loaded, error) {
	t.Helper()
	place(t, map[string]string{name: text})
	return Load(Source{Files: []string{name}, Environ: environ(vars...)})
}

// wantFaults compares the lines of an error.
func wantFaults(t *testing.T, err error, want ...string) {
	t.Helper()
	got := ""
	if err != nil {
		got = err.Error()
	}
	if all := strings.Join(want, "\n"); got != all {
		t.Errorf("got faults\n%s\nwant\n%s", got, all)
	}
}

// origins are the origins of all settings, by path.
func origins(l *Loaded) map[string]string {
	out := map[string]string{}
	for _, s := range l.Settings() {
		out[s.Path] = s.Origin
	}
	return out
}
