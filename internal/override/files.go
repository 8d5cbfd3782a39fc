package override

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/fsnotify/fsnotify"
)

// footprint is what tells whether files have changed: each one's target, its
// time, size and mode. A file that is not there has nil.
type footprint map[string]fs.FileInfo

func footprintOf(files []string) footprint {
	p := make(footprint, len(files))
	for _, f := range files {
		info, err := os.Stat(f) // follows links, such as those that Kubernetes swaps
		if err != nil {
			info = nil
		}
		p[f] = info
	}
	return p
}

func (p footprint) equal(o footprint) bool {
	return maps.EqualFunc(p, o, func(a, b fs.FileInfo) bool {
		if a == nil || b == nil {
			return a == nil && b == nil
		}
		return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size() && a.Mode() == b.Mode()
	})
}

// folders are where changes of the files show: a file that is renamed over
// shows in its folder only, and so does a link on the way to it. A path that
// is a folder itself is one of them. They are named without links, lest one
// that is swapped leave us watching what it led to before.
func folders(files []string) []string {
	var out []string
	for _, f := range files {
		if folder, err := filepath.EvalSymlinks(filepath.Dir(f)); err == nil {
			out = append(out, folder)
		}
		target, err := filepath.EvalSymlinks(f)
		if err != nil {
			continue
		}
		if info, err := os.Stat(target); err == nil && info.IsDir() {
			out = append(out, target)
		} else {
			out = append(out, filepath.Dir(target))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// follow makes the notifier watch these folders and no others. A folder that
// can't be watched now is tried again the next time; until then the files are compared.
func follow(n *fsnotify.Watcher, want []string) {
	watched := n.WatchList()
	for _, folder := range want {
		if !slices.Contains(watched, folder) {
			_ = n.Add(folder)
		}
	}
	for _, folder := range watched {
		if !slices.Contains(want, folder) {
			_ = n.Remove(folder)
		}
	}
}
