package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"authd/internal/bench/load"
	"authd/internal/bench/proc"
)

// keysMemory is what the keys cached may cost, in MB for 100,000 of them.
const keysMemory = 60

// memory is what authd holds before and after it has answered for every key
// once, in MB.
type memory struct {
	Keys      int     `json:"keys"`
	RSSBefore float64 `json:"rss_before_mb"`
	RSSAfter  float64 `json:"rss_after_mb"`
	// HeapBefore and HeapAfter are what the heap holds, garbage included;
	// LiveAfter is what the last collection left, as the size tells at which the next one is due.
	HeapBefore float64 `json:"heap_before_mb"`
	HeapAfter  float64 `json:"heap_after_mb"`
	LiveAfter  float64 `json:"live_after_mb"`
	PerSecond  float64 `json:"misses_per_second"`
}

const (
	fillBound = 5 * time.Minute
	// rest lets the runtime return what it has no more use for; it does so in the background.
	rest = 10 * time.Second
)

func measureMemory(ctx context.Context, b *bench) (err error) {
	f, err := b.fill(ctx)
	if err != nil {
		return err
	}
	s, err := b.start(ctx, authd(f.database))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	pool, err := load.Dial(ctx, s.at.verify, b.conns)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	m := memory{Keys: b.keys}
	if _, m.RSSBefore, m.HeapBefore, err = weigh(ctx, s); err != nil {
		return err
	}
	res, err := pool.Run(ctx, load.Bounds{For: fillBound, Requests: int64(b.keys)}, f.eachOnce)
	if err != nil {
		return err
	}
	if res.Requests != int64(b.keys) {
		return fmt.Errorf("only %d of %d keys were asked for within %s", res.Requests, b.keys, fillBound)
	}
	m.PerSecond = res.PerSecond()
	time.Sleep(rest)
	after, rss, heap, err := weigh(ctx, s)
	if err != nil {
		return err
	}
	if cached := after[`authd_cache_entries{kind="known"}`]; cached < float64(b.keys) {
		return fmt.Errorf("%.0f of %d keys are cached", cached, b.keys)
	}
	m.RSSAfter, m.HeapAfter = rss, heap
	m.LiveAfter = after["go_memstats_next_gc_bytes"] / (1 + after["go_gc_gogc_percent"]/100) / 1e6
	m.print(b)
	b.report.Memory = &m
	return nil
}

// weigh reads what the server holds, RSS and heap in MB, and its metrics. RSS
// comes first: being asked for metrics costs memory too.
func weigh(ctx context.Context, s *running) (all map[string]float64, rss, heap float64, err error) {
	bytes, err := proc.RSS(s.PID())
	if err != nil {
		return nil, 0, 0, err
	}
	if all, err = scrape(ctx, s.at.metrics); err != nil {
		return nil, 0, 0, err
	}
	return all, megabytes(bytes), all["go_memstats_heap_alloc_bytes"] / 1e6, nil
}

func (m memory) print(b *bench) {
	b.printf("\nMemory of %d keys, each asked for once\n", m.Keys)
	grown := m.RSSAfter - m.RSSBefore
	b.printf("  RSS %.1f MB before, %.1f MB after: %.1f MB for the keys cached  %s\n",
		m.RSSBefore, m.RSSAfter, grown, verdict(grown, keysMemory*float64(m.Keys)/100_000, "%.0f MB"))
	b.printf("  Go heap %.1f MB before, %.1f MB after; live after the last collection: %.1f MB\n",
		m.HeapBefore, m.HeapAfter, m.LiveAfter)
	b.printf("  %.0f first requests a second, each a look-up in SQLite\n", m.PerSecond)
}
