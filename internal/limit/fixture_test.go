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

func take(t failer, l *limit.Local, k *auth.Key, at time.Time) auth.LimitState {
	t.Helper()
	s, err := l.Take(context.Background(), k, at)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return s
}

// passes takes n times and tells how many passed.
func passes(t failer, l *limit.Local, k *auth.Key, at time.Time, n int) (passed int) {
	t.Helper()
	for range n {
		if take(t, l, k, at).Reason == auth.Allowed {
			passed++
		}
	}
	return passed
}

func wantPasses(t *testing.T, what string, l *limit.Local, k *auth.Key, at time.Time, want int) {
	t.Helper()
	if got := passes(t, l, k, at, want+5); got != want {
		t.Errorf("%s: %d requests pass, want %d", what, got, want)
	}
}
