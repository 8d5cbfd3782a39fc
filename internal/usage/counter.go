package usage

import (
	"sync/atomic"

	"authd/internal/auth"
)

// count is a number that many add to, until it is taken. Whoever takes it seals
// it; who adds later is told so, and nothing is lost or counted twice.
type count struct{ n atomic.Uint64 }

const sealed = 1 << 63

// add reports whether the count was still open.
func (c *count) add() bool { return c.n.Add(1) < sealed }

// take seals the count, and returns what it came to.
func (c *count) take() int64 { return int64(c.n.Swap(sealed)) }

// counter is what a secret was used for in an hour, since the last writing.
// Times are Unix milliseconds, 0 for none.
type counter struct {
	keyID               string
	first, last, denied atomic.Int64
	client              atomic.Uint64
	counts              [auth.Uses]count
}

// note counts a request, and reports false where the counter was taken
// meanwhile. The count comes last: what is counted has its times.
func (c *counter) note(u auth.Use, at int64, from network) bool {
	switch u {
	case auth.UseAllowed, auth.UseLimited:
		lower(&c.first, at)
		raise(&c.last, at)
	case auth.UseInvalid, auth.UseForbidden:
		raise(&c.denied, at)
	}
	if from != 0 && c.client.Load() != uint64(from) {
		c.client.Store(uint64(from))
	}
	return c.counts[u].add()
}

func raise(v *atomic.Int64, to int64) {
	for was := v.Load(); was < to && !v.CompareAndSwap(was, to); was = v.Load() {
	}
}

func lower(v *atomic.Int64, to int64) {
	for was := v.Load(); (was == 0 || was > to) && !v.CompareAndSwap(was, to); was = v.Load() {
	}
}

// take ends the counter, and returns what it has counted.
func (c *counter) take() (sum auth.UsageCounts) {
	for u := range c.counts {
		sum.Add(auth.Use(u), c.counts[u].take())
	}
	return sum
}

// use is when and from where the secret was used.
func (c *counter) use(d auth.Digest) auth.SecretUse {
	return auth.SecretUse{
		Digest: d, KeyID: c.keyID,
		FirstUsed: auth.FromMillis(c.first.Load()), LastUsed: auth.FromMillis(c.last.Load()), LastDenied: auth.FromMillis(c.denied.Load()),
		Client: network(c.client.Load()).String(),
	}
}
