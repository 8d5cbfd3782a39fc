package auth

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"
)

// maxAudited bounds what a row of the audit holds of one text, in bytes.
const maxAudited = 500

// auditedSecret is what the audit tells of a secret.
type auditedSecret struct {
	Hint      string    `json:"hint"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	Revoked   bool      `json:"revoked,omitempty"`
}

// auditedField is a field of a record; nil where it has none.
type auditedField struct {
	name  string
	value any
}

// KeyAudit is what the audit tells of a change to a key, but for who and when:
// nil before where it was created, nil after where it was deleted.
func KeyAudit(action string, before, after *Record) (AuditEntry, error) {
	e := AuditEntry{Action: action}
	for _, r := range []*Record{before, after} {
		if r != nil {
			e.KeyID, e.Key, e.User = r.ID, r.Name, r.User
		}
	}
	list, err := diffFields(auditedFields(before), auditedFields(after))
	if err != nil {
		return e, err
	}
	return e, e.SetFields(list)
}

// UserAudit is what the audit tells of a change to a user, but for who and when; nil before where it was created.
func UserAudit(login string, before, after *User) (AuditEntry, error) {
	e := AuditEntry{Action: ActionUserUpdate, User: login}
	switch {
	case before == nil:
		e.Action = ActionUserCreate
	case before.Active == after.Active:
	case after.Active:
		e.Action = ActionUserEnable
	default:
		e.Action = ActionUserDisable
	}
	list, err := diffFields(userFields(before), userFields(after))
	if err != nil {
		return e, err
	}
	return e, e.SetFields(list)
}

// BatchAudit is what the audit tells of new keys, and of the users that were made for them, but for who.
func BatchAudit(logins []string, writes []KeyWrite, at time.Time) ([]AuditEntry, error) {
	list := make([]AuditEntry, 0, len(logins)+len(writes))
	add := func(e AuditEntry, err error) error {
		e.At = at
		list = append(list, e)
		return err
	}
	for _, login := range logins {
		if err := add(UserAudit(login, nil, &User{Active: true})); err != nil {
			return nil, err
		}
	}
	for i := range writes {
		made := writes[i].Record
		made.Secrets = writes[i].Secrets
		if err := add(KeyAudit(ActionKeyCreate, nil, &made)); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// EditAction names what an edit made of a record.
func EditAction(before, after *Record) string {
	switch {
	case before.RevokedAt.IsZero() && !after.RevokedAt.IsZero():
		return ActionKeyRevoke
	case before.Name != after.Name:
		return ActionKeyRename
	case before.Active != after.Active:
		if after.Active {
			return ActionKeyEnable
		}
		return ActionKeyDisable
	}
	return ActionKeyUpdate
}

func diffFields(before, after []auditedField) (list []FieldChange, err error) {
	was, err := encodeFields(before)
	if err != nil {
		return nil, err
	}
	is, err := encodeFields(after)
	if err != nil {
		return nil, err
	}
	for _, f := range slices.Concat(after, before) {
		if slices.ContainsFunc(list, func(c FieldChange) bool { return c.Field == f.name }) {
			continue
		}
		if b, a := was[f.name], is[f.name]; string(b) != string(a) {
			list = append(list, FieldChange{f.name, b, a})
		}
	}
	return list, nil
}

func encodeFields(list []auditedField) (map[string]json.RawMessage, error) {
	out := map[string]json.RawMessage{}
	for _, f := range list {
		text, err := json.Marshal(f.value)
		if err != nil {
			return nil, fmt.Errorf("%s can't be audited: %w", f.name, err)
		}
		out[f.name] = text
	}
	return out, nil
}

// userFields are what a user has; nothing of nobody.
func userFields(u *User) (list []auditedField) {
	if u == nil {
		return nil
	}
	list = append(list, auditedField{"active", u.Active})
	return append(list, limitFields(&u.Limits)...)
}

// limitFields are the limits that there are.
func limitFields(l *Limits) (list []auditedField) {
	if l.Rate.Count > 0 {
		list = append(list, auditedField{"rate", l.Rate})
	}
	if l.Burst > 0 {
		list = append(list, auditedField{"burst", l.Burst})
	}
	if l.Quota.Count > 0 {
		list = append(list, auditedField{"quota", l.Quota})
	}
	return list
}

// auditedFields are what a record has, in the order in which it is told.
func auditedFields(r *Record) (list []auditedField) {
	if r == nil {
		return nil
	}
	add := func(name string, has bool, value any) {
		if has {
			list = append(list, auditedField{name, value})
		}
	}
	add("name", true, r.Name)
	add("slug", true, r.Slug)
	add("user", true, r.User)
	add("active", true, r.Active)
	add("revoked_at", !r.RevokedAt.IsZero(), r.RevokedAt)
	add("not_before", !r.NotBefore.IsZero(), r.NotBefore)
	add("expires_at", !r.ExpiresAt.IsZero(), r.ExpiresAt)
	add("groups", len(r.Groups) > 0, r.Groups)
	add("scopes", len(r.Scopes) > 0, r.Scopes)
	add("hosts", len(r.Restrictions.Hosts) > 0, r.Restrictions.Hosts)
	add("methods", len(r.Restrictions.Methods) > 0, r.Restrictions.Methods)
	add("paths", len(r.Restrictions.Paths) > 0, r.Restrictions.Paths)
	add("cidrs", len(r.Restrictions.CIDRs) > 0, r.Restrictions.CIDRs)
	list = append(list, limitFields(&r.Limits)...)
	for _, k := range slices.Sorted(maps.Keys(r.Metadata)) {
		add("metadata."+k, true, audited(r.Metadata[k]))
	}
	add("note", r.Note != "", audited(r.Note))
	secrets := make([]auditedSecret, len(r.Secrets))
	for i, s := range r.Secrets {
		secrets[i] = auditedSecret{s.Hint, s.CreatedAt, s.ExpiresAt, s.Revoked}
	}
	add("secrets", len(secrets) > 0, secrets)
	return list
}

// audited cuts a text. What follows is told by its length, so that a change there shows, if that changes.
func audited(s string) string {
	if len(s) <= maxAudited {
		return s
	}
	cut := maxAudited
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return fmt.Sprintf("%s… (%d bytes)", s[:cut], len(s))
}
