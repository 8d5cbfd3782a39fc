package auth_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"authd/internal/auth"
)

// vault is a store in memory with override sections over it: the last state, as a store keeps it.
type vault struct {
	records   map[int]*auth.Record
	users     map[string]bool // active
	overrides map[int]auth.Digest
}

func (v *vault) ByDigest(_ context.Context, d auth.Digest) (*auth.Key, error) {
	for id, r := range v.records {
		r.UserActive = v.users[r.User]
		value, overridden := v.overrides[id]
		if overridden && value == d {
			return auth.NewKey(r, auth.SecretInfo{Digest: d}), nil
		}
		for _, s := range r.Secrets {
			if s.Digest == d {
				k := auth.NewKey(r, s)
				k.Overridden = overridden
				return k, nil
			}
		}
	}
	return nil, auth.ErrKeyNotFound
}

func (v *vault) ByName(context.Context, string) (*auth.Key, error) { return nil, auth.ErrKeyNotFound }

// deed is something that an administrator did. A history of them is all that
// tells, in the end, what may pass.
type deed struct {
	what string
	key  int
	user string
	till time.Time // of expire, begin and rotate
}

// value is a secret that was given out.
type value struct {
	secret   auth.Secret
	key      int
	override bool
	since    int // deeds before this one do not touch it
}

// life is a vault and how it came to be.
type life struct {
	vault
	digester *auth.Digester
	now      time.Time
	history  []deed
	values   []value
}

// may reads the history from its end: does the value pass now?
func (l *life) may(v value) bool {
	var user string
	for _, d := range l.history {
		if d.what == "create" && d.key == v.key {
			user = d.user
		}
	}
	last := func(on func(deed) bool) deed {
		for i := len(l.history) - 1; i >= 0; i-- {
			if on(l.history[i]) {
				return l.history[i]
			}
		}
		return deed{}
	}
	of := func(words ...string) deed {
		return last(func(d deed) bool { return d.key == v.key && slices.Contains(words, d.what) })
	}
	if of("delete").what != "" || of("revoke").what != "" || of("disable", "enable").what == "disable" {
		return false
	}
	if last(func(d deed) bool { return d.user == user && (d.what == "user off" || d.what == "user on") }).what == "user off" {
		return false
	}
	if end := of("expire").till; !end.IsZero() && !l.now.Before(end) || l.now.Before(of("begin").till) {
		return false
	}
	if override := of("override", "override off"); override.what == "override" || v.override {
		return v.override && override.what == "override" && !l.overriddenAgain(v)
	}
	for _, d := range l.history[v.since:] {
		if d.what == "rotate" && d.key == v.key && !l.now.Before(d.till) {
			return false
		}
	}
	return true
}

// overriddenAgain reports whether a section gave the key another value after this one.
func (l *life) overriddenAgain(v value) bool {
	for _, d := range l.history[v.since+1:] {
		if d.key == v.key && (d.what == "override" || d.what == "override off") {
			return true
		}
	}
	return false
}

func (l *life) did(what string, key int, user string, till time.Time) {
	l.history = append(l.history, deed{what, key, user, till})
}

// give makes a value for a key.
func (l *life) give(key int, override bool) auth.Digest {
	s := auth.NewSecret("ak")
	l.values = append(l.values, value{s, key, override, len(l.history)})
	return l.digester.Current().Digest(s)
}

func (l *life) create(t *rapid.T) {
	key := len(l.history) + 1
	user := rapid.SampledFrom([]string{"ann", "bob"}).Draw(t, "user")
	d := l.give(key, false)
	l.records[key] = &auth.Record{ID: "id", Name: "n", User: user, Active: true, Secrets: []auth.SecretInfo{{Digest: d}}}
	l.did("create", key, user, time.Time{})
}

// some is a key that there is; where there is none, the step is another one.
func (l *life) some(t *rapid.T) (int, *auth.Record) {
	var ids []int
	for _, d := range l.history {
		if d.what == "create" && l.records[d.key] != nil {
			ids = append(ids, d.key)
		}
	}
	if len(ids) == 0 {
		t.Skip("no key")
	}
	id := rapid.SampledFrom(ids).Draw(t, "key")
	return id, l.records[id]
}

// around is a moment near now, or none.
func (l *life) around(t *rapid.T) time.Time {
	if rapid.IntRange(0, 4).Draw(t, "no bound") == 0 {
		return time.Time{}
	}
	return l.now.Add(time.Duration(rapid.IntRange(-2, 5).Draw(t, "minutes")) * time.Minute)
}

func (l *life) rotate(t *rapid.T) {
	id, r := l.some(t)
	end := l.now.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "overlap")) * time.Minute)
	for i := range r.Secrets {
		if s := &r.Secrets[i]; s.ExpiresAt.IsZero() || s.ExpiresAt.After(end) {
			s.ExpiresAt = end
		}
	}
	l.did("rotate", id, "", end)
	r.Secrets = append(r.Secrets, auth.SecretInfo{Digest: l.give(id, false)})
}

// checkAll asks for every value that was ever given out.
func (l *life) checkAll(t *rapid.T) {
	c := auth.NewChecker(l.digester, l, nil, auth.Options{})
	for i, v := range l.values {
		d := c.Check(context.Background(), &auth.Request{Credential: auth.Credential{Secret: v.secret}, At: l.now})
		if want := l.may(v); d.Reason.Allows() != want {
			t.Fatalf("value %d, of key %d, is answered %s; may it pass: %v\n%+v", i, v.key, d.Reason, want, l.history)
		}
	}
}

// Whatever administrators do, and in whatever order, nothing passes that is
// disabled, expired, revoked, overridden, deleted, replaced, not valid yet or of
// an inactive user; and everything else does.
func TestNoLifeOfAKeyLetsItPassWhereItMayNot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := &life{
			vault:    vault{records: map[int]*auth.Record{}, users: map[string]bool{"ann": true, "bob": true}, overrides: map[int]auth.Digest{}},
			digester: auth.NewDigester("ak"), now: noon,
		}
		change := func(what string, edit func(*auth.Record)) func(*rapid.T) {
			return func(t *rapid.T) {
				id, r := l.some(t)
				edit(r)
				l.did(what, id, "", time.Time{})
			}
		}
		user := func(what string, active bool) func(*rapid.T) {
			return func(t *rapid.T) {
				login := rapid.SampledFrom([]string{"ann", "bob"}).Draw(t, "login")
				l.users[login] = active
				l.did(what, 0, login, time.Time{})
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"":        l.checkAll,
			"create":  l.create,
			"disable": change("disable", func(r *auth.Record) { r.Active = false }),
			"enable":  change("enable", func(r *auth.Record) { r.Active = true }),
			"revoke":  change("revoke", func(r *auth.Record) { r.RevokedAt = l.now }),
			"expire": func(t *rapid.T) {
				id, r := l.some(t)
				r.ExpiresAt = l.around(t)
				l.did("expire", id, "", r.ExpiresAt)
			},
			"begin": func(t *rapid.T) {
				id, r := l.some(t)
				r.NotBefore = l.around(t)
				l.did("begin", id, "", r.NotBefore)
			},
			"rotate": l.rotate,
			"delete": func(t *rapid.T) {
				id, _ := l.some(t)
				delete(l.records, id)
				l.did("delete", id, "", time.Time{})
			},
			"user off": user("user off", false),
			"user on":  user("user on", true),
			"override": func(t *rapid.T) {
				id, _ := l.some(t)
				l.overrides[id] = l.give(id, true)
				l.did("override", id, "", time.Time{})
			},
			"override off": func(t *rapid.T) {
				id, _ := l.some(t)
				delete(l.overrides, id)
				l.did("override off", id, "", time.Time{})
			},
			"time passes": func(t *rapid.T) {
				l.now = l.now.Add(time.Duration(rapid.IntRange(1, 180).Draw(t, "seconds")) * time.Second)
			},
		})
	})
}
