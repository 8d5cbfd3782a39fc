package cache

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"authd/internal/auth"
	"authd/internal/tracing"
)

// Store is what the cache needs of what is behind it.
type Store interface {
	auth.Finder
	Log
}

// Backend passes everything on to a store, and measures it.
type Backend struct {
	next Store
	up   prometheus.Gauge

	lookup, changes, acknowledge, register prometheus.Observer
}

// Observe measures a store under the name of its kind: "sqlite", "postgres".
func Observe(next Store, kind string, reg prometheus.Registerer) *Backend {
	up, op := BackendMetrics(kind, reg)
	return &Backend{
		next: next, up: up,
		lookup: op("lookup"), changes: op("changes"), acknowledge: op("acknowledge"), register: op("register"),
	}
}

// BackendMetrics are those of one kind of backend, in vectors that all kinds share.
func BackendMetrics(kind string, reg prometheus.Registerer) (prometheus.Gauge, func(op string) prometheus.Observer) {
	up := registered(reg, prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "authd_backend_up",
		Help: "Whether the last request to the backend was answered. At 0 look at the backend and at this replica's log.",
	}, []string{"backend"}))
	took := registered(reg, prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "authd_backend_request_duration_seconds",
		Help:    "Time that the backend took. Slow look-ups make cold requests slow; warm ones never ask it.",
		Buckets: []float64{.00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1},

		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour,
	}, []string{"backend", "op"}))
	return up.WithLabelValues(kind), func(op string) prometheus.Observer { return took.WithLabelValues(kind, op) }
}

// registered is c, or the one like it that was registered before.
func registered[C prometheus.Collector](reg prometheus.Registerer, c C) C {
	err := reg.Register(c)
	var before prometheus.AlreadyRegisteredError
	if errors.As(err, &before) {
		return before.ExistingCollector.(C)
	}
	if err != nil {
		panic(err) // a mistake in the code, as with MustRegister
	}
	return c
}

// note records one request. An answer that says no is an answer.
func (b *Backend) note(op prometheus.Observer, began time.Time, err error) {
	op.Observe(time.Since(began).Seconds())
	switch {
	case err == nil || errors.Is(err, auth.ErrKeyNotFound):
		b.up.Set(1)
	case !errors.Is(err, context.Canceled):
		b.up.Set(0)
	}
}

// ByDigest is the store's.
func (b *Backend) ByDigest(ctx context.Context, d auth.Digest) (*auth.Key, error) {
	ctx, end := tracing.Step(ctx, "store lookup")
	began := time.Now()
	k, err := b.next.ByDigest(ctx, d)
	b.note(b.lookup, began, err)
	end(err)
	return k, err
}

// ByName is the store's.
func (b *Backend) ByName(ctx context.Context, name string) (*auth.Key, error) {
	ctx, end := tracing.Step(ctx, "store lookup")
	began := time.Now()
	k, err := b.next.ByName(ctx, name)
	b.note(b.lookup, began, err)
	end(err)
	return k, err
}

// Changes is the store's.
func (b *Backend) Changes(ctx context.Context, after int64, limit int) ([]auth.Change, error) {
	began := time.Now()
	c, err := b.next.Changes(ctx, after, limit)
	b.note(b.changes, began, err)
	return c, err
}

// LastChange is the store's.
func (b *Backend) LastChange(ctx context.Context) (int64, error) {
	began := time.Now()
	n, err := b.next.LastChange(ctx)
	b.note(b.changes, began, err)
	return n, err
}

// Woken is the store's.
func (b *Backend) Woken() <-chan struct{} { return b.next.Woken() }

// Register is the store's.
func (b *Backend) Register(ctx context.Context, r auth.Replica) error {
	began := time.Now()
	err := b.next.Register(ctx, r)
	b.note(b.register, began, err)
	return err
}

// Acknowledge is the store's.
func (b *Backend) Acknowledge(ctx context.Context, id string, applied int64) (bool, error) {
	began := time.Now()
	ok, err := b.next.Acknowledge(ctx, id, applied)
	b.note(b.acknowledge, began, err)
	return ok, err
}

// Unregister is the store's.
func (b *Backend) Unregister(ctx context.Context, id string) error {
	began := time.Now()
	err := b.next.Unregister(ctx, id)
	b.note(b.register, began, err)
	return err
}
