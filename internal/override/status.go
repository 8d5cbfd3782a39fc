package override

import (
	"context"
	"errors"
	"maps"

	"authd/internal/auth"
)

// State tells whether a section does anything.
type State string

// The states of a section.
const (
	Matched    State = "matched"    // there is a record of its name or slug
	Unmatched  State = "unmatched"  // there is none, so it does nothing
	Standalone State = "standalone" // it is a key of its own
	Global     State = "global"     // it is for every record
	Unchecked  State = "unchecked"  // the store could not be asked
)

var states = []State{Matched, Unmatched, Standalone, Global, Unchecked}

// Status is a section's standing. It says where each field comes from, and no value.
type Status struct {
	Section string            `json:"section"` // the record's name, or its slug; empty: the section for every record
	State   State             `json:"state"`
	At      Origin            `json:"at"`
	Fields  map[string]Origin `json:"fields"`
}

// Check tells of each section, in their order, whether next has a record for
// it. After the first error the rest is Unchecked: next is not asked again.
func (s *Set) Check(ctx context.Context, next auth.Finder) ([]Status, error) {
	var failed error
	out := make([]Status, 0, s.Len())
	if s.rest != nil {
		out = append(out, Status{State: Global, At: s.rest.at, Fields: maps.Clone(s.rest.origins)})
	}
	for _, section := range s.sections {
		state := Standalone
		if section.ready == nil {
			state = Unchecked
			if failed == nil {
				state, failed = section.match(ctx, next)
			}
		}
		out = append(out, Status{Section: section.name, State: state, At: section.at, Fields: maps.Clone(section.origins)})
	}
	return out, failed
}

func (s *section) match(ctx context.Context, next auth.Finder) (State, error) {
	_, err := next.ByName(ctx, s.name)
	switch {
	case err == nil:
		return Matched, nil
	case errors.Is(err, auth.ErrKeyNotFound):
		return Unmatched, nil
	}
	return Unchecked, err
}
