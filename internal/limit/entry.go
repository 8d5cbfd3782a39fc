package limit

import (
	"time"

	"authd/internal/auth"
)

// entry is what was counted of a key. Moments are Unix nanoseconds. The lock
// of its shard guards it.
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

// take counts a request, if both limits let it pass.
func (e *entry) take(l *auth.Limits, at int64) auth.LimitState {
	now := e.order(at)
	p, w := paceOf(l), windowAt(l.Quota, now)
	if e.latest < w.start {
		e.used = 0
	}
	e.latest = now
	rateWait, quotaWait := e.bucket.wait(p, now), w.wait(e.used, now)
	passes := rateWait == 0 && quotaWait == 0
	if passes && l.Rate.Count > 0 {
		e.bucket.spent++
	}
	if passes && l.Quota.Count > 0 {
		e.used++
	}
	e.rest = max(e.bucket.rest(p), w.end)
	switch {
	case passes:
		return auth.LimitState{Reason: auth.Allowed}
	case rateWait > quotaWait:
		return refusal(auth.RateLimited, l, rateWait, w.length())
	}
	return refusal(auth.QuotaExceeded, l, quotaWait, w.length())
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
