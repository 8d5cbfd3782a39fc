package limit

import (
	"time"

	"authd/internal/auth"
)

// entry is what was counted of a key, or of a user. Moments are Unix
// nanoseconds. The lock of its shard guards it.
type entry struct {
	id     string
	latest int64 // the moment of the last request, counted or refused
	bucket bucket
	used   int // requests in the window of the quota that latest lies in

	rest int64 // from when on nothing is left of what was counted
	due  int64 // when to look whether it is at rest
}

func newEntry(id string, now int64) *entry {
	return &entry{id: id, latest: now, bucket: bucket{since: now}, rest: now, due: now + linger}
}

// standing is how a request stands with one set of limits: zero waits let it pass.
type standing struct {
	rateWait, quotaWait int64
	length              time.Duration // of the quota's present window
}

func (s standing) passes() bool { return s.rateWait == 0 && s.quotaWait == 0 }

// judge tells whether both limits let a request pass. It counts nothing.
func (e *entry) judge(l *auth.Limits, at int64) standing {
	now := e.order(at)
	p, w := paceOf(l), windowAt(l.Quota, now)
	if e.latest < w.start {
		e.used = 0
	}
	if l.Rate.Count == 0 {
		e.bucket = bucket{since: now}
	}
	e.latest = now
	s := standing{e.bucket.wait(p, now), w.wait(e.used, now), w.length()}
	e.rest = max(e.bucket.rest(p), w.end)
	return s
}

// count takes a request off the limits that have just let it pass.
func (e *entry) count(l *auth.Limits) {
	if l.Rate.Count > 0 {
		e.bucket.spent++
		e.rest = max(e.rest, e.bucket.rest(paceOf(l)))
	}
	if l.Quota.Count > 0 {
		e.used++
	}
}

// skew is how far requests may overtake each other between the reading of the
// clock and the counting.
const skew = int64(time.Second)

// order returns the moment at which a request that came at now is counted.
// One that others have overtaken is counted with the last of them. A clock
// that is further back than that was set back, and what was counted goes back
// with it: nobody gets anything for it, nor waits for the old time to return.
func (e *entry) order(now int64) int64 {
	if now < e.latest-skew {
		e.bucket.since -= e.latest - now
		e.latest = now
	}
	return max(now, e.latest)
}
