package auth

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Record is a key as its administrators know it: everything but the secret.
type Record struct {
	ID           string            `json:"id"` // UUIDv7
	Name         string            `json:"name"`
	Slug         string            `json:"slug"`
	User         string            `json:"user"`
	UserActive   bool              `json:"user_active"`
	Active       bool              `json:"active"`
	RevokedAt    time.Time         `json:"revoked_at,omitzero"`
	NotBefore    time.Time         `json:"not_before,omitzero"`
	ExpiresAt    time.Time         `json:"expires_at,omitzero"`
	Groups       []string          `json:"groups"`
	Scopes       []string          `json:"scopes"`
	Restrictions Restrictions      `json:"restrictions,omitzero"`
	Limits       Limits            `json:"limits,omitzero"`
	UserLimits   Limits            `json:"user_limits,omitzero"` // of the user, whom the record only names
	Metadata     map[string]string `json:"metadata,omitempty"`
	Note         string            `json:"note,omitempty"`
	CreatedAt    time.Time         `json:"created_at"`
	UpdatedAt    time.Time         `json:"updated_at"`
	ChangedSeq   int64             `json:"changed_seq"` // the last change of this record in the log
	Secrets      []SecretInfo      `json:"secrets"`
}

// SecretInfo is what is kept of a secret.
type SecretInfo struct {
	Digest    Digest    `json:"-"`
	Hint      string    `json:"hint"`
	PepperID  string    `json:"pepper"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"` // the end of a rotation's overlap
	Revoked   bool      `json:"revoked,omitempty"`
}

// User is the identity that keys stand for.
type User struct {
	Login     string    `json:"login"`
	Active    bool      `json:"active"`
	Keys      int       `json:"keys"`            // how many keys stand for it
	Limits    Limits    `json:"limits,omitzero"` // that they share
	CreatedAt time.Time `json:"created_at"`
}

// States are all that State may answer.
var States = []string{"active", "disabled", "revoked", "user-inactive", "not-yet-valid", "expired"}

// State is the record's standing in one word, one of States.
func (r *Record) State(now time.Time) string {
	switch {
	case !r.RevokedAt.IsZero():
		return "revoked"
	case !r.Active:
		return "disabled"
	case !r.UserActive:
		return "user-inactive"
	case !r.NotBefore.IsZero() && now.Before(r.NotBefore):
		return "not-yet-valid"
	case !r.ExpiresAt.IsZero() && !now.Before(r.ExpiresAt):
		return "expired"
	}
	return "active"
}

// Bounds of what a record may hold, in bytes and items.
const (
	MaxName  = 200
	MaxItem  = 200
	MaxItems = 100
	MaxNote  = 4000
)

// Validate reports every fault of a record that is about to be stored.
func (r *Record) Validate() error {
	errs := []error{
		CheckText("the name", r.Name, MaxName),
		CheckText("the user's login", r.User, MaxName),
		checkTime("not-before", r.NotBefore), checkTime("expires", r.ExpiresAt),
		CheckGroups(r.Groups), CheckScopes(r.Scopes),
		r.Restrictions.Validate(), r.Limits.Validate(),
	}
	if !r.NotBefore.IsZero() && !r.ExpiresAt.IsZero() && !r.NotBefore.Before(r.ExpiresAt) {
		errs = append(errs, errors.New("the key would expire before it is valid: not-before is not before expires"))
	}
	if !storable(r.Note) {
		errs = append(errs, fmt.Errorf("the note is longer than %d bytes, not UTF-8, or holds a NUL", MaxNote))
	}
	if len(r.Metadata) > MaxItems {
		errs = append(errs, fmt.Errorf("more than %d metadata entries", MaxItems))
	}
	for k, v := range r.Metadata {
		errs = append(errs, CheckText("a metadata key", k, MaxItem))
		if !storable(v) {
			errs = append(errs, fmt.Errorf("metadata %q: the value is longer than %d bytes, not UTF-8, or holds a NUL", k, MaxNote))
		}
	}
	return errors.Join(errs...)
}

// storable reports whether every database can hold a free text.
func storable(s string) bool {
	return len(s) <= MaxNote && utf8.ValidString(s) && strings.IndexByte(s, 0) < 0
}

// CheckText says why s can't be a name of something: empty, too long, blanks
// around it, control characters, not UTF-8.
func CheckText(what, s string, most int) error {
	switch {
	case s == "":
		return fmt.Errorf("%s is empty", what)
	case len(s) > most:
		return fmt.Errorf("%s is longer than %d bytes", what, most)
	case !utf8.ValidString(s):
		return fmt.Errorf("%s is not UTF-8", what)
	case strings.TrimSpace(s) != s:
		return fmt.Errorf("%s begins or ends with a blank", what)
	case strings.IndexFunc(s, unicode.IsControl) >= 0:
		return fmt.Errorf("%s holds a control character", what)
	}
	return nil
}

// checkTime keeps moments to years that every format can write.
func checkTime(what string, t time.Time) error {
	if y := t.UTC().Year(); !t.IsZero() && (y < 1970 || y > 9999) {
		return fmt.Errorf("%s: the year %d is not between 1970 and 9999", what, y)
	}
	return nil
}

// CheckGroups says what is wrong with a list of groups.
func CheckGroups(groups []string) error {
	return checkList("group", groups, func(s string) error {
		if strings.Contains(s, ",") {
			return errors.New("a comma parts groups in the identity header")
		}
		return nil
	})
}

// CheckScopes says what is wrong with a list of scopes (RFC 6749, scope-token).
func CheckScopes(scopes []string) error {
	return checkList("scope", scopes, func(s string) error {
		if strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) >= 0 {
			return errors.New("a scope is visible ASCII without blanks, quotes and backslashes")
		}
		return nil
	})
}

func checkList(what string, list []string, item func(string) error) error {
	var errs []error
	if len(list) > MaxItems {
		errs = append(errs, fmt.Errorf("more than %d %ss", MaxItems, what))
	}
	for _, s := range list {
		err := CheckText("a "+what, s, MaxItem)
		if err == nil && item != nil {
			err = item(s)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s %q: %w", what, s, err))
		}
	}
	return errors.Join(errs...)
}
