package sqlite

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		rest    string
		path    string
		pragmas []string
	}{
		{"authd.db", here + "/authd.db", nil},
		{"./data/../authd.db", here + "/authd.db", nil},
		{"/var/lib/authd.db", "/var/lib/authd.db", nil},
		{"///var/lib/authd.db", "/var/lib/authd.db", nil},
		{"/a%20b #c.db", "/a%20b #c.db", nil},
		{"/a.db?", "/a.db", nil},
		{"/a.db?_pragma=cache_size(-4000)&_pragma=mmap_size=0", "/a.db", []string{"cache_size(-4000)", "mmap_size=0"}},
	}
	for _, tt := range tests {
		l, err := parse(tt.rest)
		if err != nil || l.path != tt.path || !slices.Equal(l.pragmas, tt.pragmas) {
			t.Errorf("parse(%q) = %q, %q, %v", tt.rest, l.path, l.pragmas, err)
		}
		if err := Check(tt.rest); err != nil {
			t.Errorf("Check(%q): %v", tt.rest, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ rest, tells string }{
		{"", "the path of the database is missing"},
		{"?_pragma=cache_size(1)", "the path of the database is missing"},
		{":memory:", "several processes share it"},
		{"file:authd.db", "several processes share it"},
		{"//user:hunter2@host/authd.db", "no host"},
		{"a.db?mode=ro", `unknown parameter "mode"`},
		{"a.db?_journal_mode=OFF", `unknown parameter "_journal_mode"`},
		{"a.db?%zz", "can't be read"},
		{"a.db?_pragma=cache_size(1);_pragma=x", "can't be read"},
		{"a.db?_pragma=cache_size(1)%3B drop table keys", "without a semicolon"},
		{"a.db?_pragma=synchronous=OFF", "authd sets this one itself"},
		{"a.db?_pragma=Synchronous(0)", "authd sets this one itself"},
		{"a.db?_pragma=main.synchronous=0", "authd sets this one itself"},
		{"a.db?_pragma=%22synchronous%22=0", "authd sets this one itself"},
		{"a.db?_pragma= locking_mode = EXCLUSIVE", "authd sets this one itself"},
		{"a.db?_pragma=foreign_keys=0", "authd sets this one itself"},
	}
	for _, tt := range tests {
		err := Check(tt.rest)
		if err == nil || !strings.Contains(err.Error(), tt.tells) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Check(%q): %v", tt.rest, err)
		}
		if _, err := Open(t.Context(), tt.rest, false); err == nil {
			t.Errorf("Open(%q) went well", tt.rest)
		}
	}
}

// The names that files may have, and that URLs give a meaning to.
func TestOddNames(t *testing.T) {
	for _, name := range []string{"a b.db", "a#b.db", "100%.db", "a%20b.db", "a&mode=memory.db", "clé.db", "a'b\"c.db"} {
		dir := t.TempDir()
		s := at(t, filepath.Join(dir, name), writeBusy)
		addKey(t, s, 1)
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
		if _, err := s.ByDigest(t.Context(), digest(1)); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestANewFileIsReadByNobodyElse(t *testing.T) {
	s := fresh(t)
	addKey(t, s, 1)
	if err := s.Register(t.Context(), replica("r")); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(s.path + "*")
	if err != nil || len(files) != 4 { // the database, its log, its shared memory, the replica's lock
		t.Fatalf("files %v, %v", files, err)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: mode %v, %v", file, info.Mode(), err)
		}
	}
}

func TestOpenWhatIsNotThere(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, path string
		mustExist  bool
		tells      string
	}{
		{"no file where it must be", filepath.Join(dir, "authd.db"), true, "there is no database " + dir + "/authd.db"},
		{"no folder", filepath.Join(dir, "nowhere", "authd.db"), false, "the folder must be there"},
		{"a folder", filepath.Join(dir, "folder"), false, "is no file"},
		{"a file that is no folder", filepath.Join(os.Args[0], "authd.db"), false, "can't be found"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Open(t.Context(), tt.path, tt.mustExist)
			if s != nil || err == nil || !strings.Contains(err.Error(), tt.tells) || !strings.Contains(err.Error(), tt.path) {
				t.Errorf("error %v", err)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(dir, "authd.db")); !os.IsNotExist(err) {
		t.Errorf("a file that must exist was made: %v", err)
	}
}

// Replicas that come by different names must find each other's locks.
func TestSymbolicLinksAreOneDatabase(t *testing.T) {
	s := fresh(t)
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(s.path, link); err != nil {
		t.Fatal(err)
	}
	linked := at(t, link, writeBusy)
	if err := linked.Register(t.Context(), replica("r")); err != nil {
		t.Fatal(err)
	}
	listed(t, s, "r")
	if err := linked.Close(); err != nil {
		t.Fatal(err)
	}
	listed(t, s)
}

// The operator's pragmas hold for every connection, and never where authd's own are meant.
func TestPragmas(t *testing.T) {
	s := at(t, path(t)+"?_pragma=cache_size(-123)", writeBusy)
	for pragma, want := range map[string][2]string{
		"cache_size": {"-123", "-123"}, "journal_mode": {"wal", "wal"},
		"synchronous": {"2", "2"}, "foreign_keys": {"1", "0"}, "query_only": {"0", "1"},
	} {
		var writer, reader string
		if _, err := (conn{s, s.writer}).row(t.Context(), "PRAGMA "+pragma, nil, &writer); err != nil {
			t.Fatal(err)
		}
		if _, err := (conn{s, s.readers}).row(t.Context(), "PRAGMA "+pragma, nil, &reader); err != nil {
			t.Fatal(err)
		}
		if got := [2]string{writer, reader}; got != want {
			t.Errorf("%s: %v, want %v", pragma, got, want)
		}
	}
}
