package limit_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"authd/internal/auth"
	"authd/internal/limit"
	"authd/internal/redisconn"
	"authd/internal/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// suite is what every limiter does. fresh is one that has counted nothing.
var suite = []struct {
	name string
	test func(t *testing.T, fresh func() auth.Limiter)
}{
	{"rate", testRate},
	{"retry after is exact", testRetryAfterIsExact},
	{"quota", testQuota},
	{"refused requests cost nothing", testRefusedRequestsCostNothing},
	{"keys are counted apart", testKeysAreCountedApart},
	{"fields", testFields},
	{"many at once", testManyAtOnce},
	{"changed limits", testChangedLimits},
	{"quota of less time forgets what was before", testQuotaOfLessTimeForgetsWhatWasBefore},
	{"clock set back", testClockSetBack},
	{"requests that overtake each other", testRequestsThatOvertakeEachOther},
	{"no sequence gets more than the limits", testNoSequenceGetsMoreThanTheLimits},
	{"none is refused that fits", testNoneIsRefusedThatFits},
	{"no change gives more than the new limits", testNoChangeGivesMoreThanTheNewLimits},
	{"a user's keys share its limits", testUserLimits},
	{"a request that comes again counts once", testRepeats},
	{"more repetitions than a proxy makes are counted", testTooManyRepeats},
}

func TestLocal(t *testing.T) {
	for _, s := range suite {
		t.Run(s.name, func(t *testing.T) { s.test(t, func() auth.Limiter { return local() }) })
	}
}

func TestShared(t *testing.T) {
	server := redistest.Start(t)
	conn := connect(t, server.URL, patience)
	for _, s := range suite {
		t.Run(s.name, func(t *testing.T) { s.test(t, func() auth.Limiter { return newTimed(t, conn) }) })
	}
}

// patience is a time-out that no busy machine makes too short.
const patience = 20 * time.Second

// connect is closed with the test.
func connect(t testing.TB, url string, timeout time.Duration) *redisconn.Conn {
	t.Helper()
	up := prometheus.NewGauge(prometheus.GaugeOpts{Name: "up"})
	c, err := redisconn.New(redisconn.Options{URL: url, Timeout: timeout, Up: up, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// shared counts for a database, by Redis' clock.
func shared(t testing.TB, conn *redisconn.Conn, database, fail string, reg *prometheus.Registry, log *slog.Logger) *limit.Shared {
	t.Helper()
	s, err := limit.NewShared(limit.SharedOptions{
		Redis: conn, Database: database, Fail: fail, Registerer: reg, Log: log,
		Took: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "took"}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// timed is a Shared that counts requests at the moments that the test gives. What is not counted in Redis is an error.
type timed struct {
	*limit.Shared
	at atomic.Pointer[time.Time]
}

var databases atomic.Int64

// newTimed has a database of its own.
func newTimed(t testing.TB, conn *redisconn.Conn) *timed {
	t.Helper()
	s := &timed{Shared: shared(t, conn, fmt.Sprint(databases.Add(1)), limit.FailClosed, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))}
	s.SetClock(func() time.Time { return *s.at.Load() })
	s.SetRemember(time.Hour) // which passes by Redis' clock
	return s
}

func (s *timed) Take(ctx context.Context, k *auth.Key, now time.Time, requestID string) (auth.LimitState, error) {
	s.at.Store(&now)
	return s.Shared.Take(ctx, k, now, requestID)
}
