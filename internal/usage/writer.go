package usage

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	// batchRows keeps a transaction short: on SQLite, replicas and changes wait for it.
	batchRows = 500
	// writeTime is what one writing is given, and the last one at the end as a whole.
	writeTime = 5 * time.Second
	// pruneEvery is how often is looked for what is old, about.
	pruneEvery = time.Hour
	pruneRows  = 1000
)

// Run writes until ctx ends, and then once more what is there.
func (r *Recorder) Run(ctx context.Context) error {
	tick := time.NewTicker(r.options.Flush)
	defer tick.Stop()
	r.prune = time.Now().Add(rand.N(pruneEvery))
	for {
		full := r.full
		if r.down {
			full = nil // what fails is tried again at the next tick, however full it is
		}
		select {
		case <-ctx.Done():
			r.last(context.WithoutCancel(ctx))
			return nil
		case <-full:
		case <-tick.C:
		}
		err := r.flush(ctx)
		if err == nil {
			err = r.pruneSome(ctx)
		}
		if ctx.Err() == nil {
			r.tell(err)
		}
	}
}

// flush writes what is there now. What comes meanwhile may be left to the next time.
func (r *Recorder) flush(ctx context.Context) error {
	for range r.table.size.Load()/batchRows + 2 {
		if r.pending == nil {
			b := r.table.take(batchRows)
			if len(b.Hours) == 0 {
				return nil
			}
			r.number++
			b.Writer, b.Number = r.writer, r.number
			r.pending = &b
		}
		if err := r.write(ctx); err != nil {
			return err
		}
	}
	return nil
}

// write gives the pending batch to the store, as often as it takes until the
// store says that it is written: the same one, which counts once.
func (r *Recorder) write(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	if err := r.store.AddUsage(ctx, *r.pending); err != nil {
		r.metrics.failed.Inc()
		return err
	}
	r.metrics.written.Inc()
	r.pending = nil
	return nil
}

// pruneSome removes a part of what is old, once it is time; the next part at the next tick.
func (r *Recorder) pruneSome(ctx context.Context) error {
	now := time.Now()
	if now.Before(r.prune) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	n, err := r.store.PruneUsage(ctx, now.Add(-r.options.Keep), pruneRows)
	if err == nil && n == 0 {
		r.prune = now.Add(pruneEvery/2 + rand.N(pruneEvery))
	}
	return err
}

// last writes what is there at the end. What can't be written then is lost.
func (r *Recorder) last(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	err := r.flush(ctx)
	if err == nil {
		return
	}
	lost := r.table.take(mostWaiting)
	requests := int64(0)
	for _, h := range append(lost.Hours, r.pending.Hours...) {
		requests += h.Total()
	}
	r.options.Log.Warn("usage could not be written at the end: these requests are missing in it", "requests", requests, "err", err)
}

// tell says in the log when writing fails, and when it is well again.
func (r *Recorder) tell(err error) {
	switch {
	case err != nil && !r.down:
		r.options.Log.Warn("usage can't be written; it waits in memory", "err", err, "waiting", r.table.size.Load())
	case err == nil && r.down:
		r.options.Log.Info("usage is written again")
	}
	r.down = err != nil
}
