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

// sharedList is a list, and what an identity header tells of it.
type sharedList struct {
	items  []string
	joined string
}

// sharedText is a text, and what an identity header tells of it.
type sharedText struct{ plain, encoded string }

var (
	sharedGroups sharing[sharedList]
	sharedScopes sharing[sharedList]
	sharedUsers  sharing[sharedText]
)

// shareList names a list by its items and their lengths: a store that was
// tampered with must not make one key's list that of another.
func shareList(s *sharing[sharedList], items []string, sep string) sharedList {
	var name strings.Builder
	for _, item := range items {
		name.WriteString(strconv.Itoa(len(item)))
		name.WriteByte(':')
		name.WriteString(item)
	}
	return s.of(name.String(), func() sharedList {
		items := slices.Clone(items)
		return sharedList{items, joinVisible(items, sep)}
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
