package observe

import (
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"authd/internal/answer"
	"authd/internal/auth"
)

// Metrics are what the deciding of requests tells of itself. No label holds anything that a client can choose.
type Metrics struct {
	verify   *prometheus.CounterVec
	duration prometheus.Histogram
	perKey   *perKey
}

// NewMetrics registers the metrics. mostSeries bounds the series by key.
func NewMetrics(reg prometheus.Registerer, mostSeries int, version string) (*Metrics, error) {
	keys := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "authd_key_requests_total",
		Help: "Requests by the key that they carried, where it is known. The first metrics.per_key series have names of their own, all further ones are counted as other: the sum is exact.",
	}, []string{"key", "user", "result"})
	m := &Metrics{
		verify: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "authd_verify_total",
			Help: "Answers to proxies. result=error is an outage: look at the store. reason tells exactly what the client is not told; unknown_proxy and unknown_policy mean that a proxy is configured with a path that authd does not know.",
		}, []string{"proxy", "policy", "result", "reason"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "authd_verify_duration_seconds",
			Help:    "Time from a request's header to its answer, within authd. Above 1 ms the key was not in memory: compare with authd_cache_lookups_total.",
			Buckets: []float64{.00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1},
			// Native buckets as well, for who scrapes them: each a tenth wider than the last.
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour,
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

// Unknown is the proxy or the policy of a question about one that is not configured.
const Unknown = "unknown"

// Route are the counters of one route, each looked up once.
type Route struct {
	vec           *prometheus.CounterVec
	proxy, policy string
	byReason      [auth.Reasons]atomic.Pointer[prometheus.Counter]
}

// NewRoute starts the counters that alerts watch at zero: a rate is
// blind to the first step of a series that was not there before.
func (m *Metrics) NewRoute(proxy, policy string) *Route {
	rc := &Route{vec: m.verify, proxy: proxy, policy: policy}
	for _, r := range []auth.Reason{auth.Allowed, auth.Unavailable} {
		rc.of(r)
	}
	return rc
}

func (rc *Route) of(r auth.Reason) prometheus.Counter {
	if r >= auth.Reasons {
		r = auth.Undecided
	}
	if c := rc.byReason[r].Load(); c != nil {
		return *c
	}
	c := rc.vec.WithLabelValues(rc.proxy, rc.policy, answer.Of(r).Result().String(), r.String())
	rc.byReason[r].Store(&c)
	return c
}

// Count counts a decision, and how long it took.
func (m *Metrics) Count(rc *Route, d *auth.Decision, took time.Duration) {
	rc.of(d.Reason).Inc()
	m.duration.Observe(took.Seconds())
	if d.Key != nil {
		m.perKey.of(d.Key, answer.Of(d.Reason).Result()).Inc()
	}
}

// Panicked counts a request that was denied because of a panic: its duration means nothing.
func (rc *Route) Panicked() { rc.of(auth.Undecided).Inc() }
