package auth

import (
	"encoding/json"
	"strings"
	"time"
)

// AuditFilter narrows the audit. Zero fields do not.
type AuditFilter struct {
	Key    string // a name, a slug or an id
	KeyID  string // the id that Key stands for now, if there is such a key: its rows from before a rename
	User   string
	Action string // keys.revoke; or keys, for all that is done to keys
	Since  time.Time
}

// Matches reports whether the row belongs on the list.
func (f *AuditFilter) Matches(e *AuditEntry) bool {
	switch {
	case f.Key != "" && !f.ofKey(e):
		return false
	case f.User != "" && !f.ofUser(e):
		return false
	case f.Action != "" && e.Action != f.Action && !strings.HasPrefix(e.Action, f.Action+"."):
		return false
	}
	return !e.At.Before(f.Since)
}

func (f *AuditFilter) ofKey(e *AuditEntry) bool {
	if e.KeyID != "" {
		return e.KeyID == f.Key || e.KeyID == f.KeyID || e.Key == f.Key || Slug(e.Key) == f.Key || f.changed(e, "name", f.Key)
	}
	list, _ := e.Changes() // of override sections, which are named after keys
	for _, c := range list {
		if section, ok := strings.CutPrefix(c.Field, OverrideField); ok &&
			(strings.HasPrefix(section, f.Key+".") || strings.HasPrefix(section, Slug(f.Key)+".")) {
			return true
		}
	}
	return false
}

func (f *AuditFilter) ofUser(e *AuditEntry) bool {
	return e.User == f.User || f.changed(e, "user", f.User)
}

// changed reports whether a field had this text before the change.
func (f *AuditFilter) changed(e *AuditEntry, field, text string) bool {
	list, _ := e.Changes()
	for _, c := range list {
		var was string
		if c.Field == field && json.Unmarshal(c.Before, &was) == nil && was == text {
			return true
		}
	}
	return false
}

// OverrideField is what the fields of override sections begin with, in the
// audit: api_key_Partner sync.groups.
const OverrideField = "api_key_"
