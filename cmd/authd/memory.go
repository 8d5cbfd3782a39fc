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
)

// pace keeps the growth of the heap at the headroom until ctx ends. An
// operator who sets GOGC knows better.
func pace(ctx context.Context) {
	if _, set := os.LookupEnv("GOGC"); set {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	now := 100
	defer func() { debug.SetGCPercent(100) }()
	tick := time.NewTicker(paceEvery)
	defer tick.Stop()
	for {
		metrics.Read(live)
		if want := growth(live[0].Value.Uint64()); want < now*9/10 || want > now*11/10 {
			debug.SetGCPercent(want)
			now = want
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
