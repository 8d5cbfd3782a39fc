package cache

import (
	"hash/maphash"
	"sync/atomic"

	"authd/internal/auth"
)

// known remembers, for every digest and every name, a change that is at least
// as late as the last one that touched it. It is a table of fixed size: what
// shares a bucket shares its changes, which costs a needless look-up now and
// then, and buys that nothing is ever forgotten (rule 11), that the table
// can't grow, and that reading it takes no lock.
type known struct {
	digests [knownBuckets]atomic.Int64
	names   [knownNames]atomic.Int64
	seed    maphash.Seed
}

const (
	knownBuckets = 1 << 16 // 512 KiB; a change makes one entry in 65,536 be looked up again
	knownNames   = 1 << 12
)

func newKnown() *known { return &known{seed: maphash.MakeSeed()} }

// digest is the bucket of a digest: those are uniform already.
func (k *known) digest(d auth.Digest) *atomic.Int64 {
	return &k.digests[uint(d[0])|uint(d[1])<<8]
}

func (k *known) name(s string) *atomic.Int64 {
	return &k.names[maphash.String(k.seed, s)%knownNames]
}

// learn raises what the change touches. It is called by the one poll at a time only.
func (k *known) learn(c auth.Change) {
	for _, d := range c.Digests {
		raise(k.digest(d), c.Seq)
	}
	for _, n := range c.Names {
		raise(k.name(n), c.Seq)
	}
}

// raise never lowers (rule 6).
func raise(to *atomic.Int64, seq int64) {
	if to.Load() < seq {
		to.Store(seq)
	}
}
