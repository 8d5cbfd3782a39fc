package cache

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are what the cache and the feed tell of themselves.
type Metrics struct {
	reg                        prometheus.Registerer
	hit, negative, miss, stale prometheus.Counter
	lookups                    *prometheus.CounterVec
}

// NewMetrics registers the look-up counters; the gauges come with what they watch.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	lookups := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "authd_cache_lookups_total",
		Help: "Look-ups by cache layer and outcome. Many misses: raise cache.max_entries or cache.ttl. Any local stale: the store can't be followed, see authd_lease_remaining_seconds. Any redis invalid: somebody else writes to Redis, or replicas differ in their pepper.",
	}, []string{"layer", "outcome"})
	reg.MustRegister(lookups)
	return &Metrics{
		reg:      reg,
		lookups:  lookups,
		hit:      lookups.WithLabelValues("local", "hit"),
		negative: lookups.WithLabelValues("local", "negative"),
		miss:     lookups.WithLabelValues("local", "miss"),
		stale:    lookups.WithLabelValues("local", "stale"),
	}
}

func (m *Metrics) watch(l *Local) {
	for kind, size := range map[string]func() int{
		"known":   func() int { n, _ := l.size(); return n },
		"unknown": func() int { _, n := l.size(); return n },
	} {
		m.reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name:        "authd_cache_entries",
			Help:        "Entries in memory. At cache.max_entries the least used known ones make room; unknown ones have a space of their own.",
			ConstLabels: prometheus.Labels{"kind": kind},
		}, func() float64 { return float64(size()) }))
	}
}

// Watch registers the metrics of the feed. It comes before Run.
func (m *Metrics) Watch(f *Feed) {
	confirm := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "authd_change_confirm_seconds",
		Help:    "Time from when a change was logged, by the clock of the store, until this replica had acknowledged it. The slowest replica is what keys revoke --wait waits for: where one is slower than the others, look at its way to the store; where one is off by the same each time, at its clock.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},

		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour,
	})
	m.reg.MustRegister(confirm)
	f.confirmed = func(took time.Duration) { confirm.Observe(max(0, took).Seconds()) }
	gauge := func(name, help string, value func() float64) {
		m.reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	gauge("authd_lease_remaining_seconds",
		"How long this replica may answer from memory before it must have followed the change log again. At 0 cache.outage rules: look at the store.",
		func() float64 { return f.lease.remaining(time.Now()).Seconds() })
	gauge("authd_change_applied_seq",
		"The last change of the log that this replica has applied. Replicas that stay behind the highest one hold up confirmations.",
		func() float64 { return float64(f.Applied()) })
	gauge("authd_change_lag_seconds",
		"Time since this replica last followed the change log to its end. Beyond cache.lease it answers by cache.outage.",
		func() float64 { return f.sinceFollowed().Seconds() })
}
