package auth

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"sync"
)

// Digest is the only permanent form of a key: HMAC-SHA-256 under a pepper, or
// plain SHA-256 where there is none. 32 bytes.
type Digest [sha256.Size]byte

// Equal compares in constant time.
func (d Digest) Equal(o Digest) bool { return subtle.ConstantTimeCompare(d[:], o[:]) == 1 }

// String is lower-case hex.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// ParseDigest reads 64 hex digits.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(d) {
		return d, errors.New("not a digest: 64 hex digits are wanted")
	}
	copy(d[:], b)
	return d, nil
}

// NoPepper is the id of plain SHA-256.
const NoPepper = "none"

// MinPepper is the least length of a pepper, in bytes.
const MinPepper = 16

// Pepper is a secret of the deployment that goes into each digest, so that a
// stolen database alone can't be searched for keys. The zero value is plain SHA-256.
type Pepper struct {
	id     string
	pool   *sync.Pool // of *macState; the pepper's bytes are nowhere else but in derive, lest reflection print them
	derive func(label string) ([]byte, error)
}

// NewPepper takes the pepper's bytes. Its id is derived from them, so that
// nobody has to name it and two deployments agree.
func NewPepper(b []byte) (Pepper, error) {
	if len(b) < MinPepper {
		return Pepper{}, fmt.Errorf("a pepper has at least %d bytes, this one %d", MinPepper, len(b))
	}
	b = bytes.Clone(b)
	mac := hmac.New(sha256.New, b)
	mac.Write([]byte("authd pepper id"))
	p := Pepper{id: hex.EncodeToString(mac.Sum(nil)[:4])}
	p.pool = &sync.Pool{New: func() any { return &macState{mac: hmac.New(sha256.New, b)} }}
	p.derive = func(label string) ([]byte, error) {
		return hkdf.Key(sha256.New, b, []byte("authd derive"), label, sha256.Size)
	}
	return p, nil
}

// Derive makes a key for the purpose that label names; nil without a pepper.
//
// It is HKDF, where the pepper is not the key of the HMAC but its input: a
// digest is the HMAC under the pepper of whatever somebody sends as a key, and
// digests are seen by others. None of them can be made to be a derived key.
func (p Pepper) Derive(label string) ([]byte, error) {
	if p.derive == nil {
		return nil, nil
	}
	return p.derive(label)
}

// ID names the pepper; [NoPepper] for plain SHA-256.
func (p Pepper) ID() string {
	if p.pool == nil {
		return NoPepper
	}
	return p.id
}

// Format keeps the pepper's bytes out of whatever prints it.
func (p Pepper) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "pepper %s", p.ID()) }

// macState is an HMAC with room for its input and output, so that a digest allocates nothing.
type macState struct {
	mac hash.Hash
	in  [MaxSecret]byte
	out [sha256.Size]byte
}

// Digest returns the digest of a key. Keys have at most MaxSecret bytes: those
// who take them in see to it.
func (p Pepper) Digest(s Secret) Digest {
	raw := s.Reveal()
	if p.pool == nil {
		var in [MaxSecret]byte
		return sha256.Sum256(append(in[:0], raw...))
	}
	st := p.pool.Get().(*macState)
	for rest := raw; rest != ""; {
		n := copy(st.in[:], rest)
		st.mac.Write(st.in[:n])
		rest = rest[n:]
	}
	d := Digest(st.mac.Sum(st.out[:0]))
	clear(st.in[:min(len(raw), MaxSecret)])
	st.mac.Reset() // here, so that nothing of the key waits in the pool
	p.pool.Put(st)
	return d
}

// Digester knows the prefix of own keys and the peppers that are tried.
type Digester struct {
	prefix  string
	peppers []Pepper
}

// TriedPeppers is how many peppers a request is tried under.
const TriedPeppers = 2

// NewDigester takes the peppers, the current one first. Plain SHA-256 comes
// after them all; the first TriedPeppers of that list count, so that giving
// a first pepper, and later changing it, locks nobody out. One that is given
// twice counts once.
func NewDigester(prefix string, peppers ...Pepper) *Digester {
	d := &Digester{prefix: prefix}
	for _, p := range append(slices.Clone(peppers), Pepper{}) {
		if len(d.peppers) < TriedPeppers && !d.Tries(p.ID()) {
			d.peppers = append(d.peppers, p)
		}
	}
	return d
}

// Prefix is what own keys begin with.
func (d *Digester) Prefix() string { return d.prefix }

// Current is the pepper that new keys are digested under.
func (d *Digester) Current() Pepper { return d.peppers[0] }

// Tried lists the peppers in the order in which a request is tried.
func (d *Digester) Tried() []Pepper { return d.peppers }

// Tries reports whether digests under the pepper of this id are looked for.
func (d *Digester) Tries(id string) bool {
	for _, p := range d.peppers {
		if p.ID() == id {
			return true
		}
	}
	return false
}
