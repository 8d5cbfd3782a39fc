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
	m := &Metrics{
		verify: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "authd_verify_total",
			Help: "Answers to proxies. result=error is an outage: look at the store. result=would_deny has passed, and a policy with shadow: true would have denied it for this reason: authd explain tells what would have to change. reason tells exactly what the client is not told; unknown_proxy and unknown_policy mean that a proxy is configured with a path that authd does not know.",
		}, []string{"proxy", "policy", "result", "reason"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "authd_verify_duration_seconds",
			Help:    "Time from a request's header to its answer, within authd. Above 1 ms the key was not in memory: compare with authd_cache_lookups_total.",
			Buckets: []float64{.00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1},
			// Native buckets as well, for who scrapes them: each a tenth wider than the last.
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour,
		}),
		perKey: newPerKey(mostSeries),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "authd_build_info",
		Help:        "Always 1; the labels tell what is running. Different versions side by side: a rollout is under way, or stuck.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	})
	build.Set(1)
	var errs []error
	for _, c := range []prometheus.Collector{m.verify, m.duration, m.perKey, build} {
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
	byWould       [auth.Reasons]atomic.Pointer[prometheus.Counter] // of what passed, by what a shadow objects to
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
	return rc.once(&rc.byReason[r], answer.Of(r).Result(), r)
}

// ofDecision counts an answer once: what a shadow objects to is counted as that.
func (rc *Route) ofDecision(d *auth.Decision) prometheus.Counter {
	if answer.ResultOf(d) == answer.WouldDeny {
		r := min(d.Would, auth.Reasons-1)
		return rc.once(&rc.byWould[r], answer.WouldDeny, r)
	}
	return rc.of(d.Reason)
}

// once looks a counter up once.
func (rc *Route) once(p *atomic.Pointer[prometheus.Counter], as answer.Result, r auth.Reason) prometheus.Counter {
	if c := p.Load(); c != nil {
		return *c
	}
	c := rc.vec.WithLabelValues(rc.proxy, rc.policy, as.String(), r.String())
	p.Store(&c)
	return c
}

// Count counts a decision, and how long it took. traceID is that of the request's trace where it is sampled, or empty.
func (m *Metrics) Count(rc *Route, d *auth.Decision, took time.Duration, traceID string) {
	rc.ofDecision(d).Inc()
	if traceID == "" {
		m.duration.Observe(took.Seconds())
	} else {
		m.duration.(prometheus.ExemplarObserver).ObserveWithExemplar(took.Seconds(), prometheus.Labels{"trace_id": traceID})
	}
	if d.Key != nil {
		m.perKey.count(d.Key, answer.ResultOf(d))
	}
}

// Panicked counts a request that was denied because of a panic: its duration means nothing.
func (rc *Route) Panicked() { rc.of(auth.Undecided).Inc() }
