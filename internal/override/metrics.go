package override

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	sections *prometheus.GaugeVec
	reloads  *prometheus.CounterVec
	taken    prometheus.Gauge
}

// newMetrics registers the metrics; every series is there from the start.
func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		sections: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "authd_override_sections",
			Help: "Sections [api_key_NAME] by state. unmatched: no record has this name or slug, so the section does nothing; mend its name, create the record, or set standalone = true. unchecked: the store could not be asked. The log and authd config check name them.",
		}, []string{"state"}),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "authd_override_reload_total",
			Help: "Times that the override sections were read again. failed: they have faults, and the old ones stay in force; the log names every fault, mend them and save the file.",
		}, []string{"result"}),
		taken: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "authd_override_last_reload_successful",
			Help: "Whether the override sections in force are those of the files. 0: the files have faults, and older sections stay in force; the log names every fault.",
		}),
	}
	m.taken.Set(1)
	m.show(nil)
	m.reloads.WithLabelValues("ok")
	m.reloads.WithLabelValues("failed")
	return m, errors.Join(reg.Register(m.sections), reg.Register(m.reloads), reg.Register(m.taken))
}

func (m *metrics) show(all []Status) {
	count := map[State]int{}
	for _, s := range all {
		count[s.State]++
	}
	for _, state := range states {
		m.sections.WithLabelValues(string(state)).Set(float64(count[state]))
	}
}

func (m *metrics) reloaded(err error) {
	if err != nil {
		m.taken.Set(0)
		m.reloads.WithLabelValues("failed").Inc()
		return
	}
	m.taken.Set(1)
	m.reloads.WithLabelValues("ok").Inc()
}
