package cache

import (
	"encoding/binary"

	"github.com/maypok86/otter/v2"

	"authd/internal/auth"
)

// packed holds all known keys in few bytes: a key that is unpacked takes twice as many, in
// pieces that the garbage collector has to walk through. Local unpacks those that are in use.
type packed struct {
	// A digest's first 8 bytes name it, for a quarter of the room; whose the key is says the value.
	all *otter.Cache[uint64, packedKey]
}

type packedKey struct {
	grants *auth.Grants // shared, and so as good as nothing
	rest   string       // digest, stamp, expiry in Unix milliseconds (8 bytes each), and what appendKey writes of a key without grants
}

// unpackedKeys is how many keys are kept unpacked, at most.
const unpackedKeys = 1 << 13

const packedHeader = len(auth.Digest{}) + 8 + 8

func newPacked(most int) packed {
	return packed{otter.Must(&otter.Options[uint64, packedKey]{MaximumSize: most})}
}

func (p packed) get(d auth.Digest) *entry {
	v, ok := p.all.GetIfPresent(short(d))
	if !ok || v.rest[:len(d)] != string(d[:]) {
		return nil
	}
	key, err := parseKey(v.rest[packedHeader:])
	if err != nil {
		return nil // it can't happen: set wrote it. If it did, the store would be asked.
	}
	key.Digest, key.Grants = d, v.grants
	number := func(at int) int64 { return int64(binary.BigEndian.Uint64([]byte(v.rest[at : at+8]))) }
	return &entry{key: key, stamp: number(len(d)), expiresAt: number(len(d) + 8)}
}

func (p packed) set(d auth.Digest, e *entry) {
	var room [512]byte
	b := append(room[:0], d[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.stamp))
	b = binary.BigEndian.AppendUint64(b, uint64(e.expiresAt))
	k := *e.key
	k.Grants = nil
	p.all.Set(short(d), packedKey{e.key.Grants, string(appendKey(b, &k))})
}

func (p packed) invalidate(d auth.Digest) { p.all.Invalidate(short(d)) }

func (p packed) size() int { return p.all.EstimatedSize() }

func short(d auth.Digest) uint64 { return binary.BigEndian.Uint64(d[:]) }
