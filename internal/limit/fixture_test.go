package limit_test

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"authd/internal/auth"
	"authd/internal/limit"
)

var _ auth.Limiter = (*limit.Local)(nil)

var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

func key(id string, l auth.Limits) *auth.Key { return &auth.Key{ID: id, Limits: &l} }

func rate(count int, per time.Duration) auth.Limits {
	return auth.Limits{Rate: auth.Rate{Count: count, Per: per}}
}

func quota(count int, per string) auth.Limits {
	return auth.Limits{Quota: auth.Quota{Count: count, Per: per}}
}

func local() *limit.Local { return limit.NewLocal(prometheus.NewRegistry()) }

type failer interface {
	Helper()
	Fatalf(string, ...any)
}

func take(t failer, l auth.Limiter, k *auth.Key, at time.Time) auth.LimitState {
	t.Helper()
	return takeRequest(t, l, k, at, "")
}

func takeRequest(t failer, l auth.Limiter, k *auth.Key, at time.Time, requestID string) auth.LimitState {
	t.Helper()
	s, err := l.Take(context.Background(), k, at, requestID)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return s
}

// passes takes n times and tells how many passed.
func passes(t failer, l auth.Limiter, k *auth.Key, at time.Time, n int) (passed int) {
	t.Helper()
	for range n {
		if take(t, l, k, at).Reason == auth.Allowed {
			passed++
		}
	}
	return passed
}

func wantPasses(t *testing.T, what string, l auth.Limiter, k *auth.Key, at time.Time, want int) {
	t.Helper()
	if got := passes(t, l, k, at, want+5); got != want {
		t.Errorf("%s: %d requests pass, want %d", what, got, want)
	}
}

// decided reads authd_limit_decisions_total.
func decided(t *testing.T, reg *prometheus.Registry, result, mode string) float64 {
	t.Helper()
	all, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range all {
		for _, m := range family.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if family.GetName() == "authd_limit_decisions_total" && labels["result"] == result && labels["mode"] == mode {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("nothing counts %s, %s", result, mode)
	return 0
}
