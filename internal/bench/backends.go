package main

import (
	"context"
	"errors"

	"authd/internal/bench/load"
	"authd/internal/bench/proc"
)

// postgresLookup is the series that a look-up in Postgres raises.
const postgresLookup = `authd_backend_request_duration_seconds_count{backend="postgres",op="lookup"}`

// measurePostgres compares a replica that asks Postgres for every key, of many and of few.
func measurePostgres(ctx context.Context, b *bench) (err error) {
	p, err := b.startPostgres(ctx)
	if err != nil {
		return err
	}
	few, err := p.fill(ctx, "few", fewKeys)
	if err != nil {
		return errors.Join(err, p.Stop())
	}
	many, err := p.fill(ctx, "many", b.many)
	if err != nil {
		return errors.Join(err, p.Stop())
	}
	misses := func(k *keyed) *field {
		return &field{authd: authdOn(k.url).with(remembersNothing), source: inTurn(k.secrets), asks: postgresLookup}
	}
	size, err := p.size(ctx, "many")
	if err != nil {
		return errors.Join(err, p.Stop())
	}
	b.printf("\n%d keys in Postgres, and %d, which take %.0f bytes each with all indexes\n", fewKeys, b.many, float64(size)/float64(b.many))
	return contest{
		name: "postgres", title: "Every request a look-up in Postgres, among many keys",
		set: func(context.Context, *bench) (*field, error) {
			f := misses(many)
			f.beside = []*proc.Process{p.Process}
			return f, nil
		},
		references: []rival{
			{title: "empty gin", launch: emptyGin, atMost: 4.5},
			{title: "gin, one SELECT", launch: reference("-postgres", many.url)},
			{title: "authd among few keys", field: misses(few), atMost: 1.3},
		},
	}.run(ctx, b)
}

// measureBoth compares a warm key of a replica that has Postgres and Redis with one of a replica that has
// neither.
func measureBoth(ctx context.Context, b *bench) error {
	alone, err := b.warmKey(ctx, plainQuestion)
	if err != nil {
		return err
	}
	p, err := b.startPostgres(ctx)
	if err != nil {
		return err
	}
	redis, at, err := b.startRedis()
	if err != nil {
		return errors.Join(err, p.Stop())
	}
	k, err := p.fill(ctx, "warm", fewKeys)
	if err != nil {
		return errors.Join(err, p.Stop(), redis.Stop())
	}
	return contest{
		name: "both", title: "A warm key, with Postgres and Redis",
		set: func(context.Context, *bench) (*field, error) {
			return &field{
				authd: authdOn(k.url).with(redisSettings(at)...), source: load.Always(request(nil, plainQuestion, k.secrets[0])),
				beside: []*proc.Process{p.Process, redis},
			}, nil
		},
		references: []rival{
			{title: "authd with SQLite alone", field: alone, atMost: 1.05},
			{title: "empty gin", launch: emptyGin, atMost: 1.50},
		},
	}.run(ctx, b)
}
