package override

import (
	"context"
	"sync/atomic"

	"authd/internal/auth"
)

// Finder lays a Set over another Finder. It is the outermost layer, so that
// nothing that a cache holds escapes a section. A warm look-up takes no lock
// and allocates nothing here.
type Finder struct {
	next auth.Finder
	set  atomic.Pointer[Set]
}

// NewFinder lays set over next.
func NewFinder(next auth.Finder, set *Set) *Finder {
	f := &Finder{next: next}
	f.Swap(set)
	return f
}

// Swap puts another set in the old one's place; nil is an empty one. A look-up
// goes by one of them, never by both.
func (f *Finder) Swap(set *Set) {
	if set == nil {
		set = &Set{}
	}
	f.set.Store(set)
}

// Set is the set in force.
func (f *Finder) Set() *Set { return f.set.Load() }

// ByDigest answers
//   - for a section's value: its record, or its standalone key, as the section
//     would have it; where there is no record, auth.ErrKeyNotFound
//   - for a value of the store's: the record, with the section's fields laid over it; where the
//     section gives a value, this one is dead, and the key says that it is overridden
//
// An outage stays an outage.
func (f *Finder) ByDigest(ctx context.Context, d auth.Digest) (*auth.Key, error) {
	set := f.set.Load()
	if set.Len() == 0 {
		return f.next.ByDigest(ctx, d)
	}
	if s := set.byDigest[d]; s != nil {
		return s.key(ctx, f.next)
	}
	k, err := f.next.ByDigest(ctx, d)
	if err != nil || k == nil {
		return nil, err
	}
	if s := set.section(k); s != nil {
		return s.lay(k)
	}
	return k, nil
}

// ByName answers the record as the store has it. Sections are matched to
// records by it, which must not see their own work; and nobody is let in by a name.
func (f *Finder) ByName(ctx context.Context, name string) (*auth.Key, error) {
	return f.next.ByName(ctx, name)
}

// Check tells what the sections in force match in the store.
func (f *Finder) Check(ctx context.Context) ([]Status, error) {
	return f.Set().Check(ctx, f.next)
}
