package cache

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"sync"

	"authd/internal/auth"
)

// A value in Redis is
//
//	version (1 byte), stamp (8), expiry in Unix milliseconds (8), the key, MAC (32)
//
// under the name authd:VERSION:DATABASE:DIGEST. Whoever changes the format raises
// the version: processes of both versions then share the Redis, and not the entries.
const (
	sharedVersion = 2
	headerLen     = 1 + 8 + 8
	macLen        = sha256.Size
	// maxValue bounds what is read at all; the largest key that authd makes is well below it.
	maxValue = 1 << 20
)

// sealer makes values of entries, and entries of the values that it or its like has made. Its
// MAC covers the name under which a value stands, so that one that was moved is none.
type sealer struct {
	prefix   string
	database [sha256.Size]byte
	macs     sync.Pool // of hash.Hash: an HMAC, or a plain hash where there is no pepper
}

// newSealer derives the MAC's key from the pepper.
func newSealer(p auth.Pepper, database string) (*sealer, error) {
	key, err := p.Derive("entries in Redis")
	if err != nil {
		return nil, fmt.Errorf("derive a key from the pepper: %w", err)
	}
	s := &sealer{database: sha256.Sum256([]byte(database))}
	s.prefix = fmt.Sprintf("authd:%d:%s:", sharedVersion, hex.EncodeToString(s.database[:8]))
	s.macs.New = func() any {
		if key == nil {
			return sha256.New()
		}
		return hmac.New(sha256.New, key)
	}
	return s, nil
}

func (s *sealer) name(d auth.Digest) string { return s.prefix + d.String() }

func (s *sealer) seal(d auth.Digest, e *entry) []byte {
	b := make([]byte, 0, 256)
	b = append(b, sharedVersion)
	b = binary.BigEndian.AppendUint64(b, uint64(e.stamp))
	b = binary.BigEndian.AppendUint64(b, uint64(e.expiresAt))
	b = appendKey(b, e.key)
	mac := s.mac(d, b)
	return append(b, mac[:]...)
}

// open reads a value that stood under the name of d. It takes what it gets from
// anybody: nothing is made of it before the MAC is right.
func (s *sealer) open(d auth.Digest, value []byte) (*entry, bool) {
	if len(value) < headerLen+macLen || len(value) > maxValue || value[0] != sharedVersion {
		return nil, false
	}
	body, given := value[:len(value)-macLen], value[len(value)-macLen:]
	if mac := s.mac(d, body); subtle.ConstantTimeCompare(mac[:], given) != 1 {
		return nil, false
	}
	key, err := parseKey(string(body[headerLen:]))
	if err != nil {
		return nil, false
	}
	key.Digest = d
	return &entry{
		key:       key,
		stamp:     int64(binary.BigEndian.Uint64(body[1:])),
		expiresAt: int64(binary.BigEndian.Uint64(body[9:])),
	}, true
}

func (s *sealer) mac(d auth.Digest, body []byte) (sum [macLen]byte) {
	h := s.macs.Get().(hash.Hash)
	h.Reset()
	h.Write(s.database[:])
	h.Write(d[:])
	h.Write(body)
	h.Sum(sum[:0])
	s.macs.Put(h)
	return sum
}
