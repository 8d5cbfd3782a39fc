package cache

import (
	"sync/atomic"
	"time"

	"authd/internal/auth"
)

// Standing is what a replica may answer from its memory.
type Standing int

const (
	// Lost answers nothing: the replica was given up, or was away for too long.
	Lost Standing = iota
	// Stale answers for the keys it knows, and nothing else: the store is away, and cache.outage is serve.
	Stale
	// Following answers: no change has been confirmed that this replica has not applied.
	Following
)

// String is the standing in one word.
func (s Standing) String() string {
	switch s {
	case Following:
		return "following"
	case Stale:
		return "stale"
	}
	return "lost"
}

// lease is the time of the last complete poll, and what follows from it.
type lease struct {
	length   time.Duration // D
	serve    bool          // cache.outage
	maxStale time.Duration
	from     atomic.Pointer[time.Time] // t0 of the last complete poll; nil: none, or given up
}

func newLease(r auth.Replica) *lease {
	return &lease{length: r.Lease, serve: r.Outage == auth.OutageServe, maxStale: r.MaxStale}
}

// age is the time since t0 by whichever clock has gone further. Go's monotonic
// clock stands still while the machine sleeps; the wall clock does not.
// Taking the larger counts suspended time at the cost of one needless poll
// when somebody sets the clock forward.
func age(t0, now time.Time) time.Duration {
	return max(now.Sub(t0), time.Duration(now.UnixNano()-t0.UnixNano()))
}

func (l *lease) standing(now time.Time) Standing {
	t0 := l.from.Load()
	if t0 == nil {
		return Lost
	}
	switch a := age(*t0, now); {
	case a < l.length:
		return Following
	case l.serve && a < l.maxStale:
		return Stale
	}
	return Lost
}

// remaining is how long the lease goes on; zero when it has run out.
func (l *lease) remaining(now time.Time) time.Duration {
	if t0 := l.from.Load(); t0 != nil {
		return max(0, l.length-age(*t0, now))
	}
	return 0
}

// extend sets the lease to begin at t0, the time before the poll's first read (rules 7 and 12).
func (l *lease) extend(t0 time.Time) { l.from.Store(&t0) }

// drop ends the lease and everything that could be answered under it.
func (l *lease) drop() { l.from.Store(nil) }
