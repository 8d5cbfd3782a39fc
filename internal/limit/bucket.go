package limit

import (
	"math"
	"time"

	"authd/internal/auth"
)

// pace is a rate as a bucket has it.
type pace struct {
	every int64 // nanoseconds that make up for one request
	burst int
}

// paceOf rounds up: it never allows more than the rate. No rate is a pace
// that nobody can keep up with.
func paceOf(l *auth.Limits) pace {
	if l.Rate.Count == 0 {
		return pace{every: 1, burst: math.MaxInt}
	}
	p := pace{every: (int64(l.Rate.Per) + int64(l.Rate.Count) - 1) / int64(l.Rate.Count), burst: l.Burst}
	if p.burst == 0 {
		p.burst = l.Rate.Count
	}
	return p
}

// bucket counts the requests of a rate. It counts requests, and not time, so
// that what it holds means the same under another rate.
type bucket struct {
	spent int   // requests that time has not made up for yet, as of since
	since int64 // when time began to make up for the first of them
}

// wait takes off what time has made up for, and returns how long it is until
// a request fits in; zero where one does. A burst that has become smaller than
// what was spent is spent, and no more than that.
func (b *bucket) wait(p pace, now int64) int64 {
	if n := (now - b.since) / p.every; n < int64(b.spent) {
		b.spent -= int(n)
		b.since += n * p.every
	} else {
		b.spent, b.since = 0, now
	}
	if b.spent = min(b.spent, p.burst); b.spent < p.burst {
		return 0
	}
	return b.since + p.every - now
}

// horizon bounds the time that a burst takes to be whole again, lest its end overflow.
const horizon = int64(100 * 365 * 24 * time.Hour)

// rest is when the burst is whole again.
func (b *bucket) rest(p pace) int64 {
	return b.since + min(int64(b.spent), horizon/p.every)*p.every
}
