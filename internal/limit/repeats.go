package limit

import "time"

const (
	// remember is how long a request's id is known: a proxy that asks again does so at once, or after a time-out.
	remember = 5 * time.Second
	// mostRepeats is how often a request is answered again without being counted. A proxy asks again a time
	// or two. Should a client ever get an id of its own making through, that is all it gains.
	mostRepeats = 2
	// maxRequests bounds the ids that a shard remembers. The oldest is forgotten first, and counted again if it comes again.
	maxRequests = 1 << 10
)

// repeats remembers requests that have passed, by a hash of their key and id.
// The lock of its shard guards it.
type repeats struct {
	known map[uint64]*repeat
	ring  []uint64 // the same, the oldest at next once it is full
	next  int
}

type repeat struct {
	passed int64 // the moment
	again  int   // how often it has come since
}

// again reports whether this request has passed already, and need not be counted.
func (r *repeats) again(request uint64, now int64) bool {
	e := r.known[request]
	if e == nil || now-e.passed >= int64(remember) || now < e.passed-skew || e.again >= mostRepeats {
		return false
	}
	e.again++
	return true
}

// passed remembers a request that was counted. One that is known stays as it is while it
// is: more repetitions than there may be earn no further ones.
func (r *repeats) passed(request uint64, now int64) {
	if e := r.known[request]; e != nil {
		if now-e.passed >= int64(remember) || now < e.passed-skew {
			*e = repeat{passed: now}
		}
		return
	}
	if r.known == nil {
		r.known = map[uint64]*repeat{}
	}
	if len(r.ring) < maxRequests {
		r.ring = append(r.ring, request)
	} else {
		delete(r.known, r.ring[r.next])
		r.ring[r.next] = request
		r.next = (r.next + 1) % maxRequests
	}
	r.known[request] = &repeat{passed: now}
}
