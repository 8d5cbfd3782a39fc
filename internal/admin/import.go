package admin

import (
	"context"
	"fmt"
	"slices"

	"authd/internal/auth"
)

// Entry is one key that an import brings.
type Entry struct {
	Place        string // where it stands: "record 12", "line 7"
	Name         string
	Apply        func(*auth.Record) // says of a record what the place says of the key, but for its name
	Value        Value
	UserInactive bool   // its user is inactive there
	Skip         string // why there is nothing to import
	Fault        string // why it can't be read
	Notes        []string
}

// Outcome is what becomes of an entry.
type Outcome string

// The outcomes.
const (
	Created   Outcome = "created"
	Unchanged Outcome = "unchanged"
	Changed   Outcome = "changed"
	Conflict  Outcome = "conflict" // with another entry, or with a key that is here
	Skipped   Outcome = "skipped"  // there is nothing to import, or nothing that may be
	Invalid   Outcome = "invalid"  // it can't be read, or no key can be so
)

// Outcomes are all outcomes, in the order in which they are counted.
var Outcomes = []Outcome{Created, Changed, Unchanged, Conflict, Skipped, Invalid}

// Line tells what becomes of one entry.
type Line struct {
	Place   string   `json:"place"`
	Name    string   `json:"name"`
	Outcome Outcome  `json:"outcome"`
	Why     string   `json:"why,omitempty"`
	Notes   []string `json:"notes,omitempty"`
}

// Imported is what an import came to, or would come to.
type Imported struct {
	Lines  []Line // in the order of the entries
	Change auth.Change
}

// Count counts the lines by outcome.
func (i *Imported) Count() map[Outcome]int {
	counts := map[Outcome]int{}
	for _, o := range Outcomes {
		counts[o] = 0
	}
	for _, l := range i.Lines {
		counts[l.Outcome]++
	}
	return counts
}

// Import stores the keys that entries bring, in one transaction. Of two
// entries with one name, slug or value the first one counts. What came by an import before
// is brought up to date; what was made here is left as it is. It never enables, and revives
// nothing. A dry run stores nothing, and tells what would happen.
//
// An import that changes nothing answers the last change that there is: who follows that
// one has what a former run has changed.
func (s *Service) Import(ctx context.Context, from string, entries []Entry, dryRun bool, progress func(made, of int)) (Imported, error) {
	p, err := s.plan(ctx, from)
	if err != nil {
		return Imported{}, err
	}
	p.batch.Writes = make([]auth.KeyWrite, 0, max(0, len(entries)-len(p.records))) // as many as are new, as a rule
	done := Imported{Lines: make([]Line, len(entries))}
	for i := range entries {
		if done.Lines[i], err = p.judge(&entries[i]); err != nil {
			return Imported{}, err
		}
	}
	if dryRun {
		return done, nil
	}
	if p.batch.Empty() {
		done.Change.Seq, err = s.Store.LastChange(ctx)
		return done, err
	}
	done.Change, err = s.Store.ImportKeys(ctx, p.batch, func(made int) {
		if progress != nil {
			progress(made, len(p.batch.Writes))
		}
	})
	if err != nil {
		return Imported{}, fmt.Errorf("nothing was imported: %w", err)
	}
	return done, nil
}

// plan knows what is in the store, and what an import has made of it so far.
type plan struct {
	s       *Service
	from    string
	records map[string]*auth.Record // by name
	slugs   map[string]string       // the name of the key, and where it comes from if not from here
	values  map[auth.Digest]held
	names   map[string]string // where each name stands
	users   map[string]bool   // whether each is active
	ends    map[string]bool   // that are made inactive
	batch   auth.Batch
}

// held is who has a value.
type held struct {
	name, place string // place is empty where it was in the store
	secret      *auth.SecretInfo
}

func (s *Service) plan(ctx context.Context, from string) (*plan, error) {
	records, err := s.Store.ListKeys(ctx, auth.KeyFilter{})
	if err != nil {
		return nil, err
	}
	users, err := s.Store.ListUsers(ctx)
	if err != nil {
		return nil, err
	}
	p := &plan{
		s: s, from: from,
		records: make(map[string]*auth.Record, len(records)), slugs: make(map[string]string, len(records)),
		values: make(map[auth.Digest]held, len(records)), names: map[string]string{},
		users: make(map[string]bool, len(users)), ends: map[string]bool{},
	}
	for i := range records {
		r := &records[i]
		p.records[r.Name], p.slugs[r.Slug] = r, here(r.Name)
		for j := range r.Secrets {
			p.values[r.Secrets[j].Digest] = held{name: r.Name, secret: &r.Secrets[j]}
		}
	}
	for _, u := range users {
		p.users[u.Login] = u.Active
	}
	return p, nil
}

func here(name string) string { return fmt.Sprintf("key %q here", name) }

// endUser makes a user inactive, once, who is inactive there.
func (p *plan) endUser(login string) (ended bool) {
	if active, known := p.users[login]; known && !active {
		return false
	}
	if !p.ends[login] {
		p.ends[login] = true
		p.batch.Inactive = append(p.batch.Inactive, login)
	}
	return true
}

// holder finds who has a value, under whichever pepper.
func (p *plan) holder(v Value) (held, bool) {
	for _, d := range v.all {
		if h, ok := p.values[d]; ok {
			return h, true
		}
	}
	return held{}, false
}

func (p *plan) hold(v Value, name, place string) {
	for _, d := range v.all {
		p.values[d] = held{name: name, place: place}
	}
}

// importedFrom is the metadata by which a record is known that came by an import.
const importedFrom = "imported_from"

// brought reports whether a record came by an import of this kind.
func (p *plan) brought(r *auth.Record) bool { return r.Metadata[importedFrom] == p.from }

// laid is a record as an entry has it, in the form in which it is stored.
func (p *plan) laid(r auth.Record, e *Entry) auth.Record {
	r.Groups, r.Scopes = slices.Clone(r.Groups), slices.Clone(r.Scopes)
	metadata := map[string]string{}
	for k, v := range r.Metadata {
		metadata[k] = v
	}
	r.Metadata = metadata
	e.Apply(&r)
	if r.Metadata == nil {
		r.Metadata = map[string]string{}
	}
	r.Metadata[importedFrom] = p.from
	normalize(&r)
	return r
}
