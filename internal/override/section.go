package override

import (
	"context"
	"errors"
	"reflect"
	"sync/atomic"

	"github.com/google/uuid"

	"authd/internal/auth"
)

// section is what the sections of one name, in all files, amount to. It is
// immutable but for what it remembers.
type section struct {
	name    string
	at      Origin            // of the first of them
	origins map[string]Origin // of each field that is given
	overlay overlay
	value   value
	ready   *auth.Key // of a standalone section: the whole key

	// A base that comes again, from a cache, is merged once.
	byValue, byDigest memo
}

// memo holds the last key that was merged, and what it was merged from. Keys
// are immutable, so the same pointer means the same key.
type memo struct{ last atomic.Pointer[merge] }

type merge struct{ base, merged *auth.Key }

func (m *memo) of(base *auth.Key, make func(*auth.Key) *auth.Key) *auth.Key {
	last := m.last.Load()
	if last == nil || last.base != base {
		last = &merge{base, make(base)}
		m.last.Store(last)
	}
	return last.merged
}

// namespace makes the ids of standalone keys, and nothing else.
var namespace = uuid.MustParse("b1c5b5f8-6a3d-4f0e-9c57-1d0f6d0a7e42")

// standaloneKey is a key that no store knows. Its id is always the same for a name.
func (s *section) standaloneKey() *auth.Key {
	k := &auth.Key{
		Digest: s.value.digest,
		ID:     uuid.NewSHA1(namespace, []byte(s.name)).String(),
		Name:   s.name, Slug: auth.Slug(s.name), Active: true,
	}
	s.overlay.apply(k)
	return k
}

var errOtherRecord = errors.New("a look-up by name answered with another record than the one that was asked for")

// key answers for the section's own value: the record, as the section would have it.
func (s *section) key(ctx context.Context, next auth.Finder) (*auth.Key, error) {
	if s.ready != nil {
		return s.ready, nil
	}
	base, err := next.ByName(ctx, s.name)
	if err != nil {
		return nil, err
	}
	if base == nil || base.Name != s.name && base.Slug != s.name {
		return nil, errOtherRecord
	}
	return s.byValue.of(base, s.revalued), nil
}

// revalued is a record whose only value is the section's.
func (s *section) revalued(base *auth.Key) *auth.Key {
	k := *base
	k.Digest, k.SecretExpiresAt = s.value.digest, 0
	s.overlay.apply(&k)
	return &k
}

// lay answers for a value of the store's, of the section's record.
func (s *section) lay(base *auth.Key) (*auth.Key, error) {
	switch {
	case !s.value.given:
		return s.byDigest.of(base, s.overlaid), nil
	case s.value.later:
		// The request's value may be the section's, under a pepper that is
		// still to be tried: this digest must not have the last word.
		return nil, auth.ErrKeyNotFound
	}
	return s.byDigest.of(base, dead), nil
}

func (s *section) overlaid(base *auth.Key) *auth.Key {
	k := *base
	s.overlay.apply(&k)
	return &k
}

func dead(base *auth.Key) *auth.Key {
	k := *base
	k.Overridden = true
	return &k
}

// equal reports whether two sections of one name do the same.
func (s *section) equal(o *section) bool {
	return s.value == o.value && reflect.DeepEqual(s.overlay, o.overlay)
}
