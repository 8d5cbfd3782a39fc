package limit

import (
	"github.com/prometheus/client_golang/prometheus"

	"authd/internal/auth"
)

// Who decided.
const (
	modeRedis  = "redis"  // all processes together
	modeLocal  = "local"  // this process alone
	modeOpen   = "open"   // nobody: Redis was away
	modeClosed = "closed" // the same
)

// decisions counts what came of requests, by who decided.
type decisions struct{ vec *prometheus.CounterVec }

func newDecisions(reg prometheus.Registerer) decisions {
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "authd_limit_decisions_total",
		Help: "Requests of keys or users that have limits, by what came of it and who counted. mode=local: each process counts by itself. mode=open or closed: Redis was away, and limits.fail decided. result=repeated: asked again by a proxy, and counted once. Many rate_limited or quota_exceeded: authd_key_requests_total{result=\"limited\"} tells whose.",
	}, []string{"result", "mode"})
	reg.MustRegister(vec)
	return decisions{vec}
}

func (d decisions) of(result, mode string) prometheus.Counter {
	return d.vec.WithLabelValues(result, mode)
}

// tally is one mode's, where requests are counted.
type tally struct {
	decided               [auth.Reasons]prometheus.Counter // of the reasons that Take gives
	repeated, unavailable prometheus.Counter
}

func (d decisions) tally(mode string) tally {
	return tally{
		decided: [auth.Reasons]prometheus.Counter{
			auth.Allowed:       d.of("allowed", mode),
			auth.RateLimited:   d.of("rate_limited", mode),
			auth.QuotaExceeded: d.of("quota_exceeded", mode),
		},
		repeated:    d.of("repeated", mode),
		unavailable: d.of("unavailable", mode),
	}
}
