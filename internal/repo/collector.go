package repo

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"authd/internal/auth"
)

// Collector tells how many keys are in which state. It counts when it is
// scraped, at most once in countEvery: counting reads every record.
type Collector struct {
	store Keys
	desc  *prometheus.Desc

	mu     sync.Mutex
	counts map[string]int
	at     time.Time
}

const (
	countEvery   = 30 * time.Second
	countTimeout = 2 * time.Second
)

// NewCollector makes the collector of authd_keys; the caller registers it.
func NewCollector(store Keys) *Collector {
	return &Collector{store: store, desc: prometheus.NewDesc("authd_keys",
		"Keys by state, as of the last half minute; absent while the store can't be asked. Many expired or disabled ones are worth a clean-up.",
		[]string{"state"}, nil)}
}

// Describe is prometheus.Collector's.
func (c *Collector) Describe(ch chan<- *prometheus.Desc) { ch <- c.desc }

// Collect is prometheus.Collector's.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	counts := c.count()
	if counts == nil {
		return
	}
	for _, state := range auth.States {
		ch <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, float64(counts[state]), state)
	}
}

// count is nil where the store can't be asked.
func (c *Collector) count() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if now.Sub(c.at) < countEvery {
		return c.counts
	}
	ctx, cancel := context.WithTimeout(context.Background(), countTimeout)
	defer cancel()
	counts, err := c.store.CountKeys(ctx, now)
	if err != nil {
		counts = nil
	}
	c.counts, c.at = counts, now
	return counts
}
