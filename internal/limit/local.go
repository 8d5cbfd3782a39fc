package limit

import (
	"context"
	"fmt"
	"hash/maphash"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"authd/internal/auth"
)

const (
	// shards is how many locks there are, so that keys seldom wait for each other.
	shards = 64
	// maxKeys bounds the keys that are counted at once, and so the memory: about 200 bytes each.
	maxKeys = 1 << 20
)

// Local is an auth.Limiter that counts in this process. It is safe for
// concurrent use, and runs nothing in the background.
//
// It remembers a key from its first request until it is at rest: its burst
// is whole again, and the window of its quota is over. Forgetting it then
// changes no answer. Keys that are not at rest are never forgotten: where
// maxKeys of them are in use, a further one gets an error, and so is neither
// allowed uncounted nor makes room for itself at the cost of another.
type Local struct {
	seed    maphash.Seed
	shards  [shards]shard
	decided [auth.Reasons]prometheus.Counter // of the reasons that Take gives
}

// NewLocal counts nothing yet.
func NewLocal(reg prometheus.Registerer) *Local { return newLocal(reg, maxKeys) }

func newLocal(reg prometheus.Registerer, most int) *Local {
	decisions := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "authd_limit_decisions_total",
		Help: "Requests of keys that have limits, by what came of it. mode=local: each process counts by itself. Many rate_limited or quota_exceeded: authd_key_requests_total{result=\"limited\"} tells whose.",
	}, []string{"result", "mode"})
	reg.MustRegister(decisions)
	l := &Local{seed: maphash.MakeSeed(), decided: [auth.Reasons]prometheus.Counter{
		auth.Allowed:       decisions.WithLabelValues("allowed", "local"),
		auth.RateLimited:   decisions.WithLabelValues("rate_limited", "local"),
		auth.QuotaExceeded: decisions.WithLabelValues("quota_exceeded", "local"),
	}}
	for i := range l.shards {
		l.shards[i].most = most / shards
		l.shards[i].entries = map[string]*entry{}
	}
	return l
}

// Take counts a request of a key that has limits, or refuses it. It never waits for anything but a lock.
func (l *Local) Take(_ context.Context, k *auth.Key, now time.Time) (auth.LimitState, error) {
	if err := k.Limits.Validate(); err != nil {
		return auth.LimitState{}, fmt.Errorf("limits that can't be counted: %w", err)
	}
	state, err := l.shards[maphash.String(l.seed, k.ID)%shards].take(k, now)
	if err != nil {
		return auth.LimitState{}, err
	}
	l.decided[state.Reason].Inc()
	return state, nil
}
