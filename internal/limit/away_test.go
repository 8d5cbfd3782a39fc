package limit_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"authd/internal/auth"
	"authd/internal/limit"
	"authd/internal/logtest"
	"authd/internal/redistest"
)

// While Redis is away limits.fail rules; when it is back it counts again.
func TestRedisGoesAway(t *testing.T) {
	ways := map[string]func(*testing.T, *redistest.Server) (back func()){
		"stopped": func(t *testing.T, s *redistest.Server) func() { s.Stop(t); return func() { s.Again(t) } },
		"killed":  func(t *testing.T, s *redistest.Server) func() { s.Kill(); return func() { s.Again(t) } },
		"hung":    func(_ *testing.T, s *redistest.Server) func() { return s.Freeze() },
	}
	for _, fail := range []string{limit.FailOpen, limit.FailClosed, limit.FailLocal} {
		for how, away := range ways {
			t.Run(fail+"/"+how, func(t *testing.T) { t.Parallel(); goAway(t, fail, away) })
		}
	}
}

func goAway(t *testing.T, fail string, away func(*testing.T, *redistest.Server) func()) {
	server := redistest.Start(t)
	reg, log := prometheus.NewRegistry(), &logtest.Log{}
	// A time-out is what ends a request to one that is silent.
	s := shared(t, connect(t, server.URL, 500*time.Millisecond), "db", fail, reg, slog.New(slog.NewTextHandler(log, nil)))
	l := quota(20, "mo")
	k := of("u", "k", &l, nil)
	inRedis := func() float64 { return decided(t, reg, "allowed", "redis") }
	before := func() (allowed float64) {
		_, _ = s.Take(context.Background(), k, noon, "")
		return inRedis()
	}
	await(t, "Redis counts", func() bool { return before() > 0 })

	back := away(t, server)
	counted := inRedis()
	passed, denied := 0, 0
	for range 40 {
		switch state, err := s.Take(context.Background(), k, noon, ""); {
		case err != nil:
			if state.Reason.Allows() || !errors.Is(err, auth.ErrUnavailable) {
				t.Fatalf("%+v, %v", state, err)
			}
			denied++
		case state.Reason == auth.Allowed:
			passed++
		}
	}
	want := map[string]struct {
		passed, denied int
		result, mode   string
	}{
		limit.FailOpen:   {40, 0, "allowed", "open"},
		limit.FailClosed: {0, 40, "unavailable", "closed"},
		limit.FailLocal:  {20, 0, "allowed", "local"}, // the quota anew, in this process
	}[fail]
	if passed != want.passed || denied != want.denied || inRedis() != counted {
		t.Errorf("%d pass, %d are denied, and Redis has counted %v; want %+v and none", passed, denied, inRedis()-counted, want)
	}
	if n := decided(t, reg, want.result, want.mode); n < float64(max(want.passed, want.denied)) {
		t.Errorf("authd_limit_decisions_total tells %v", n)
	}
	if text := log.String(); strings.Count(text, "not counted in Redis") != 1 || !strings.Contains(text, "limits.fail="+fail) {
		t.Errorf("it is said once a minute: %s", text)
	}

	back()
	fresh := of("u", "another", &l, nil)
	await(t, "Redis counts again", func() bool {
		_, _ = s.Take(context.Background(), fresh, noon, "")
		return inRedis() > counted
	})
}

// Whoever asks goes away: that says nothing of Redis, and the request is counted.
func TestClientsThatGoAway(t *testing.T) {
	reg, log := prometheus.NewRegistry(), &logtest.Log{}
	s := shared(t, connect(t, redistest.Start(t).URL, patience), "db", limit.FailClosed, reg, slog.New(slog.NewTextHandler(log, nil)))
	l := quota(10, "mo")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 {
		if _, err := s.Take(gone, of("u", "k", &l, nil), noon, ""); err != nil {
			t.Fatal(err)
		}
	}
	if n := decided(t, reg, "allowed", "redis"); n != 10 {
		t.Errorf("%v are counted, want 10", n)
	}
}

// Redis forgets its scripts when it starts anew, or is told to: they are given to it again.
func TestForgottenScript(t *testing.T) {
	server := redistest.Start(t)
	s := replicas(t, server.URL, "db", 1)[0]
	l := quota(10, "mo")
	k := of("u", "k", &l, nil)
	for range 5 {
		take(t, s, k, noon)
		if err := server.Client(t).ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
	}
	wantPasses(t, "what is left", s, k, noon, 5)
}
