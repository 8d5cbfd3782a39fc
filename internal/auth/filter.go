package auth

import (
	"slices"
	"time"
)

// KeyFilter narrows a list of records. Zero fields do not.
type KeyFilter struct {
	User     string
	Group    string
	Inactive bool      // only those whose state at Now is not active
	Expiring time.Time // only those that expire before
	Now      time.Time
}

// Matches reports whether the record belongs on the list.
func (f *KeyFilter) Matches(r *Record) bool {
	switch {
	case f.User != "" && r.User != f.User:
		return false
	case f.Group != "" && !slices.Contains(r.Groups, f.Group):
		return false
	case f.Inactive && r.State(f.Now) == "active":
		return false
	case !f.Expiring.IsZero() && (r.ExpiresAt.IsZero() || !r.ExpiresAt.Before(f.Expiring)):
		return false
	}
	return true
}
