package override

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"authd/internal/auth"
	"authd/internal/conffile"
)

// journal is a log that can be read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// count tells how many lines of the log hold all of these words.
func (j *journal) count(words ...string) (n int) {
	for line := range strings.Lines(j.String()) {
		has := 0
		for _, word := range words {
			if strings.Contains(line, word) {
				has++
			}
		}
		if has == len(words) {
			n++
		}
	}
	return n
}

// await waits until a condition holds; how long that takes is not its matter.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// watched is a world whose sections are those of a folder's files.
type watched struct {
	*world
	dir     string
	log     journal
	watcher *Watcher

	mu      sync.Mutex
	reloads []error
}

const never = time.Hour

// newWatched prepares a watcher of what is in the folder now; run starts it.
func newWatched(t *testing.T, paths ...string) *watched {
	t.Helper()
	w := &watched{world: newWorld(t), dir: t.TempDir()}
	if len(paths) == 0 {
		paths = []string{"x.yaml"}
	}
	for i := range paths {
		paths[i] = filepath.Join(w.dir, paths[i])
	}
	watcher, err := NewWatcher(WatcherOptions{
		Finder: w.finder, Env: w.env, Registerer: prometheus.NewRegistry(),
		Log: slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Read: func() ([]conffile.Section, []string, error) {
			files, err := conffile.Expand(paths)
			if err != nil {
				return nil, nil, err
			}
			sections, err := read(files...)
			return sections, append(files, paths...), err
		},
		Reloaded: func(err error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.reloads = append(w.reloads, err)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.watcher = watcher
	watcher.compareEvery, watcher.matchEvery = never, never
	return w
}

// run runs the watcher until the test ends, and returns once the first reload is done.
func (w *watched) run(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.watcher.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if strings.Contains(w.log.String(), production) || strings.Contains(w.log.String(), here) || strings.Contains(w.log.String(), other) {
			t.Errorf("a value is in the log:\n%s", &w.log)
		}
	})
	await(t, "the first reload", func() bool { return w.reloaded() > 0 })
}

// reloaded is how many reloads have come to their end.
func (w *watched) reloaded() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.reloads)
}

func (w *watched) put(name, text string) { w.Helper(); write(w, w.dir, name, text) }

func (w *watched) link(target, name string) {
	w.Helper()
	if err := os.Symlink(target, filepath.Join(w.dir, name)); err != nil {
		w.Fatal(err)
	}
}

// rename puts one file over another, as those do who never leave half a file.
func (w *watched) rename(from, to string) {
	w.Helper()
	if err := os.Rename(filepath.Join(w.dir, from), filepath.Join(w.dir, to)); err != nil {
		w.Fatal(err)
	}
}

func (w *watched) mkdir(name string) {
	w.Helper()
	if err := os.MkdirAll(filepath.Join(w.dir, name), 0o700); err != nil {
		w.Fatal(err)
	}
}

func (w *watched) remove(name string) {
	w.Helper()
	if err := os.RemoveAll(filepath.Join(w.dir, name)); err != nil {
		w.Fatal(err)
	}
}

// passes awaits that a value passes, and no other of these does.
func (w *watched) passes(t *testing.T, value string) {
	t.Helper()
	await(t, value+" passes", func() bool { return w.ask(value).Reason == auth.Allowed })
	for _, v := range []string{production, here, other} {
		if v != value && w.ask(v).Reason.Allows() {
			t.Errorf("%s passes as well as %s", v, value)
		}
	}
}

func (w *watched) sections(state State) float64 {
	return testutil.ToFloat64(w.watcher.metrics.sections.WithLabelValues(string(state)))
}

func (w *watched) results(result string) float64 {
	return testutil.ToFloat64(w.watcher.metrics.reloads.WithLabelValues(result))
}

func (w *watched) taken() bool { return testutil.ToFloat64(w.watcher.metrics.taken) == 1 }

func yaml(source, value string) string {
	return "api_key_Partner sync: {" + source + ": " + value + "}\n"
}
