package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shipped reads a file of deploy/.
func shipped(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// adapted is a file of deploy/ with what differs on this machine replaced: pairs of old and new. Each
// old text has to be there, or the file is no longer the one that this test knows.
func adapted(t *testing.T, name string, pairs ...string) string {
	t.Helper()
	text := shipped(t, name)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("deploy/%s has no %q to replace", name, pairs[i])
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

func write(t *testing.T, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// What is shipped for authd is a configuration that it takes.
func TestShippedConfigurations(t *testing.T) {
	bin, err := program()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../../deploy/*/authd.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("deploy/ has no authd.yaml: %v", err)
	}
	a := &authd{bin: bin}
	for _, f := range files {
		a.config = f
		a.run(t, "config", "check")
	}
}
