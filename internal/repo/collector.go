package repo

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"authd/internal/auth"
)

// Collector tells how many keys are in which state, and how many are about to expire. It
// counts when it is scraped, at most once in countEvery: counting reads every record.
type Collector struct {
	store           Keys
	state, expiring *prometheus.Desc

	mu      sync.Mutex
	counted *tally // nil: the store could not be asked
	at      time.Time
}

type tally struct {
	byState  map[string]int
	expiring int
}

const (
	countEvery   = 30 * time.Second
	countTimeout = 2 * time.Second
	// expiringWithin is how far authd_keys_expiring looks ahead.
	expiringWithin = 7 * 24 * time.Hour
)

// NewCollector makes the collector of authd_keys and authd_keys_expiring; the caller registers it.
func NewCollector(store Keys) *Collector {
	return &Collector{
		store: store,
		state: prometheus.NewDesc("authd_keys",
			"Keys by state, as of the last half minute; absent while the store can't be asked. Many expired or disabled ones are worth a clean-up.",
			[]string{"state"}, nil),
		expiring: prometheus.NewDesc("authd_keys_expiring",
			"Active keys that expire within seven days, counted with authd_keys. Their requests will be answered 401: authd keys list --expiring 7d names them; move their end, or hand out new ones.",
			nil, nil),
	}
}

// Describe is prometheus.Collector's.
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.state
	ch <- c.expiring
}

// Collect is prometheus.Collector's.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	counted := c.count()
	if counted == nil {
		return
	}
	for _, state := range auth.States {
		ch <- prometheus.MustNewConstMetric(c.state, prometheus.GaugeValue, float64(counted.byState[state]), state)
	}
	ch <- prometheus.MustNewConstMetric(c.expiring, prometheus.GaugeValue, float64(counted.expiring))
}

// count is nil where the store can't be asked.
func (c *Collector) count() *tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if now.Sub(c.at) < countEvery {
		return c.counted
	}
	c.counted, c.at = c.ask(now), now
	return c.counted
}

func (c *Collector) ask(now time.Time) *tally {
	ctx, cancel := context.WithTimeout(context.Background(), countTimeout)
	defer cancel()
	byState, err := c.store.CountKeys(ctx, now)
	if err != nil {
		return nil
	}
	expiring, err := c.store.CountExpiring(ctx, now, now.Add(expiringWithin))
	if err != nil {
		return nil
	}
	return &tally{byState, expiring}
}
