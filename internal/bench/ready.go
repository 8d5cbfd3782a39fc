package main

import (
	"context"
	"time"
)

// readyWithin is to be reached with 100,000 keys in SQLite.
const readyWithin = 300 // ms

// ready is the time from the start of the process to its first 200 on /readyz, in ms.
type ready struct {
	Keys   int `json:"keys"`
	Starts int `json:"starts"`
	spread
}

func measureReady(ctx context.Context, b *bench) error {
	f, err := b.fill(ctx)
	if err != nil {
		return err
	}
	var times []float64
	for range b.starts {
		s, err := b.start(ctx, authd(f.database))
		if err != nil {
			return err
		}
		if err := s.Stop(); err != nil {
			return err
		}
		times = append(times, float64(s.ready)/float64(time.Millisecond))
	}
	r := &ready{Keys: b.keys, Starts: b.starts, spread: newSpread(times)}
	b.printf("\nReady with %d keys in SQLite, from the start of the process, %d times\n", r.Keys, r.Starts)
	b.printf("  median %.0f ms, %.0f..%.0f ms  %s\n", r.Median, r.Least, r.Most, verdict(r.Median, readyWithin, "%.0f ms"))
	b.report.Ready = r
	return nil
}
