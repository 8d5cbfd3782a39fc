package limit

import (
	"log/slog"
	"sync/atomic"
	"time"
)

// sayEvery is how often the log says that limits are not counted in Redis, at most.
const sayEvery = time.Minute

// awayLog tells that Redis does not count, once and then now and then: never for each request.
type awayLog struct {
	log  *slog.Logger
	fail string

	said   atomic.Int64 // when, in Unix nanoseconds
	unsaid atomic.Int64 // requests since
}

func (a *awayLog) note(now time.Time, err error) {
	a.unsaid.Add(1)
	last := a.said.Load()
	if since := now.UnixNano() - last; last != 0 && 0 <= since && since < int64(sayEvery) || !a.said.CompareAndSwap(last, now.UnixNano()) {
		return
	}
	a.log.Warn("requests of keys with limits are not counted in Redis", "limits.fail", a.fail, "requests", a.unsaid.Swap(0), "err", err)
}
