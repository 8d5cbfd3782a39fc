package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"

	"authd/internal/auth"
	"authd/internal/bench/load"
	"authd/internal/bench/proc"
)

// startRedis starts one that keeps nothing on disk.
func (b *bench) startRedis() (p *proc.Process, at string, err error) {
	free, err := freeAddresses()
	if err != nil {
		return nil, "", err
	}
	_, port, err := net.SplitHostPort(free.verify)
	if err != nil {
		return nil, "", err
	}
	bin, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, "", fmt.Errorf("%w: this installs it: apt-get install -y --no-install-recommends redis-server", err)
	}
	p, err = proc.Start(b.path("redis.log"), environment(), bin, "--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no")
	return p, free.verify, err
}

// redisSettings have authd use a Redis. One that is slow on a busy machine is waited for: otherwise, what is
// measured is its absence.
func redisSettings(at string) []string {
	return []string{"AUTHD_REDIS_URL=redis://" + at, "AUTHD_REDIS_TIMEOUT=5s"}
}

// fewKeys are many more than a process that is told to remember one remembers.
const fewKeys = 1000

// remembersNothing has every request ask what is behind memory.
const remembersNothing = "AUTHD_CACHE_MAX_ENTRIES=1"

// inTurn is a load.Source that asks for each key as often as for any other, far apart.
func inTurn(secrets []auth.Secret) load.Source {
	const stride = 7919 // a prime, and so every key has its turn
	return func(n int64, buf []byte) []byte {
		return request(buf, plainQuestion, secrets[n*stride%int64(len(secrets))])
	}
}

// measureRedis compares a replica that finds every key in Redis, and none in memory.
func measureRedis(ctx context.Context, b *bench) error {
	var at string
	return contest{
		name: "redis", title: "Every request a hit in Redis",
		set: func(ctx context.Context, b *bench) (f *field, err error) {
			var p *proc.Process
			if p, at, err = b.startRedis(); err != nil {
				return nil, err
			}
			if f, err = b.inRedis(ctx, at); err != nil {
				return nil, errors.Join(err, p.Stop())
			}
			f.beside = append(f.beside, p)
			return f, nil
		},
		references: []rival{
			{title: "empty gin", launch: emptyGin, atMost: 3.4},
			{title: "gin, one GET", launch: referenceArgs(func() []string { return []string{"-redis", at} })},
		},
	}.run(ctx, b)
}

// inRedis is a database whose keys are all in Redis, since each was asked for once.
func (b *bench) inRedis(ctx context.Context, at string) (f *field, err error) {
	keys, err := b.stored(ctx, "redis.db", fewKeys)
	if err != nil {
		return nil, err
	}
	f = &field{
		authd: authd(keys.database).with(append(redisSettings(at), remembersNothing)...), source: inTurn(keys.secrets),
		asks: `authd_cache_lookups_total{layer="redis",outcome="hit"}`,
	}
	s, err := b.start(ctx, f.authd)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	pool, err := load.Dial(ctx, s.at.verify, 1)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	_, err = pool.Run(ctx, load.Bounds{For: fillBound, Requests: fewKeys}, f.source)
	return f, err
}
