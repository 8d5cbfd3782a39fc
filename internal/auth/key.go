package auth

import (
	"strings"
	"time"
)

// Key is what a decision needs to know of a key, and nothing more: it is what
// caches hold. It is made once by [NewKey] and immutable from then on.
type Key struct {
	Digest Digest // of the secret that it was found by; zero where it was found by name

	ID, Name, Slug string
	User           string // login
	UserActive     bool
	Active         bool
	Revoked        bool
	Overridden     bool // the database's value for this record is dead: a section gives another

	// Unix milliseconds; zero means no bound.
	NotBefore, ExpiresAt, SecretExpiresAt int64

	Grants       *Grants       // nil: none
	Restrictions *Restrictions // nil: none
	Limits       *Limits       // nil: none
	UserLimits   *Limits       // of the user, shared by all its keys; nil: none

	told [IdentityGroups]string // of this key alone, encoded
}

// NewKey makes the decision's view of a record, as found by one of its
// secrets; the zero SecretInfo where it was found by name.
func NewKey(r *Record, s SecretInfo) *Key {
	k := &Key{
		Digest: s.Digest,
		ID:     r.ID, Name: r.Name, Slug: r.Slug,
		User: r.User, UserActive: r.UserActive,
		Active: r.Active, Revoked: !r.RevokedAt.IsZero() || s.Revoked,
		NotBefore: Millis(r.NotBefore), ExpiresAt: Millis(r.ExpiresAt), SecretExpiresAt: Millis(s.ExpiresAt),
		Grants: NewGrants(r.Groups, r.Scopes),
	}
	if !r.Restrictions.IsZero() {
		restrictions := r.Restrictions.clone()
		k.Restrictions = &restrictions
	}
	k.Limits, k.UserLimits = r.Limits.orNone(), r.UserLimits.orNone()
	k.Encode()
	return k
}

// Millis is t as Unix milliseconds; zero for the zero time, and for no other:
// the first millisecond of 1970, which would read as "no bound", becomes the second.
func Millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	if ms := t.UnixMilli(); ms != 0 {
		return ms
	}
	return 1
}

// FromMillis is the inverse of Millis, in UTC.
func FromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// The fields of an identity: what the upstream is told.
const (
	IdentityUser = iota
	IdentityKey
	IdentityKeyID
	IdentityGroups
	IdentityScopes
	IdentityFields // how many there are
)

// What parts the items of a list.
const (
	groupSep = ","
	scopeSep = " "
)

// Encode makes what Told answers of the key's own fields, once and not again
// for each request. Whoever changes one, of a key that nobody else has seen, calls it.
func (k *Key) Encode() {
	k.told = [...]string{
		IdentityUser: encodeVisible(k.User), IdentityKey: encodeVisible(k.Name), IdentityKeyID: encodeVisible(k.ID),
	}
}

// nothing is told of nobody.
var nothing [1]string

// Told is field i of the identity as a header's value list, ready to be sent,
// without allocating; empty of a nil Key. The list is shared: its capacity is
// 1, so that an append copies it.
func (k *Key) Told(i int) []string {
	switch {
	case k == nil:
	case i < len(k.told):
		return k.told[i : i+1 : i+1]
	case k.Grants == nil:
	case i == IdentityGroups:
		return k.Grants.groups[:]
	case i == IdentityScopes:
		return k.Grants.scopes[:]
	}
	return nothing[:]
}

func joinVisible(list []string, sep string) string {
	if len(list) == 1 {
		return encodeVisible(list[0])
	}
	encoded := make([]string, len(list))
	for i, s := range list {
		encoded[i] = encodeVisible(s)
	}
	return strings.Join(encoded, sep)
}

// encodeVisible percent-encodes (RFC 3986) every byte that is not visible
// ASCII, the percent sign, and the separators of the lists.
func encodeVisible(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	done := 0
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '%' || c == ',' {
			if done == 0 {
				b.Grow(len(s) + 16) // room for some
			}
			b.WriteString(s[done:i])
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
			done = i + 1
		}
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}
