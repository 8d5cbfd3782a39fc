package override

import (
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestReloadOnChange: whatever way a file changes, the next set has it. The
// first value is here, the second other.
func TestReloadOnChange(t *testing.T) {
	for name, c := range map[string]struct {
		paths   []string
		prepare func(*watched)
		change  func(*watched)
		compare bool // no event tells of it
	}{
		"written in place": {
			prepare: func(w *watched) { w.put("x.yaml", yaml("key", here)) },
			change:  func(w *watched) { w.put("x.yaml", yaml("key", other)) },
		},
		"renamed over": {
			prepare: func(w *watched) { w.put("x.yaml", yaml("key", here)); w.put("next", yaml("key", other)) },
			change:  func(w *watched) { w.rename("next", "x.yaml") },
		},
		"removed, and there again": {
			prepare: func(w *watched) { w.put("x.yaml", yaml("key", here)) },
			change:  func(w *watched) { w.remove("x.yaml"); w.put("x.yaml", yaml("key", other)) },
		},
		"swapped as Kubernetes does": {
			paths: []string{"mount/x.yaml"},
			prepare: func(w *watched) {
				w.mkdir("mount/..2026_01")
				w.put("mount/..2026_01/x.yaml", yaml("key_file", "value"))
				w.put("mount/..2026_01/value", here)
				w.link("..2026_01", "mount/..data")
				w.link("..data/x.yaml", "mount/x.yaml")
				w.link("..data/value", "mount/value")
			},
			change: func(w *watched) {
				w.mkdir("mount/..2026_02")
				w.put("mount/..2026_02/x.yaml", yaml("key_file", "value"))
				w.put("mount/..2026_02/value", other)
				w.link("..2026_02", "mount/..data_tmp")
				w.rename("mount/..data_tmp", "mount/..data")
				w.remove("mount/..2026_01")
			},
		},
		"a folder, swapped as Kubernetes does": {
			paths: []string{"mount"},
			prepare: func(w *watched) {
				w.mkdir("mount/..2026_01")
				w.put("mount/..2026_01/x.yaml", yaml("key", here))
				w.link("..2026_01", "mount/..data")
				w.link("..data/x.yaml", "mount/x.yaml")
			},
			change: func(w *watched) {
				w.mkdir("mount/..2026_02")
				w.put("mount/..2026_02/x.yaml", yaml("key", other))
				w.link("..2026_02", "mount/..data_tmp")
				w.rename("mount/..data_tmp", "mount/..data")
				w.remove("mount/..2026_01")
			},
		},
		"a file is added to a folder": {
			paths:   []string{"conf"},
			prepare: func(w *watched) { w.mkdir("conf"); w.put("conf/10.yaml", yaml("key", here)) },
			change:  func(w *watched) { w.put("conf/20.ini", "[api_key_Partner sync]\nkey = "+other+"\n") },
		},
		"a file goes from a folder": {
			paths: []string{"conf"},
			prepare: func(w *watched) {
				w.mkdir("conf")
				w.put("conf/10.yaml", yaml("key", other))
				w.put("conf/20.yaml", yaml("key", here))
			},
			change: func(w *watched) { w.remove("conf/20.yaml") },
		},
		"a folder is a link, and is swapped": {
			paths: []string{"current"},
			prepare: func(w *watched) {
				w.mkdir("1")
				w.mkdir("2")
				w.put("1/x.yaml", yaml("key", here))
				w.put("2/x.yaml", yaml("key", other))
				w.link("1", "current")
				w.link("2", "next")
			},
			change: func(w *watched) { w.rename("next", "current") },
		},
		"a link on the way is swapped": {
			paths: []string{"current/conf/x.yaml"},
			prepare: func(w *watched) {
				w.mkdir("1/conf")
				w.mkdir("2/conf")
				w.put("1/conf/x.yaml", yaml("key", here))
				w.put("2/conf/x.yaml", yaml("key", other))
				w.link("1", "current")
				w.link("2", "next")
			},
			change:  func(w *watched) { w.rename("next", "current") },
			compare: true,
		},
		"a folder is put in another's place": {
			paths: []string{"conf/x.yaml"},
			prepare: func(w *watched) {
				w.mkdir("conf")
				w.mkdir("next")
				w.put("conf/x.yaml", yaml("key", here))
				w.put("next/x.yaml", yaml("key", other))
			},
			change:  func(w *watched) { w.rename("conf", "last"); w.rename("next", "conf") },
			compare: true,
		},
		"a key_file is written": {
			prepare: func(w *watched) {
				w.mkdir("secrets")
				w.put("secrets/value", here)
				w.put("x.yaml", yaml("key_file", "secrets/value"))
			},
			change: func(w *watched) { w.put("secrets/value", other) },
		},
		"a key_file is a link, and is swapped": {
			prepare: func(w *watched) {
				w.mkdir("secrets")
				w.mkdir("elsewhere")
				w.put("elsewhere/1", here)
				w.put("elsewhere/2", other)
				w.link("../elsewhere/1", "secrets/value")
				w.link("../elsewhere/2", "secrets/next")
				w.put("x.yaml", yaml("key_file", "secrets/value"))
			},
			change: func(w *watched) { w.rename("secrets/next", "secrets/value") },
		},
		"what a key_file links to is written": {
			prepare: func(w *watched) {
				w.mkdir("elsewhere")
				w.put("elsewhere/1", here)
				w.link("elsewhere/1", "value")
				w.put("x.yaml", yaml("key_file", "value"))
			},
			change: func(w *watched) { w.put("elsewhere/1", other) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWatched(t, c.paths...)
			w.records.put(record("Partner sync"), w.digest(production))
			c.prepare(w)
			if c.compare {
				w.watcher.compareEvery = 20 * time.Millisecond
			}
			w.run(t)
			w.passes(t, here)
			c.change(w)
			w.passes(t, other)

			// And it goes on from there: what is watched now is what is there now.
			before := w.reloaded()
			w.watcher.Reload()
			await(t, "a reload that was asked for", func() bool { return w.reloaded() > before })
			w.passes(t, other)
		})
	}
}

// TestFolders: whatever a file's change shows in is watched, by names that
// lead nowhere else once a link is swapped.
func TestFolders(t *testing.T) {
	w := newWatched(t)
	root, err := filepath.EvalSymlinks(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"mount/..2026_01", "1/conf", "secrets", "elsewhere"} {
		w.mkdir(dir)
	}
	for _, file := range []string{"mount/..2026_01/x.yaml", "1/conf/x.yaml", "elsewhere/1"} {
		w.put(file, "")
	}
	w.link("..2026_01", "mount/..data")
	w.link("..data/x.yaml", "mount/x.yaml")
	w.link("1", "current")
	w.link("../elsewhere/1", "secrets/value")
	w.link("secrets/value", "value")
	w.link("loop", "loop")
	for path, want := range map[string][]string{
		"mount/x.yaml":          {"mount", "mount/..2026_01"},
		"mount":                 {".", "mount"},
		"current":               {".", "1"},
		"current/conf":          {"1", "1/conf"},
		"current/conf/x.yaml":   {"1/conf"},
		"secrets/value":         {"elsewhere", "secrets"},
		"value":                 {".", "elsewhere"},
		"loop":                  {"."},
		"current/absent":        {"1"},
		"current/absent/absent": nil,
	} {
		for i := range want {
			want[i] = filepath.Join(root, want[i])
		}
		if got := folders([]string{filepath.Join(w.dir, path)}); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
