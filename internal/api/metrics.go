package api

import (
	"errors"
	"net/http"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"authd/internal/auth"
)

// metrics are what /verify tells of itself. No label holds anything that a client can choose.
type metrics struct {
	verify   *prometheus.CounterVec
	duration prometheus.Histogram
	perKey   *perKey
}

func newMetrics(reg prometheus.Registerer, mostSeries int, version string) (*metrics, error) {
	keys := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "authd_key_requests_total",
		Help: "Requests by the key that they carried, where it is known. The first metrics.per_key series have names of their own, all further ones are counted as other: the sum is exact.",
	}, []string{"key", "user", "result"})
	m := &metrics{
		verify: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "authd_verify_total",
			Help: "Answers of /verify. result=error is an outage: look at the store. reason tells exactly what the client is not told; unknown_proxy and unknown_policy mean that a proxy is configured with a path that authd does not know.",
		}, []string{"proxy", "policy", "result", "reason"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "authd_verify_duration_seconds",
			Help:    "Time from a request's header to its answer, within authd. Above 1 ms the key was not in memory: compare with authd_cache_lookups_total.",
			Buckets: []float64{.00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1},
		}),
		perKey: newPerKey(keys, mostSeries),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "authd_build_info",
		Help:        "Always 1; the labels tell what is running. Different versions side by side: a rollout is under way, or stuck.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	})
	build.Set(1)
	var errs []error
	for _, c := range []prometheus.Collector{m.verify, m.duration, keys, build} {
		errs = append(errs, reg.Register(c))
	}
	return m, errors.Join(errs...)
}

// routeCounters are the counters of one route, each looked up once.
type routeCounters struct {
	vec           *prometheus.CounterVec
	proxy, policy string
	byReason      [auth.Reasons]atomic.Pointer[prometheus.Counter]
}

// newRouteCounters starts the counters that alerts watch at zero: a rate is
// blind to the first step of a series that was not there before.
func (m *metrics) newRouteCounters(proxy, policy string) *routeCounters {
	rc := &routeCounters{vec: m.verify, proxy: proxy, policy: policy}
	for _, r := range []auth.Reason{auth.Allowed, auth.Unavailable} {
		rc.of(r)
	}
	return rc
}

func (rc *routeCounters) of(r auth.Reason) prometheus.Counter {
	if r >= auth.Reasons {
		r = auth.Undecided
	}
	if c := rc.byReason[r].Load(); c != nil {
		return *c
	}
	c := rc.vec.WithLabelValues(rc.proxy, rc.policy, verdictOf(r).result().String(), r.String())
	rc.byReason[r].Store(&c)
	return c
}

func (m *metrics) count(rc *routeCounters, d *auth.Decision, took time.Duration) {
	rc.of(d.Reason).Inc()
	m.duration.Observe(took.Seconds())
	if d.Key != nil {
		m.perKey.of(d.Key, verdictOf(d.Reason).result()).Inc()
	}
}

// NewMetrics serves what is registered, as Prometheus reads it.
func NewMetrics(g prometheus.Gatherer) http.Handler {
	return promhttp.HandlerFor(g, promhttp.HandlerOpts{
		EnableOpenMetrics:   true,
		MaxRequestsInFlight: 10,
		Timeout:             10 * time.Second,
	})
}
