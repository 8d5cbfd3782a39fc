package auth

import (
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Grants are what a key is in and may do. Keys of the same ones share them.
type Grants struct {
	Groups, Scopes []string

	groups, scopes [1]string // encoded
}

// maxGrants bounds the shared ones: deployments have some dozens of groups and scopes.
const maxGrants = 1 << 14

// grants has one copy of what many keys have in common, by a name that tells it all. What it has given
// out is never written to. When it is full it begins anew, and nothing but memory is lost.
var grants struct {
	sync.Mutex
	all map[string]*Grants
}

// NewGrants returns the grants of these lists, which it does not keep. They
// are named by their items and the lengths of these: a store that was tampered
// with must not make one key's grants those of another.
func NewGrants(groups, scopes []string) *Grants {
	var b strings.Builder
	for _, list := range [][]string{groups, scopes} {
		for _, item := range list {
			b.WriteString(strconv.Itoa(len(item)))
			b.WriteByte(':')
			b.WriteString(item)
		}
		b.WriteByte(';')
	}
	name := b.String()
	grants.Lock()
	defer grants.Unlock()
	if g := grants.all[name]; g != nil {
		return g
	}
	if grants.all == nil || len(grants.all) >= maxGrants {
		grants.all = map[string]*Grants{}
	}
	g := &Grants{
		Groups: slices.Clone(groups), Scopes: slices.Clone(scopes),
		groups: [1]string{joinVisible(groups, groupSep)}, scopes: [1]string{joinVisible(scopes, scopeSep)},
	}
	grants.all[name] = g
	return g
}
