package override

import (
	"encoding/json"
	"reflect"
	"slices"

	"authd/internal/auth"
)

// What the audit tells of a field of a section: never its value.
var (
	fieldGiven   = json.RawMessage(`"given"`)
	fieldChanged = json.RawMessage(`"changed"`)
)

// fieldChanges tells which fields of which sections a new set has added,
// removed and changed, by their names.
func fieldChanges(old, set *Set) (list []auth.FieldChange) {
	added, removed, changed := diff(old, set)
	for _, name := range slices.Concat(added, changed, removed) {
		list = append(list, sectionChanges(name, old.byName[name], set.byName[name])...)
	}
	return list
}

// sectionChanges does so for one section, which is nil where there is none.
func sectionChanges(name string, was, is *section) (list []auth.FieldChange) {
	for _, field := range fieldNames {
		before, wasGiven := was.field(field)
		after, isGiven := is.field(field)
		c := auth.FieldChange{Field: auth.OverrideField + name + "." + field}
		switch {
		case wasGiven && isGiven && reflect.DeepEqual(before, after), !wasGiven && !isGiven:
			continue
		case wasGiven && isGiven:
			c.Before, c.After = fieldGiven, fieldChanged
		case wasGiven:
			c.Before = fieldGiven
		default:
			c.After = fieldGiven
		}
		list = append(list, c)
	}
	return list
}

// field is what a section gives for a field, as it can be compared.
func (s *section) field(name string) (v any, given bool) {
	if s == nil {
		return nil, false
	}
	if _, given = s.origins[name]; !given {
		return nil, false
	}
	o := &s.overlay
	switch name {
	case "standalone":
		v = o.standalone
	case "active":
		v = o.active
	case "user":
		v = o.user
	case "groups":
		v = o.groups
	case "scopes":
		v = o.scopes
	case "not_before":
		v = o.notBefore
	case "expires_at":
		v = o.expiresAt
	case "hosts":
		v = o.hosts
	case "methods":
		v = o.methods
	case "paths":
		v = o.paths
	case "cidrs":
		v = o.cidrs
	case "rate":
		v = o.rate
	case "burst":
		v = o.burst
	case "quota":
		v = o.quota
	default: // one of the sources
		v = s.value
	}
	return v, true
}
