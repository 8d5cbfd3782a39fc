package auth

import (
	"slices"
	"strconv"
	"strings"
	"sync"
)

// maxShared bounds a sharing: deployments have some dozens of groups and
// scopes, and as many users as is their own affair.
const maxShared = 1 << 14

// sharing keeps one copy of what many keys have in common, so that a hundred
// thousand of them in memory don't hold a hundred thousand. What it has given
// out is never written to. When it is full it begins anew, and nothing but
// memory is lost.
type sharing[T any] struct {
	mu  sync.Mutex
	all map[string]T
}

func (s *sharing[T]) of(name string, build func() T) T {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.all[name]
	if !ok {
		if s.all == nil || len(s.all) >= maxShared {
			s.all = map[string]T{}
		}
		v = build()
		s.all[strings.Clone(name)] = v
	}
	return v
}

// sharedText is a text, and what an identity header tells of it.
type sharedText struct{ plain, encoded string }

var (
	sharedGrants sharing[*Grants]
	sharedUsers  sharing[sharedText]
)

// NewGrants returns the grants of these lists, which it does not keep. They
// are named by their items and the lengths of these: a store that was tampered
// with must not make one key's grants those of another.
func NewGrants(groups, scopes []string) *Grants {
	var name strings.Builder
	for _, list := range [][]string{groups, scopes} {
		for _, item := range list {
			name.WriteString(strconv.Itoa(len(item)))
			name.WriteByte(':')
			name.WriteString(item)
		}
		name.WriteByte(';')
	}
	return sharedGrants.of(name.String(), func() *Grants {
		return &Grants{
			Groups: slices.Clone(groups), Scopes: slices.Clone(scopes),
			groups: [1]string{joinVisible(groups, groupSep)}, scopes: [1]string{joinVisible(scopes, scopeSep)},
		}
	})
}

func shareUser(login string) sharedText {
	return sharedUsers.of(login, func() sharedText {
		login := strings.Clone(login)
		return sharedText{login, encodeVisible(login)}
	})
}

// together returns three strings that lie in one piece of memory.
func together(a, b, c string) (string, string, string) {
	all := a + b + c
	return all[:len(a)], all[len(a) : len(a)+len(b)], all[len(a)+len(b):]
}
