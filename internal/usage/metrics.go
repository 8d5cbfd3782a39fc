package usage

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	uncounted       prometheus.Counter
	written, failed prometheus.Counter
}

// newMetrics registers the metrics; every series is there from the start.
func newMetrics(reg prometheus.Registerer, waiting func() int64) (*metrics, error) {
	batches := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "authd_usage_batches_total",
		Help: "Writings of usage to the store. failed: the counts wait in memory, and are written once the store answers; the log tells why.",
	}, []string{"result"})
	m := &metrics{
		uncounted: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "authd_usage_uncounted_total",
			Help: "Requests of known keys that are missing in the usage, since too many secrets waited to be written. They were answered as ever. Above 0: the store was away for long, or is too slow for usage.flush.",
		}),
		written: batches.WithLabelValues("ok"), failed: batches.WithLabelValues("failed"),
	}
	gauge := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "authd_usage_waiting",
		Help: "Secrets whose usage waits to be written; what is lost if the process is killed now. At 65536 further secrets are not counted: see authd_usage_uncounted_total.",
	}, func() float64 { return float64(waiting()) })
	return m, errors.Join(reg.Register(batches), reg.Register(m.uncounted), reg.Register(gauge))
}
