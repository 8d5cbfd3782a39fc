package repo

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"authd/internal/auth"
)

// durabilityCollector tells what a change outlives once it is confirmed. The database can be set otherwise at any
// time, so it is asked at each scrape.
type durabilityCollector struct {
	store Kept
	desc  *prometheus.Desc
}

// durabilityTimeout bounds how long a scrape waits for it.
const durabilityTimeout = time.Second

// NewDurabilityCollector makes the collector of authd_store_durability; the caller registers it.
func NewDurabilityCollector(store Kept) prometheus.Collector {
	return &durabilityCollector{store, prometheus.NewDesc("authd_store_durability",
		"1 for what a confirmed change is in once it has answered: memory, disk, or a standby as well; absent while the store can't be asked. In memory, a crash may take a revocation back; on one disk, a fail-over may.",
		[]string{"until"}, nil)}
}

// Describe is prometheus.Collector's.
func (c *durabilityCollector) Describe(ch chan<- *prometheus.Desc) { ch <- c.desc }

// Collect is prometheus.Collector's.
func (c *durabilityCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), durabilityTimeout)
	defer cancel()
	found, err := c.store.Durability(ctx)
	if err != nil {
		return
	}
	for _, d := range auth.Durabilities {
		value := 0.0
		if d == found {
			value = 1
		}
		ch <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, value, string(d))
	}
}
