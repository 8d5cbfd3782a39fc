package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// headroom is how much the heap may grow, in bytes, before it is collected again. Go's own
	// choice is what is live: next to nothing while few keys are cached, which costs processor
	// time, and twice the memory once there are many.
	headroom = 12 << 20
	// Bounds of the growth, in percent of what is live. With many keys the least one rules.
	leastGrowth, mostGrowth = 50, 400
	paceEvery               = time.Second
	// What is free is given back to the system once it is more than spare bytes and nothing was
	// collected for calm: Go keeps as much as it needed at the most, for a load that may be long over.
	spare = headroom / 4
	calm  = 2 * time.Second
)

// heap is what pace goes by.
type heap struct {
	live, free  uint64 // bytes; free ones the process holds and does not use
	collections uint64
}

func readHeap() heap {
	m := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/free:bytes"}, {Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(m)
	return heap{live: m[0].Value.Uint64(), free: m[1].Value.Uint64(), collections: m[2].Value.Uint64()}
}

// pace keeps the growth of the heap at the headroom until ctx ends, and what is free
// with the system where it was not needed of late. An operator who sets GOGC
// knows better.
func pace(ctx context.Context) {
	if _, set := os.LookupEnv("GOGC"); set {
		return
	}
	now := 100
	var calmly rest
	defer func() { debug.SetGCPercent(100) }()
	tick := time.NewTicker(paceEvery)
	defer tick.Stop()
	for {
		h := readHeap()
		if want := growth(h.live); want < now*9/10 || want > now*11/10 {
			debug.SetGCPercent(want)
			now = want
		}
		if calmly.over(h, time.Now()) {
			debug.FreeOSMemory()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// growth is the headroom in percent of what is live, in bytes.
func growth(live uint64) int {
	return int(min(max(headroom*100/max(live, 1), leastGrowth), mostGrowth))
}

// rest is since when nothing was collected.
type rest struct {
	collections uint64
	since       time.Time
}

// over reports whether there is something to give back, and nobody who needs it.
func (r *rest) over(h heap, now time.Time) bool {
	if h.collections != r.collections {
		*r = rest{h.collections, now}
	}
	return h.free > spare && now.Sub(r.since) >= calm
}
