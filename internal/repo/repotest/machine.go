package repotest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"authd/internal/auth"
)

var models = []test{
	{"any sequence of writes answers as the model does, and the log tells a follower all of it", followModel},
}

// Each sequence has names, users and secrets of its own, and all share one
// database, which by and by is a crowded one.
func followModel(t *testing.T, db *base) {
	var sequences atomic.Int64
	rapid.Check(t, func(rt *rapid.T) {
		last, err := db.LastChange(db.ctx)
		if err != nil {
			rt.Fatal(err)
		}
		m := newMachine(db, sequences.Add(1), last)
		rt.Repeat(map[string]func(*rapid.T){
			"create":       m.create,
			"edit":         m.edit,
			"rename":       m.rename,
			"failing edit": m.failingEdit,
			"rotate":       m.rotate,
			"revoke":       m.revoke,
			"delete":       m.delete,
			"create user":  m.createUser,
			"user":         m.setUserActive,
			"user limits":  m.setUserLimits,
			"":             m.compareFollower,
		})
		m.compareStore(rt)
	})
}

// machine runs a sequence of writes, side by side in a store and in a model.
type machine struct {
	*model
	db       *base
	ctx      context.Context
	follower *follower // as another process

	prefix  string
	names   []string // few, as names and slugs alike, so that they meet
	logins  []string
	ids     []string
	digests []auth.Digest // all that were ever used
}

func newMachine(db *base, sequence, last int64) *machine {
	m := &machine{model: newModel(), db: db, ctx: db.ctx, follower: newFollower(db.other, last), prefix: fmt.Sprintf("%d ", sequence)}
	for _, s := range []string{"a", "B", "ç", `"d,`} {
		m.names = append(m.names, m.prefix+s)
	}
	for _, s := range []string{"x", "y"} {
		m.logins = append(m.logins, m.prefix+s)
	}
	return m
}

// compareFollower asks it for every digest that was ever used, and for every
// name. What the log has told of it reads anew, from the store; for all the
// rest, it says what it remembers. Either must be what the model says.
func (m *machine) compareFollower(rt *rapid.T) {
	f := m.follower
	for i, d := range m.digests {
		got, err := f.byDigest(m.ctx, d)
		m.compare(rt, fmt.Sprintf("the follower, of secret %d", i), m.byDigest(d), got, err)
	}
	for _, n := range m.names {
		got, err := f.byName(m.ctx, n)
		m.compare(rt, fmt.Sprintf("the follower, of %q", n), m.byName(n), got, err)
	}
}

// compareStore finds out, at the end, what has changed without the log telling of it.
func (m *machine) compareStore(rt *rapid.T) {
	for i, d := range m.digests {
		got, err := answer(m.db.ByDigest(m.ctx, d))
		m.compare(rt, fmt.Sprintf("the store, of secret %d", i), m.byDigest(d), got, err)
	}
	for _, n := range m.names {
		got, err := answer(m.db.ByName(m.ctx, n))
		m.compare(rt, fmt.Sprintf("the store, of %q", n), m.byName(n), got, err)
	}
	for _, r := range m.keys {
		got, err := m.db.Key(m.ctx, r.ID)
		if d := cmp.Diff(m.seen(r), got, alike); d != "" || err != nil {
			rt.Fatalf("the record %q, as it should be (-) and as it is (+): %v\n%s", r.Name, err, d)
		}
	}
}

func (m *machine) compare(rt *rapid.T, who string, want, got *auth.Key, err error) {
	if err != nil {
		rt.Fatalf("%s: %v", who, err)
	}
	if d := cmp.Diff(want, got, alike); d != "" {
		rt.Fatalf("%s, as it should be (-) and as it is (+):\n%s", who, d)
	}
}

// verdict is what the model says of a write: it is refused with one of these
// errors, or it changes nothing and answers the change of before, or else it
// logs one change of its own.
type verdict struct {
	refused []error
	nothing bool
	before  int64
}

// judge lets the follower read the log, and reports whether the write has
// changed anything. It fails where the store did not do what the model says.
func (m *machine) judge(rt *rapid.T, c auth.Change, err error, v verdict) bool {
	read, pollErr := m.follower.poll(m.ctx)
	if pollErr != nil {
		rt.Fatalf("reading the log: %v", pollErr)
	}
	var want []auth.Change
	switch {
	case len(v.refused) > 0:
		if !slices.ContainsFunc(v.refused, func(refusal error) bool { return errors.Is(err, refusal) }) {
			rt.Fatalf("the store answers %v; want %v", err, v.refused)
		}
	case err != nil:
		rt.Fatal(err)
	case v.nothing:
		if c.Seq != v.before {
			rt.Fatalf("nothing was changed, and the store answers change %d; want %d", c.Seq, v.before)
		}
	default:
		want = []auth.Change{c}
	}
	if d := cmp.Diff(want, read, alike); d != "" {
		rt.Fatalf("the log, as it should be (-) and as it is (+):\n%s", d)
	}
	return want != nil
}

// secret draws one that was never used or, now and then, one that was.
func (m *machine) secret(rt *rapid.T) auth.SecretInfo {
	s := newSecret()
	if i := rapid.IntRange(-2, len(m.digests)-1).Draw(rt, "secret"); i >= 0 {
		s.Digest = m.digests[i]
		return s
	}
	s.Digest = sha256.Sum256(fmt.Appendf(nil, "secret %s%d", m.prefix, len(m.digests)))
	m.digests = append(m.digests, s.Digest)
	return s
}

func (m *machine) ref(rt *rapid.T) string {
	return rapid.SampledFrom(slices.Concat(m.names, m.ids)).Draw(rt, "ref")
}

func (m *machine) name(rt *rapid.T, what string) string {
	return rapid.SampledFrom(m.names).Draw(rt, what)
}

func (m *machine) login(rt *rapid.T) string { return rapid.SampledFrom(m.logins).Draw(rt, "user") }
