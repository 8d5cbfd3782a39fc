package soak

import (
	"math/rand/v2"
	"testing"

	"authd/internal/redistest"
)

// past is a Redis and what it held at several times.
type past struct {
	*redistest.Server
	held [][]byte
}

// remembered is how many times of Redis are kept.
const remembered = 8

// remember keeps what Redis holds now.
func (p *past) remember(t testing.TB) {
	t.Helper()
	p.held = append(p.held[max(0, len(p.held)-remembered+1):], p.Save(t))
}

func flushed(f *field, _ int, _ *rand.Rand) func() {
	f.redis.remember(f.t)
	f.redis.Flush(f.t)
	return func() {}
}

func suspended(f *field, _ int, _ *rand.Rand) func() {
	f.redis.remember(f.t)
	f.redis.Stop(f.t)
	return func() { f.redis.Again(f.t) }
}

func emptied(f *field, _ int, _ *rand.Rand) func() {
	f.redis.remember(f.t)
	f.redis.Kill()
	f.redis.Restore(f.t, nil)
	return func() { f.redis.Again(f.t) }
}

// relapsed has Redis hold again what it held some time ago: also what was revoked since.
func relapsed(f *field, _ int, rng *rand.Rand) func() {
	f.redis.remember(f.t)
	f.redis.Kill()
	f.redis.Restore(f.t, f.redis.held[rng.IntN(len(f.redis.held))])
	return func() { f.redis.Again(f.t) }
}

func numb(f *field, _ int, _ *rand.Rand) func() { return f.redis.Freeze() }
