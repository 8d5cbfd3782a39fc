package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"authd/internal/auth"
	"authd/internal/bench/load"
	"authd/internal/bench/proc"
)

// floodCost is to be reached: what a good request costs beside a flood, over what it costs alone.
const floodCost = 1.2

// floods are the kinds of keys that nobody has.
var floods = []struct {
	name string
	key  func() auth.Secret
}{
	{"authd's own form, with the right checksum", func() auth.Secret { return auth.NewSecret(prefix) }},
	{"a foreign form", func() auth.Secret { return auth.RawSecret(uuid.NewString()) }},
}

// flooded is what good requests cost beside a flood.
type flooded struct {
	Flood string `json:"flood"`
	// Ratio is of a good request's processor time beside the flood to that alone: of what both cost together
	// the flood's share is what it costs alone.
	Ratio   spread  `json:"cpu_ratio"`
	Good    float64 `json:"good_per_second"`
	Alone   float64 `json:"good_alone_per_second"`
	Unknown float64 `json:"unknown_per_second"`
	Lookups float64 `json:"lookups_per_unknown"`
	// KnownLookups are look-ups in Postgres beyond one for each unknown key: a good key that was forgotten would be one.
	KnownLookups float64 `json:"lookups_of_good_keys"`
}

// measureFlood asks for a warm key on half of the connections, while the others ask for keys that nobody has.
func measureFlood(ctx context.Context, b *bench) (err error) {
	p, err := b.startPostgres(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	k, err := p.fill(ctx, "flood", fewKeys)
	if err != nil {
		return err
	}
	b.printf("\nA flood of unknown keys, beside good traffic on as many connections\n")
	for _, kind := range floods {
		f := &flooded{Flood: kind.name}
		var ratios []float64
		for range b.rounds {
			r, err := b.flood(ctx, authdOn(k.url), inTurn(k.secrets), unknown(kind.key), f)
			if err != nil {
				return fmt.Errorf("%s: %w", kind.name, err)
			}
			ratios = append(ratios, r)
		}
		f.Ratio = newSpread(ratios)
		b.printf("  %s: CPU of a good request, to that without the flood: %.2f (%.2f..%.2f)  %s\n",
			f.Flood, f.Ratio.Median, f.Ratio.Least, f.Ratio.Most, verdict(f.Ratio.Median, floodCost, "%.1f"))
		b.printf("    %.0f good requests a second beside %.0f unknown ones (%.0f alone); look-ups in Postgres: %.3f for an unknown key, %.0f of good keys\n",
			f.Good, f.Unknown, f.Alone, f.Lookups, f.KnownLookups)
		b.report.Flood = append(b.report.Flood, *f)
	}
	return nil
}

// unknown asks for another key each time.
func unknown(key func() auth.Secret) load.Source {
	return func(_ int64, buf []byte) []byte { return request(buf, plainQuestion, key()) }
}

// side is one kind of requests, on connections of its own.
type side struct {
	pool   *load.Pool
	source load.Source
	status int
}

func (s side) run(ctx context.Context, d time.Duration) (*load.Result, error) {
	return s.pool.Run(ctx, load.Bounds{For: d, Status: s.status}, s.source)
}

// flood measures one server of its own: good requests, the flood, and both.
func (b *bench) flood(ctx context.Context, l launch, good, bad load.Source, f *flooded) (ratio float64, err error) {
	s, err := b.start(ctx, l)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	var sides [2]side
	for i, source := range []load.Source{good, bad} {
		pool, err := load.Dial(ctx, s.at.verify, b.conns/2)
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, pool.Close()) }()
		sides[i] = side{pool, source, []int{http.StatusOK, http.StatusUnauthorized}[i]}
		if _, err := sides[i].run(ctx, b.warmup); err != nil {
			return 0, err
		}
	}
	alone, goodAlone, err := b.cost(ctx, s, sides[:1])
	if err != nil {
		return 0, err
	}
	flood, unknownAlone, err := b.cost(ctx, s, sides[1:])
	if err != nil {
		return 0, err
	}
	before, err := lookups(ctx, s)
	if err != nil {
		return 0, err
	}
	both, asked, err := b.cost(ctx, s, sides[:])
	if err != nil {
		return 0, err
	}
	after, err := lookups(ctx, s)
	if err != nil {
		return 0, err
	}
	nGood, nUnknown := float64(asked[0].Requests), float64(asked[1].Requests)
	f.Alone, f.Good, f.Unknown = goodAlone[0].PerSecond(), asked[0].PerSecond(), asked[1].PerSecond()
	f.Lookups, f.KnownLookups = (after-before)/nUnknown, max(0, after-before-nUnknown)
	share := micros(flood) / float64(unknownAlone[0].Requests) * nUnknown
	return (micros(both) - share) / nGood / (micros(alone) / float64(goodAlone[0].Requests)), nil
}

// cost is the server's processor time for what several sides ask at the same time.
func (b *bench) cost(ctx context.Context, s *running, sides []side) (cpu time.Duration, asked []*load.Result, err error) {
	time.Sleep(settle)
	before, err := proc.CPU(s.PID())
	if err != nil {
		return 0, nil, err
	}
	asked, errs := make([]*load.Result, len(sides)), make([]error, len(sides))
	var all sync.WaitGroup
	for i := range sides {
		all.Go(func() { asked[i], errs[i] = sides[i].run(ctx, b.span) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return 0, nil, err
	}
	time.Sleep(settle)
	after, err := proc.CPU(s.PID())
	return after - before, asked, err
}

// lookups are those that the server has made in Postgres so far.
func lookups(ctx context.Context, s *running) (float64, error) {
	all, err := scrape(ctx, s.at.metrics)
	return all[postgresLookup], err
}
