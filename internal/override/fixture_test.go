package override

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"authd/internal/auth"
	"authd/internal/conffile"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// Values, none of which is part of another. production is what the store has.
const (
	production = "production-value-0001"
	here       = "value-of-this-place-1"
	other      = "another-value-here-22"
)

func mustPepper(tb testing.TB, s string) auth.Pepper {
	tb.Helper()
	p, err := auth.NewPepper([]byte(s))
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// write writes a file of a folder, and returns its path.
func write(tb testing.TB, dir, name, text string) string {
	tb.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// read reads the sections of files, in their order.
func read(paths ...string) ([]conffile.Section, error) {
	var all []conffile.Section
	for _, path := range paths {
		f, err := conffile.Read(path)
		if err != nil {
			return nil, err
		}
		all = append(all, f.Sections...)
	}
	return all, nil
}

func mustRead(tb testing.TB, paths ...string) []conffile.Section {
	tb.Helper()
	all, err := read(paths...)
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

// mustSet is the Set of one file.
func mustSet(tb testing.TB, env Env, name, text string) *Set {
	tb.Helper()
	set, err := NewSet(mustRead(tb, write(tb, tb.TempDir(), name, text)), env)
	if err != nil {
		tb.Fatalf("%s: %v\n%s", name, err, text)
	}
	return set
}

// field is a field of a section, as text.
type field struct{ name, value string }

// formats write a section whose fields are all text.
var formats = map[string]func(section string, fields ...field) string{
	"x.yaml": func(section string, fields ...field) string {
		text := quote(section) + ":\n"
		for _, f := range fields {
			text += "  " + f.name + ": " + quote(f.value) + "\n"
		}
		return text
	},
	"x.toml": func(section string, fields ...field) string {
		text := "[" + quote(section) + "]\n"
		for _, f := range fields {
			text += f.name + " = " + quote(f.value) + "\n"
		}
		return text
	},
	"x.json": func(section string, fields ...field) string {
		inner := map[string]string{}
		for _, f := range fields {
			inner[f.name] = f.value
		}
		text, _ := json.Marshal(map[string]any{section: inner}) // maps of strings can be written
		return string(text)
	},
	"x.ini": func(section string, fields ...field) string {
		text := "[" + section + "]\n"
		for _, f := range fields {
			text += f.name + " = " + f.value + "\n"
		}
		return text
	},
}

// quote writes text as JSON does, which YAML and TOML read alike.
func quote(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}

// records is the store below the Finder, with what real ones do at the worst
// of times. A record stays the same pointer until it is put anew, as in a cache.
type records struct {
	mu       sync.Mutex
	byDigest map[auth.Digest]*auth.Key
	byName   map[string]*auth.Key // by name and by slug
	err      error                // every look-up fails with it
	asked    int                  // look-ups by name
}

func newRecords() *records {
	return &records{byDigest: map[auth.Digest]*auth.Key{}, byName: map[string]*auth.Key{}}
}

// put stores a record and its secrets, and forgets what it was before.
func (r *records) put(rec auth.Record, digests ...auth.Digest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(rec.ID)
	found := auth.NewKey(&rec, auth.SecretInfo{})
	r.byName[rec.Name], r.byName[rec.Slug] = found, found
	for _, d := range digests {
		r.byDigest[d] = auth.NewKey(&rec, auth.SecretInfo{Digest: d})
	}
}

func (r *records) remove(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(id)
}

func (r *records) forget(id string) {
	for name, k := range r.byName {
		if k.ID == id {
			delete(r.byName, name)
		}
	}
	for d, k := range r.byDigest {
		if k.ID == id {
			delete(r.byDigest, d)
		}
	}
}

func (r *records) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

func (r *records) lookups() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked
}

func (r *records) ByDigest(_ context.Context, d auth.Digest) (*auth.Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return answer(r.byDigest[d], r.err)
}

func (r *records) ByName(_ context.Context, name string) (*auth.Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	return answer(r.byName[name], r.err)
}

func answer(k *auth.Key, err error) (*auth.Key, error) {
	if err == nil && k == nil {
		err = auth.ErrKeyNotFound
	}
	if err != nil {
		return nil, err
	}
	return k, nil
}

// record is a good one of this name.
func record(name string) auth.Record {
	return auth.Record{
		ID: "id-" + auth.Slug(name), Name: name, Slug: auth.Slug(name),
		User: "partner@example.com", UserActive: true, Active: true,
		Groups: []string{"partner"}, Scopes: []string{"shop:read"},
	}
}

// world is a Checker over a Finder over records: what a request meets.
type world struct {
	testing.TB
	env     Env
	records *records
	finder  *Finder
	checker *auth.Checker
}

func newWorld(tb testing.TB, peppers ...auth.Pepper) *world {
	w := &world{TB: tb, env: NewEnv(auth.NewDigester("ak", peppers...)), records: newRecords()}
	w.finder = NewFinder(w.records, nil)
	w.checker = auth.NewChecker(w.env.Digester, w.finder, nil, auth.Options{})
	return w
}

// digest is the digest of a value under the current pepper.
func (w *world) digest(value string) auth.Digest {
	return w.env.Digester.Current().Digest(auth.RawSecret(value))
}

// load puts the sections of a YAML text in force.
func (w *world) load(text string) {
	w.Helper()
	w.finder.Swap(mustSet(w, w.env, "x.yaml", text))
}

func (w *world) ask(value string) auth.Decision {
	return w.checker.Check(context.Background(), &auth.Request{Credential: auth.Credential{Secret: auth.RawSecret(value)}, At: noon})
}

// expect asks with a value, and wants this reason.
func (w *world) expect(value string, want auth.Reason) {
	w.Helper()
	if got := w.ask(value); got.Reason != want {
		w.Errorf("%q: %s (%v), want %s", value, got.Reason, got.Err, want)
	}
}

// lines are the lines of an error, or of none.
func lines(err error) []string {
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}
