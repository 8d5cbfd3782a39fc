package override

import (
	"maps"

	"authd/internal/auth"
)

// Section is what can be told of an override section: no value.
type Section struct {
	Name       string
	At         Origin
	Fields     map[string]Origin // that it gives
	Standalone bool
	Gives      bool             // a value, so that the store's are dead
	Value      *auth.SecretInfo // what is known of it; nil where nobody can present one
}

// Section tells of the section that overrides the record of this name and slug.
func (s *Set) Section(name, slug string) (Section, bool) {
	found := s.byName[name]
	if found == nil {
		found = s.byName[slug]
	}
	if found == nil {
		return Section{}, false
	}
	out := Section{
		Name: found.name, At: found.at, Fields: maps.Clone(found.origins),
		Standalone: found.ready != nil, Gives: found.value.given,
	}
	if found.value.usable {
		out.Value = &auth.SecretInfo{Digest: found.value.digest, PepperID: found.value.pepper}
	}
	return out, true
}

// Source is the field that a section's value comes from, and where it is given.
func (s *Section) Source() (string, Origin) {
	for _, source := range sources {
		if at, ok := s.Fields[source]; ok {
			return source, at
		}
	}
	return "", Origin{}
}
