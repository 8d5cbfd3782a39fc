package load

import (
	"context"
	"time"
)

// Calls runs a load that is no HTTP/1.1: n workers make the call, each again
// when it has its answer. They are given their number, from zero.
func Calls(ctx context.Context, n int, b Bounds, call func(ctx context.Context, worker int) error) (*Result, error) {
	return workers(ctx, n, b, nil, func(r *run, i int, seen *Histogram) error {
		ctx, cancel := context.WithDeadline(ctx, r.start.Add(b.For+answerGrace))
		defer cancel()
		start := r.start
		for {
			if _, ok := r.begin(start); !ok {
				return nil
			}
			if err := call(ctx, i); err != nil {
				return err
			}
			now := time.Now()
			seen.Add(now.Sub(start))
			start = now
		}
	})
}
