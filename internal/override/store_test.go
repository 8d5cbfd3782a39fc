package override

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"authd/internal/auth"
	"authd/internal/conffile"
	"authd/internal/repo"
)

// openStore opens a database in memory where the system has a folder there: a
// commit on a disk waits for it, and this test makes many.
func openStore(t *testing.T) repo.Store {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "authd-test-")
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	store, err := repo.Open(t.Context(), "sqlite:"+filepath.Join(dir, "authd.db"), repo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store
}

// The pools are small, so that what is drawn meets again.
var (
	recordNames  = []string{"My Key", "Clé été", "api.example.com", "日本"}
	sectionNames = []string{"My Key", "my_key", "Clé été", "cle_ete", "api.example.com", auth.Slug("日本"), "my key", "Nobody"}
	values       = []string{"pooled-value-no-01", "pooled-value-no-02", "pooled-value-no-03", "pooled-value-no-04", "pooled-value-no-05"}
	users        = []string{"a@example.com", "b@example.com"}
)

// spec is a section as this test means it.
type spec struct {
	name  string
	kind  string // value, empty, fields or standalone
	value string
}

func (s spec) gives() bool { return s.kind != "fields" }
func (s spec) usable() bool {
	return s.kind == "value" || s.kind == "standalone"
}

// means reports whether the section is that of a record.
func (s spec) means(r *auth.Record) bool { return s.name == r.Name || s.name == auth.Slug(r.Name) }

// deployment is a real store and the sections in force over it.
type deployment struct {
	store    repo.Store
	env      Env
	finder   *Finder
	checker  *auth.Checker
	sections []spec
}

// fewer makes a property be checked so often, unless -rapid.checks says how
// often: each of its steps asks a real database.
func fewer(t *testing.T, checks int) {
	t.Helper()
	f := flag.Lookup("rapid.checks")
	if f.Value.String() != f.DefValue {
		return
	}
	if err := f.Value.Set(strconv.Itoa(checks)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Value.Set(f.DefValue) })
}

// TestOverrideIsFinal: no sequence of what administrators do to the store and
// to the sections lets a value of the store's pass for a record whose section
// gives one, or keeps a section's value from passing for a good record.
func TestOverrideIsFinal(t *testing.T) {
	fewer(t, 25)
	store := openStore(t)
	ctx := t.Context()
	rapid.Check(t, func(r *rapid.T) {
		for _, name := range recordNames {
			if _, err := store.DeleteKey(ctx, name); err != nil && !errors.Is(err, auth.ErrKeyNotFound) {
				r.Fatal(err)
			}
		}
		for _, user := range users {
			if _, err := store.SetUserActive(ctx, user, true); err != nil && !errors.Is(err, auth.ErrUserNotFound) {
				r.Fatal(err)
			}
		}
		var peppers []auth.Pepper
		for range rapid.IntRange(0, 2).Draw(r, "peppers") {
			peppers = append(peppers, mustPepper(t, fmt.Sprintf("pepper number %d of it", len(peppers))))
		}
		d := &deployment{store: store, env: NewEnv(auth.NewDigester("ak", peppers...))}
		d.finder = NewFinder(store, nil)
		d.checker = auth.NewChecker(d.env.Digester, d.finder, nil, auth.Options{})
		r.Repeat(map[string]func(*rapid.T){
			"create":  func(r *rapid.T) { d.create(ctx, r) },
			"rotate":  func(r *rapid.T) { d.rotate(ctx, r) },
			"revoke":  func(r *rapid.T) { d.done(r, first(store.RevokeKey(ctx, d.name(r), time.Now()))) },
			"delete":  func(r *rapid.T) { d.done(r, first(store.DeleteKey(ctx, d.name(r)))) },
			"rename":  func(r *rapid.T) { d.rename(ctx, r) },
			"able":    func(r *rapid.T) { d.able(ctx, r) },
			"user":    func(r *rapid.T) { d.user(ctx, r) },
			"section": func(r *rapid.T) { d.section(r) },
			"remove":  func(r *rapid.T) { d.remove(r) },
			"":        func(r *rapid.T) { d.check(ctx, r) },
		})
	})
}

func first(_ auth.Change, err error) error { return err }

// done lets those errors pass that say no to what was drawn.
func (d *deployment) done(r *rapid.T, err error) {
	for _, no := range []error{auth.ErrKeyNotFound, auth.ErrUserNotFound, auth.ErrNameTaken, auth.ErrSlugTaken, auth.ErrSecretTaken, auth.ErrRevoked} {
		if errors.Is(err, no) {
			return
		}
	}
	if err != nil {
		r.Fatal(err)
	}
}

func (d *deployment) name(r *rapid.T) string { return rapid.SampledFrom(recordNames).Draw(r, "name") }

func (d *deployment) pepper(r *rapid.T) auth.Pepper {
	return rapid.SampledFrom(d.env.Digester.Tried()).Draw(r, "pepper")
}

func (d *deployment) secret(r *rapid.T) auth.SecretInfo {
	p := d.pepper(r)
	value := rapid.SampledFrom(values).Draw(r, "value")
	return auth.SecretInfo{Digest: p.Digest(auth.RawSecret(value)), Hint: "…", PepperID: p.ID(), CreatedAt: time.Now()}
}

func (d *deployment) create(ctx context.Context, r *rapid.T) {
	now := time.Now()
	name := d.name(r)
	rec := auth.Record{
		ID: uuid.Must(uuid.NewV7()).String(), Name: name, Slug: auth.Slug(name), User: rapid.SampledFrom(users).Draw(r, "user"),
		UserActive: true, Active: true, Groups: []string{}, Scopes: []string{}, CreatedAt: now, UpdatedAt: now,
	}
	d.done(r, first(d.store.CreateKey(ctx, &rec, d.secret(r))))
}

func (d *deployment) rotate(ctx context.Context, r *rapid.T) {
	retire := time.Now().Add(time.Duration(rapid.IntRange(0, 1).Draw(r, "overlap")) * time.Hour)
	d.done(r, first(d.store.RotateKey(ctx, d.name(r), d.secret(r), retire)))
}

func (d *deployment) rename(ctx context.Context, r *rapid.T) {
	to := rapid.SampledFrom(recordNames).Draw(r, "to")
	d.done(r, first(d.store.UpdateKey(ctx, d.name(r), func(rec *auth.Record) error {
		rec.Name, rec.Slug = to, auth.Slug(to)
		return nil
	})))
}

func (d *deployment) able(ctx context.Context, r *rapid.T) {
	active := rapid.Bool().Draw(r, "active")
	d.done(r, first(d.store.UpdateKey(ctx, d.name(r), func(rec *auth.Record) error {
		rec.Active = active
		return nil
	})))
}

func (d *deployment) user(ctx context.Context, r *rapid.T) {
	user := rapid.SampledFrom(users).Draw(r, "user")
	d.done(r, first(d.store.SetUserActive(ctx, user, rapid.Bool().Draw(r, "active"))))
}

// section adds one, or changes the one of that name.
func (d *deployment) section(r *rapid.T) {
	s := spec{
		name: rapid.SampledFrom(sectionNames).Draw(r, "section"), kind: rapid.SampledFrom([]string{"value", "value", "empty", "fields", "standalone"}).Draw(r, "kind"),
		value: rapid.SampledFrom(values).Draw(r, "value"),
	}
	next := slices.DeleteFunc(slices.Clone(d.sections), func(o spec) bool { return o.name == s.name })
	d.load(r, append(next, s))
}

func (d *deployment) remove(r *rapid.T) {
	name := rapid.SampledFrom(sectionNames).Draw(r, "section")
	d.load(r, slices.DeleteFunc(slices.Clone(d.sections), func(o spec) bool { return o.name == name }))
}

// load puts sections in force, unless they have faults, as a reload does.
func (d *deployment) load(r *rapid.T, specs []spec) {
	var sections []conffile.Section
	for _, s := range specs {
		fields := map[string]any{}
		switch {
		case s.kind == "empty":
			fields["key"] = nil
		case s.kind == "fields":
			fields["groups"] = "laid-over"
		case rapid.Bool().Draw(r, "digest"):
			p := d.pepper(r)
			digest := p.Digest(auth.RawSecret(s.value)).String()
			fields["key_digest"] = "hmac-sha256:" + p.ID() + ":" + digest
			if p.ID() == auth.NoPepper {
				fields["key_digest"] = "sha256:" + digest
			}
		default:
			fields["key"] = s.value
		}
		if s.kind == "standalone" {
			fields["standalone"], fields["user"] = true, users[0]
		}
		sections = append(sections, conffile.Section{Name: s.name, File: "x.yaml", Line: 1, Fields: fields})
	}
	set, err := NewSet(sections, d.env)
	if err == nil {
		d.finder.Swap(set)
		d.sections = specs
	}
}

// over is the section of a record, if it has one.
func (d *deployment) over(rec *auth.Record) *spec {
	for i := range d.sections {
		if d.sections[i].means(rec) {
			return &d.sections[i]
		}
	}
	return nil
}

// check asks with every value, and compares with what the store's records and the sections say.
func (d *deployment) check(ctx context.Context, r *rapid.T) {
	now := time.Now().Add(time.Minute) // what was to expire at once has done so
	var records []*auth.Record
	for _, name := range recordNames {
		rec, err := d.store.Key(ctx, name)
		if err == nil {
			records = append(records, rec)
		}
		d.done(r, err)
	}
	for _, value := range values {
		may, must := d.may(records, value, now)
		got := d.checker.Check(ctx, &auth.Request{Credential: auth.Credential{Secret: auth.RawSecret(value)}, At: now})
		switch {
		case got.Err != nil:
			r.Fatal(got.Err)
		case got.Reason.Allows() && !slices.Contains(may, got.Key.Name):
			r.Fatalf("%s passes as %q, and may as %q; sections %+v", value, got.Key.Name, may, d.sections)
		case must && !got.Reason.Allows():
			r.Fatalf("%s: %s, and has to pass as one of %q; sections %+v", value, got.Reason, may, d.sections)
		}
	}
}

// may names the keys that a value may pass as, and reports whether it must. A
// section claims its value, even where it has no good record: what the store
// has under the same value may pass, and need not. Nor need a value that is
// there twice under two peppers, whose digests nobody can compare.
func (d *deployment) may(records []*auth.Record, value string, now time.Time) (names []string, must bool) {
	claims, holders := 0, 0
	for _, s := range d.sections {
		if !s.usable() || s.value != value {
			continue
		}
		claims++
		if s.kind == "standalone" {
			names = append(names, s.name)
		}
		for _, rec := range records {
			if s.kind == "value" && s.means(rec) && rec.State(now) == "active" {
				names = append(names, rec.Name)
			}
		}
	}
	must = len(names) > 0
	for _, rec := range records {
		held, alive := d.stored(rec, value, now)
		if !slices.Contains(names, rec.Name) {
			holders += held
		}
		if s := d.over(rec); alive && rec.State(now) == "active" && (s == nil || !s.gives()) {
			names = append(names, rec.Name)
			must = must || claims == 0
		}
	}
	return names, must && claims+holders == 1
}

// stored tells how often the store has the value for the record, and whether it is alive.
func (d *deployment) stored(rec *auth.Record, value string, now time.Time) (held int, alive bool) {
	for _, p := range d.env.Digester.Tried() {
		digest := p.Digest(auth.RawSecret(value))
		for _, i := range rec.Secrets {
			if i.Digest == digest {
				held++
				alive = alive || !i.Revoked && (i.ExpiresAt.IsZero() || now.Before(i.ExpiresAt))
			}
		}
	}
	return held, alive
}
