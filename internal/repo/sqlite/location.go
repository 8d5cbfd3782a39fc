package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// location is where the database is, and what the operator wants of it.
type location struct {
	path    string // absolute; without symbolic links once the file is there
	pragmas []string
}

// ours are the pragmas that authd's promises rest on.
var ours = []string{"busy_timeout", "foreign_keys", "journal_mode", "locking_mode", "query_only", "synchronous"}

// Check says what is wrong with what follows "sqlite:" in a URL, before it is opened.
func Check(rest string) error {
	_, err := parse(rest)
	return err
}

// parse reads what follows "sqlite:" in a URL: PATH[?_pragma=...]. The path is
// a file's name as it is, nothing in it is decoded.
func parse(rest string) (location, error) {
	path, query, _ := strings.Cut(rest, "?")
	switch {
	case path == "":
		return location{}, errors.New("the path of the database is missing: sqlite:PATH is wanted, as in sqlite:authd.db")
	case path == ":memory:" || strings.HasPrefix(path, "file:"):
		return location{}, fmt.Errorf("sqlite:%s: the database must be a file, because several processes share it: sqlite:PATH is wanted", path)
	case strings.HasPrefix(path, "//") && !strings.HasPrefix(path, "///"):
		// Not shown: what has a host may have a password.
		return location{}, errors.New("sqlite: URLs have no host: write sqlite:/absolute/path or sqlite:relative/path")
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return location{}, fmt.Errorf("sqlite:%s: what follows the question mark can't be read: %w", path, err)
	}
	for name := range values {
		if name != "_pragma" {
			return location{}, fmt.Errorf("sqlite:%s: unknown parameter %q: only _pragma is known", path, name)
		}
	}
	for _, p := range values["_pragma"] {
		if err := checkPragma(p); err != nil {
			return location{}, fmt.Errorf("sqlite:%s: _pragma=%s: %w", path, p, err)
		}
	}
	path, err = filepath.Abs(path)
	if err != nil {
		return location{}, fmt.Errorf("sqlite:%s: %w", rest, err)
	}
	return location{path, values["_pragma"]}, nil
}

func checkPragma(p string) error {
	if strings.Contains(p, ";") {
		return errors.New("one pragma is wanted, without a semicolon")
	}
	name, _, _ := strings.Cut(strings.ToLower(p), "=")
	name, _, _ = strings.Cut(name, "(")
	if _, bare, ok := strings.Cut(name, "."); ok {
		name = bare
	}
	for _, o := range ours {
		if strings.Trim(name, " \t\r\n\"'`[]") == o {
			return errors.New("authd sets this one itself: its promises rest on it")
		}
	}
	return nil
}

// settling keeps the descriptor that makes the file from being closed while
// another store of this process works with it already: that would drop
// SQLite's locks on it, which are the process's.
var settling sync.Mutex

// settle makes the file where it may, readable by nobody else, because it
// holds digests, and finds its one true path: lock files lie beside it.
func (l *location) settle(mustExist bool) error {
	settling.Lock()
	defer settling.Unlock()
	info, err := os.Stat(l.path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && mustExist:
		return fmt.Errorf("there is no database %s: go to the folder of the server, or set store.url", l.path)
	case errors.Is(err, fs.ErrNotExist):
		if err := create(l.path); err != nil {
			return fmt.Errorf("the database %s can't be created: %w: the folder must be there, and writable for authd's user", l.path, err)
		}
	case err != nil:
		return fmt.Errorf("the database %s can't be found: %w", l.path, err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("the database %s is no file: set store.url to the path of a file", l.path)
	}
	l.path, err = filepath.EvalSymlinks(l.path)
	return err
}

func create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil // another process was quicker
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// pageCache is that of each connection, unless the operator says otherwise: a
// quarter of SQLite's own choice, since the keys in use are in memory already.
const pageCache = "cache_size(-512)"

// dsn is the driver's name for the database, with pragmas that come after the operator's, and so prevail.
func (l *location) dsn(busy time.Duration, more url.Values) string {
	q := url.Values{
		"mode":          {"rw"}, // a file that has gone is not made anew
		"_pragma":       l.pragmas,
		"_busy_timeout": {fmt.Sprint(busy.Milliseconds())},
		"_dqs":          {"0"},
		"_defensive":    {"1"},
	}
	if !slices.ContainsFunc(l.pragmas, func(p string) bool { return strings.Contains(strings.ToLower(p), "cache_size") }) {
		q["_pragma"] = append([]string{pageCache}, l.pragmas...)
	}
	for k, v := range more {
		q[k] = v
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(l.path), RawQuery: q.Encode()}).String()
}
