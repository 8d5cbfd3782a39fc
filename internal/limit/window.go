package limit

import (
	"math"
	"time"

	"authd/internal/auth"
)

// window is the part of the calendar that a quota counts in, in Unix nanoseconds.
type window struct {
	start, end int64
	count      int
}

// windowAt is the one that now lies in. No quota is a window that is just
// over, with a count that nobody reaches.
func windowAt(q auth.Quota, now int64) window {
	start, end, ok := q.Window(time.Unix(0, now))
	if !ok {
		return window{start: now + 1, end: now, count: math.MaxInt}
	}
	return window{start.UnixNano(), end.UnixNano(), q.Count}
}

// wait is how long it is until a key that has used so many fits in; zero where it does.
func (w window) wait(used int, now int64) int64 {
	if used < w.count {
		return 0
	}
	return w.end - now
}

func (w window) length() time.Duration { return time.Duration(w.end - w.start) }
