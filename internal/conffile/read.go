package conffile

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"unicode/utf8"
)

// MaxSize bounds a file, in bytes.
const MaxSize = 1 << 20

const endings = ".yaml, .yml, .toml, .json, .ini or .conf"

// parsers fill a document from data that is UTF-8, and return its values.
var parsers = map[string]func(*document, []byte) map[string]any{
	".yaml": parseYAML,
	".yml":  parseYAML,
	".toml": parseTOML,
	".json": parseJSON,
	".ini":  parseINI,
	".conf": parseINI,
}

// Read reads and parses a file by the ending of its name. The error holds
// every fault that could be found, one a line, each with file and line.
func Read(path string) (*File, error) {
	if parsers[filepath.Ext(path)] == nil {
		return nil, fmt.Errorf("%s: the format is told by the ending of the name: %s is wanted", path, endings)
	}
	data, err := ReadRegular(path, MaxSize)
	if err != nil {
		return nil, err
	}
	return parse(path, data)
}

// ReadRegular reads most+1 bytes of a file at most. It never waits: what is no
// regular file is refused, also where it was put into a file's place just now.
func ReadRegular(path string, most int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe would keep us waiting for its writer
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("not a regular file")}
	}
	return io.ReadAll(io.LimitReader(f, most+1))
}

// Expand replaces each folder by its files that have a known ending, in the
// order of their names. Hidden files are passed over, as are folders inside;
// symbolic links are followed. That is what Kubernetes makes of a mounted
// ConfigMap: the files are links into a hidden folder.
func Expand(paths []string) ([]string, error) {
	var out []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			out = append(out, path)
			continue
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".") || parsers[filepath.Ext(e.Name())] == nil {
				continue
			}
			file := filepath.Join(path, e.Name())
			info, err := os.Stat(file)
			if err != nil {
				return nil, err
			}
			if info.Mode().IsRegular() {
				out = append(out, file)
			}
		}
	}
	return out, nil
}

// parse parses data in the format that the path's ending tells.
func parse(path string, data []byte) (*File, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("%s: larger than %d KiB: not a configuration file", path, MaxSize>>10)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	d := newDocument(path, data)
	if !utf8.Valid(data) {
		d.fault(d.lineAt(invalidAt(data)), "not UTF-8")
		return nil, d.err()
	}
	values := parsers[filepath.Ext(path)](d, data)
	f := &File{Path: path, Settings: map[string]any{}, lines: d.lines}
	for name, v := range values {
		if record, ok := strings.CutPrefix(name, Prefix); ok {
			d.section(f, record, v)
		} else {
			f.Settings[name] = v
		}
	}
	if len(d.faults) > 0 {
		return nil, d.err()
	}
	slices.SortFunc(f.Sections, func(a, b Section) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Name, b.Name))
	})
	return f, nil
}
