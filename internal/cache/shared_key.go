package cache

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"time"

	"authd/internal/auth"
)

// What a key has or is, a bit each.
const (
	bitActive = 1 << iota
	bitUserActive
	bitRevoked
	bitOverridden
	bitGrants
	bitRestrictions
	bitLimits
	bitUserLimits
)

// appendKey writes all that a decision needs to know of a key, but the digest, which is in the name.
// A field that auth.Key gains belongs here, and raises sharedVersion.
func appendKey(b []byte, k *auth.Key) []byte {
	var bits byte
	mark := func(set bool, bit byte) {
		if set {
			bits |= bit
		}
	}
	mark(k.Active, bitActive)
	mark(k.UserActive, bitUserActive)
	mark(k.Revoked, bitRevoked)
	mark(k.Overridden, bitOverridden)
	mark(k.Grants != nil, bitGrants)
	mark(k.Restrictions != nil, bitRestrictions)
	mark(k.Limits != nil, bitLimits)
	mark(k.UserLimits != nil, bitUserLimits)
	b = append(b, bits)
	for _, s := range []string{k.ID, k.Name, k.Slug, k.User} {
		b = appendText(b, s)
	}
	for _, ms := range []int64{k.NotBefore, k.ExpiresAt, k.SecretExpiresAt} {
		b = binary.AppendVarint(b, ms)
	}
	if g := k.Grants; g != nil {
		b = appendList(appendList(b, g.Groups), g.Scopes)
	}
	if r := k.Restrictions; r != nil {
		b = appendList(appendList(appendList(b, r.Hosts), r.Methods), r.Paths)
		networks := make([]string, len(r.CIDRs))
		for i, p := range r.CIDRs {
			networks[i] = p.String()
		}
		b = appendList(b, networks)
	}
	for _, l := range []*auth.Limits{k.Limits, k.UserLimits} {
		if l != nil {
			b = appendLimits(b, l)
		}
	}
	return b
}

func appendLimits(b []byte, l *auth.Limits) []byte {
	for _, n := range []int64{int64(l.Rate.Count), int64(l.Rate.Per), int64(l.Burst), int64(l.Quota.Count)} {
		b = binary.AppendVarint(b, n)
	}
	return appendText(b, l.Quota.Per)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendList(b []byte, list []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = appendText(b, s)
	}
	return b
}

var errNoKey = errors.New("not an encoded key")

// parseKey reads what appendKey has written, all of it and nothing else.
func parseKey(s string) (*auth.Key, error) {
	p := &parser{rest: s}
	bits := p.bits()
	has := func(bit byte) bool { return bits&bit != 0 }
	k := &auth.Key{
		Active: has(bitActive), UserActive: has(bitUserActive), Revoked: has(bitRevoked), Overridden: has(bitOverridden),
		ID: p.text(), Name: p.text(), Slug: p.text(), User: p.text(),
		NotBefore: p.number(), ExpiresAt: p.number(), SecretExpiresAt: p.number(),
	}
	if has(bitGrants) {
		groups, scopes := p.list(), p.list()
		k.Grants = auth.NewGrants(groups, scopes)
	}
	if has(bitRestrictions) {
		k.Restrictions = &auth.Restrictions{Hosts: p.list(), Methods: p.list(), Paths: p.list(), CIDRs: p.networks()}
	}
	if has(bitLimits) {
		k.Limits = p.limits()
	}
	if has(bitUserLimits) {
		k.UserLimits = p.limits()
	}
	if p.broken || p.rest != "" {
		return nil, errNoKey
	}
	k.Encode()
	return k, nil
}

// parser reads from the front of rest. Once broken it reads nothing but zeros.
type parser struct {
	rest   string
	broken bool
}

func (p *parser) bits() byte {
	if p.rest == "" {
		p.broken = true
		return 0
	}
	b := p.rest[0]
	p.rest = p.rest[1:]
	return b
}

func (p *parser) number() int64 {
	n, size := binary.Varint([]byte(p.rest[:min(len(p.rest), binary.MaxVarintLen64)]))
	if !p.skip(size) {
		return 0
	}
	return n
}

// length is that of a text, or the number of texts: what is left has a byte for each.
func (p *parser) length() int {
	n, size := binary.Uvarint([]byte(p.rest[:min(len(p.rest), binary.MaxVarintLen64)]))
	if !p.skip(size) || n > uint64(len(p.rest)) {
		p.broken = true
		return 0
	}
	return int(n)
}

func (p *parser) skip(size int) bool {
	if p.broken || size <= 0 {
		p.broken = true
		return false
	}
	p.rest = p.rest[size:]
	return true
}

func (p *parser) text() string {
	n := p.length()
	s := p.rest[:n]
	p.rest = p.rest[n:]
	return s
}

// list is nil where it is empty, as in a key that was read from the store.
func (p *parser) list() []string {
	var list []string
	for range p.length() {
		if p.broken {
			break
		}
		list = append(list, p.text())
	}
	return list
}

func (p *parser) limits() *auth.Limits {
	l := &auth.Limits{}
	l.Rate.Count, l.Rate.Per, l.Burst = int(p.number()), time.Duration(p.number()), int(p.number())
	l.Quota.Count, l.Quota.Per = int(p.number()), p.text()
	p.broken = p.broken || l.Validate() != nil // its meaning is looked up when a request is counted
	return l
}

func (p *parser) networks() []netip.Prefix {
	var list []netip.Prefix
	for _, s := range p.list() {
		network, err := netip.ParsePrefix(s)
		p.broken = p.broken || err != nil
		list = append(list, network)
	}
	return list
}
