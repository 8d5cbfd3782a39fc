package override

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"authd/internal/auth"
)

// TestManual: the examples of the manual can be taken as they stand, and its
// table has every field.
func TestManual(t *testing.T) {
	data, err := os.ReadFile("../../docs/overrides.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	env := Env{
		Digester:  auth.NewDigester("ak"),
		LookupEnv: func(name string) (string, bool) { return "the-value-of-" + name, true },
		ReadFile:  func(path string) ([]byte, error) { return []byte("the-value-in-" + path), nil },
	}
	examples := map[string]int{}
	for _, m := range regexp.MustCompile("(?s)```(yaml|toml|json|ini)\n(.*?)```").FindAllStringSubmatch(text, -1) {
		if set := mustSet(t, env, "x."+m[1], m[2]); set.Len() > 0 {
			examples[m[1]]++
		}
	}
	if len(examples) != len(formats) {
		t.Errorf("examples with sections: %v, want some of each format", examples)
	}
	for _, name := range fieldNames {
		if strings.Count(text, "\n| `"+name+"` |") != 1 {
			t.Errorf("the table has no line, or several, of the field %s", name)
		}
	}
	for _, state := range states {
		if !strings.Contains(text, "`"+string(state)+"`") {
			t.Errorf("the metric's state %s is not explained", state)
		}
	}
}
