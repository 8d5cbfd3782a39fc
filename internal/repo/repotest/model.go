package repotest

import (
	"slices"
	"time"

	"authd/internal/auth"
)

// model is what a store does, in memory. Its records are as the store has to
// answer them.
type model struct {
	keys  []*auth.Record
	users map[string]*modelUser
	ended map[string]auth.Change // of each revoked key, by its id
}

type modelUser struct {
	active bool
	limits auth.Limits
	last   int64 // the last change of either
}

func newModel() *model {
	return &model{users: map[string]*modelUser{}, ended: map[string]auth.Change{}}
}

func (m *model) pick(is func(*auth.Record) bool) *auth.Record {
	if i := slices.IndexFunc(m.keys, is); i >= 0 {
		return m.keys[i]
	}
	return nil
}

// named finds by a name, or else by a slug.
func (m *model) named(name string) *auth.Record {
	if r := m.pick(func(r *auth.Record) bool { return r.Name == name }); r != nil {
		return r
	}
	return m.pick(func(r *auth.Record) bool { return r.Slug == name })
}

// record finds by a ref.
func (m *model) record(ref string) *auth.Record {
	if r := m.named(ref); r != nil {
		return r
	}
	return m.pick(func(r *auth.Record) bool { return r.ID == ref })
}

// byName is what the Finder has to answer; nil stands for no such key.
func (m *model) byName(name string) *auth.Key {
	if r := m.named(name); r != nil {
		return auth.NewKey(m.seen(r), auth.SecretInfo{})
	}
	return nil
}

// byDigest is what the Finder has to answer; nil stands for no such key.
func (m *model) byDigest(d auth.Digest) *auth.Key {
	for _, r := range m.keys {
		for _, s := range r.Secrets {
			if s.Digest == d {
				return auth.NewKey(m.seen(r), s)
			}
		}
	}
	return nil
}

// seen is the record with its user's standing and limits.
func (m *model) seen(r *auth.Record) *auth.Record {
	s := *r
	s.UserActive, s.UserLimits = m.users[r.User].active, m.users[r.User].limits
	return &s
}

// refusals are the errors any of which must answer that a record is stored
// in place of another, or of none, with these secrets added.
func (m *model) refusals(r, instead *auth.Record, add ...auth.SecretInfo) (errs []error) {
	for _, other := range m.keys {
		if other == instead {
			continue
		}
		if other.Name == r.Name {
			errs = append(errs, auth.ErrNameTaken)
		}
		if other.Slug == r.Slug {
			errs = append(errs, auth.ErrSlugTaken)
		}
	}
	for _, s := range add {
		if m.byDigest(s.Digest) != nil {
			errs = append(errs, auth.ErrSecretTaken)
		}
	}
	return errs
}

// makeUser makes a user where there is none of this login.
func (m *model) makeUser(login string) {
	if m.users[login] == nil {
		m.users[login] = &modelUser{active: true}
	}
}

// create adds a record.
func (m *model) create(r auth.Record, secrets ...auth.SecretInfo) {
	m.makeUser(r.User)
	r.Secrets = secrets
	m.keys = append(m.keys, asStored(&r))
}

// replace puts a changed record in the place of another.
func (m *model) replace(r, with *auth.Record) {
	m.makeUser(with.User)
	m.keys[slices.Index(m.keys, r)] = asStored(with)
}

func (m *model) revoke(r *auth.Record, at time.Time, c auth.Change) {
	m.ended[r.ID] = c
	m.replace(r, changed(revoked(r, at), c))
}

func (m *model) remove(r *auth.Record) {
	m.keys = slices.DeleteFunc(m.keys, func(other *auth.Record) bool { return other == r })
}
