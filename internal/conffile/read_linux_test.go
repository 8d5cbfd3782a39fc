package conffile

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestPipesAreRefused at once: opening one waits for its writer, and there is none.
func TestPipesAreRefused(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe.yaml")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, "/dev/null", "/dev/zero"} {
		if data, err := ReadRegular(path, 10); err == nil || !strings.HasSuffix(err.Error(), ": not a regular file") {
			t.Errorf("%s: %q, %v", path, data, err)
		}
	}
	if f, err := Read(pipe); err == nil || err.Error() != "read "+pipe+": not a regular file" {
		t.Errorf("%v, %v", f, err)
	}
}
