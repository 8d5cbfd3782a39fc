package repotest

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"authd/internal/auth"
)

func (m *machine) create(rt *rapid.T) {
	r := newRecord(m.name(rt, "name"))
	r.Slug, r.User, r.Active = m.name(rt, "slug"), m.login(rt), rapid.Bool().Draw(rt, "active")
	secrets := []auth.SecretInfo{}
	for range rapid.IntRange(0, 2).Draw(rt, "secrets") {
		s := m.secret(rt)
		if len(secrets) == 0 || secrets[0].Digest != s.Digest {
			secrets = append(secrets, s)
		}
	}
	m.ids = append(m.ids, r.ID)
	c, err := m.db.CreateKey(m.ctx, &r, secrets...)
	if m.judge(rt, c, err, verdict{refused: m.refusals(&r, nil, secrets...)}) {
		r.ChangedSeq = c.Seq
		m.model.create(r, secrets...)
	}
}

// update runs an edit of the record that ref means.
func (m *machine) update(rt *rapid.T, ref string, edit func(*auth.Record)) {
	c, err := m.db.UpdateKey(m.ctx, ref, func(r *auth.Record) error { edit(r); return nil })
	before := m.record(ref)
	if before == nil {
		m.judge(rt, c, err, verdict{refused: []error{auth.ErrKeyNotFound}})
		return
	}
	after := asStored(before)
	edit(after)
	same := cmp.Equal(before, asStored(after), alike)
	if m.judge(rt, c, err, verdict{refused: m.refusals(after, before), nothing: same, before: before.ChangedSeq}) {
		m.replace(before, changed(after, c))
	}
}

func (m *machine) edit(rt *rapid.T) {
	edits := map[string]func(*auth.Record){
		"enable":       func(r *auth.Record) { r.Active = true },
		"disable":      func(r *auth.Record) { r.Active = false },
		"group":        func(r *auth.Record) { r.Groups = []string{"partner"} },
		"no group":     func(r *auth.Record) { r.Groups = nil },
		"scope":        func(r *auth.Record) { r.Scopes = []string{"shop:read"} },
		"expires":      func(r *auth.Record) { r.ExpiresAt = early.Add(time.Hour) },
		"never":        func(r *auth.Record) { r.ExpiresAt = time.Time{} },
		"not before":   func(r *auth.Record) { r.NotBefore = early },
		"restrictions": func(r *auth.Record) { r.Restrictions.Methods = append(r.Restrictions.Methods, "GET") },
		"free":         func(r *auth.Record) { r.Restrictions = auth.Restrictions{} },
		"limits":       func(r *auth.Record) { r.Limits.Quota = auth.Quota{Count: 7, Per: "d"} },
		"note":         func(r *auth.Record) { r.Note += "." },
	}
	for _, login := range m.logins {
		edits["user "+login] = func(r *auth.Record) { r.User = login }
	}
	m.update(rt, m.ref(rt), edits[rapid.SampledFrom(slices.Sorted(maps.Keys(edits))).Draw(rt, "edit")])
}

func (m *machine) rename(rt *rapid.T) {
	name, slug := m.name(rt, "name"), m.name(rt, "slug")
	m.update(rt, m.ref(rt), func(r *auth.Record) { r.Name, r.Slug = name, slug })
}

var errEdit = errors.New("the edit fails")

func (m *machine) failingEdit(rt *rapid.T) {
	ref, name := m.ref(rt), m.name(rt, "name")
	c, err := m.db.UpdateKey(m.ctx, ref, func(r *auth.Record) error {
		r.Name, r.Active, r.User = name, !r.Active, m.logins[0]
		return errEdit
	})
	want := errEdit
	if m.record(ref) == nil {
		want = auth.ErrKeyNotFound
	}
	m.judge(rt, c, err, verdict{refused: []error{want}})
}

func (m *machine) rotate(rt *rapid.T) {
	ref, add := m.ref(rt), m.secret(rt)
	retire := early.Add(time.Duration(rapid.IntRange(-2, 2).Draw(rt, "retire")) * time.Hour)
	c, err := m.db.RotateKey(m.ctx, ref, add, retire)
	r := m.record(ref)
	if r == nil {
		m.judge(rt, c, err, verdict{refused: []error{auth.ErrKeyNotFound}})
		return
	}
	refused := m.refusals(r, r, add)
	if !r.RevokedAt.IsZero() {
		refused = append(refused, auth.ErrRevoked)
	}
	if m.judge(rt, c, err, verdict{refused: refused}) {
		m.replace(r, changed(rotated(r, add, retire), c))
	}
}

func (m *machine) revoke(rt *rapid.T) {
	ref := m.ref(rt)
	c, err := m.db.RevokeKey(m.ctx, ref, early)
	r := m.record(ref)
	if r == nil {
		m.judge(rt, c, err, verdict{refused: []error{auth.ErrKeyNotFound}})
		return
	}
	first, ended := m.ended[r.ID]
	if m.judge(rt, c, err, verdict{nothing: ended, before: first.Seq}) {
		m.model.revoke(r, early, c)
	}
}

func (m *machine) delete(rt *rapid.T) {
	ref := m.ref(rt)
	c, err := m.db.DeleteKey(m.ctx, ref)
	r := m.record(ref)
	if r == nil {
		m.judge(rt, c, err, verdict{refused: []error{auth.ErrKeyNotFound}})
		return
	}
	if m.judge(rt, c, err, verdict{}) {
		m.remove(r)
	}
}

func (m *machine) createUser(rt *rapid.T) {
	login := m.login(rt)
	err := m.db.CreateUser(m.ctx, login)
	if m.users[login] != nil {
		m.judge(rt, auth.Change{}, err, verdict{refused: []error{auth.ErrUserTaken}})
		return
	}
	m.judge(rt, auth.Change{}, err, verdict{nothing: true})
	m.makeUser(login)
}

func (m *machine) setUserActive(rt *rapid.T) {
	login, active := m.login(rt), rapid.Bool().Draw(rt, "active")
	c, err := m.db.SetUserActive(m.ctx, login, active)
	user := m.users[login]
	if user == nil {
		m.judge(rt, c, err, verdict{refused: []error{auth.ErrUserNotFound}})
		return
	}
	if m.judge(rt, c, err, verdict{nothing: user.active == active, before: user.last}) {
		user.active, user.last = active, c.Seq
	}
}

func (m *machine) setUserLimits(rt *rapid.T) {
	login, limits := m.login(rt), auth.Limits{}
	if n := rapid.IntRange(0, 2).Draw(rt, "quota"); n > 0 {
		limits.Quota = auth.Quota{Count: n, Per: "d"}
	}
	c, err := m.db.limitUser(login, limits)
	user := m.users[login]
	if user == nil {
		m.judge(rt, c, err, verdict{refused: []error{auth.ErrUserNotFound}})
		return
	}
	if m.judge(rt, c, err, verdict{nothing: user.limits == limits, before: user.last}) {
		user.limits, user.last = limits, c.Seq
	}
}
