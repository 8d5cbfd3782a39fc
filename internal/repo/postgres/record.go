package postgres

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"authd/internal/auth"
)

// columns are what an edit may change, as it is stored. Two records are the
// same where these are equal.
type columns struct {
	name, slug, login                    string
	active                               bool
	revokedAt, notBefore, expiresAt      int64
	groups, scopes, restrictions, limits string
	metadata, note                       string
}

// decisionColumns are those that a decision needs, of keys k and users u.
const decisionColumns = `k.id, u.active, u.limits, k.name, k.slug, k.login, k.active, k.revoked_at, k.not_before, k.expires_at,
	k.groups, k.scopes, k.restrictions, k.limits`

// dest is where decisionColumns are scanned to, but the first three.
func (c *columns) dest() []any {
	return []any{
		&c.name, &c.slug, &c.login, &c.active, &c.revokedAt, &c.notBefore, &c.expiresAt,
		&c.groups, &c.scopes, &c.restrictions, &c.limits,
	}
}

// values are the columns in the order of assignments.
func (c *columns) values() []any {
	return []any{
		c.name, c.slug, c.login, c.active, c.revokedAt, c.notBefore, c.expiresAt,
		c.groups, c.scopes, c.restrictions, c.limits, c.metadata, c.note,
	}
}

var assignments = []string{
	"name", "slug", "login", "active", "revoked_at", "not_before", "expires_at",
	"groups", "scopes", "restrictions", "limits", "metadata", "note",
}

// placeholders is $1 to $n.
func placeholders(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = "$" + strconv.Itoa(i+1)
	}
	return strings.Join(list, ", ")
}

// Empty lists and maps, as they are stored.
const (
	noList = "[]"
	noMap  = "{}"
)

func encode(r *auth.Record) (columns, error) {
	c := columns{
		name: r.Name, slug: r.Slug, login: r.User, active: r.Active, note: r.Note,
		revokedAt: auth.Millis(r.RevokedAt), notBefore: auth.Millis(r.NotBefore), expiresAt: auth.Millis(r.ExpiresAt),
		groups: noList, scopes: noList, restrictions: noMap, limits: noMap, metadata: noMap,
	}
	for _, field := range []struct {
		to    *string
		empty bool
		value any
	}{
		{&c.groups, len(r.Groups) == 0, r.Groups},
		{&c.scopes, len(r.Scopes) == 0, r.Scopes},
		{&c.restrictions, r.Restrictions.IsZero(), r.Restrictions},
		{&c.limits, r.Limits.IsZero(), r.Limits},
		{&c.metadata, len(r.Metadata) == 0, r.Metadata},
	} {
		if field.empty {
			continue
		}
		text, err := json.Marshal(field.value)
		if err != nil {
			return c, fmt.Errorf("key %q can't be stored: %w", r.Name, err)
		}
		*field.to = string(text)
	}
	return c, nil
}

// decode reads what encode wrote. What can't be read is damage, and nothing that anybody may decide on.
func (c *columns) decode(s *Store, r *auth.Record) error {
	r.Name, r.Slug, r.User, r.Active, r.Note = c.name, c.slug, c.login, c.active, c.note
	r.RevokedAt, r.NotBefore, r.ExpiresAt = auth.FromMillis(c.revokedAt), auth.FromMillis(c.notBefore), auth.FromMillis(c.expiresAt)
	r.Groups, r.Scopes = []string{}, []string{}
	for _, field := range [...]struct {
		text, empty string
		to          any
	}{
		{c.groups, noList, &r.Groups},
		{c.scopes, noList, &r.Scopes},
		{c.restrictions, noMap, &r.Restrictions},
		{c.limits, noMap, &r.Limits},
		{c.metadata, noMap, &r.Metadata},
	} {
		if field.text == field.empty || field.text == "" {
			continue
		}
		if err := json.Unmarshal([]byte(field.text), field.to); err != nil {
			return s.unavailable(fmt.Sprintf("key %q is damaged in it: %v: restore a backup", c.name, err))
		}
	}
	return nil
}

// encodeLimits is how a user's are stored.
func encodeLimits(l auth.Limits) (string, error) {
	if l.IsZero() {
		return noMap, nil
	}
	text, err := json.Marshal(l)
	if err != nil {
		return "", fmt.Errorf("limits that can't be stored: %w", err)
	}
	return string(text), nil
}

// decodeLimits reads what encodeLimits wrote. What can't be read is damage, as in a record.
func decodeLimits(s *Store, text, login string, to *auth.Limits) error {
	if text == noMap {
		return nil
	}
	if err := json.Unmarshal([]byte(text), to); err != nil {
		return s.unavailable(fmt.Sprintf("user %q is damaged in it: %v: restore a backup", login, err))
	}
	return nil
}
