package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// server counts what reaches it: the figures of the generator must agree with its own.
type server struct {
	*httptest.Server
	requests, conns atomic.Int64
	mu              sync.Mutex
	keys            map[string]int
}

func newServer(t *testing.T, status func(n int64) int) *server {
	t.Helper()
	s := &server{keys: map[string]int{}}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.keys[r.Header.Get("API-KEY")]++
		s.mu.Unlock()
		w.WriteHeader(status(s.requests.Add(1)))
	}))
	s.Config.ConnState = func(_ net.Conn, st http.ConnState) {
		if st == http.StateNew {
			s.conns.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func (s *server) addr() string { return s.Listener.Addr().String() }

func always(int64) int { return 200 }

func numbered(n int64, buf []byte) []byte {
	return fmt.Appendf(buf, "GET / HTTP/1.1\r\nHost: test\r\nAPI-KEY: key-%d\r\n\r\n", n)
}

func TestPoolAsksEachRequestOnce(t *testing.T) {
	s := newServer(t, always)
	p, err := Dial(t.Context(), s.addr(), 4)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	for i := int64(1); i <= 2; i++ {
		res, err := p.Run(t.Context(), Bounds{For: time.Minute, Requests: 500}, numbered)
		if err != nil {
			t.Fatal(err)
		}
		if res.Requests != 500 || s.requests.Load() != i*500 || s.conns.Load() != 4 || len(s.keys) != 500 {
			t.Fatalf("run %d: %d counted; the server saw %d requests on %d connections, %d different",
				i, res.Requests, s.requests.Load(), s.conns.Load(), len(s.keys))
		}
		if p99 := res.Latency.Quantile(0.99); p99 <= 0 || p99 > 2*res.Elapsed || res.PerSecond() <= 0 {
			t.Errorf("p99 is %v of a run of %v", p99, res.Elapsed)
		}
	}
}

func TestRunEndsByTime(t *testing.T) {
	s := newServer(t, always)
	p, err := Dial(t.Context(), s.addr(), 2)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	res, err := p.Run(t.Context(), Bounds{For: 50 * time.Millisecond}, numbered)
	if err != nil || res.Requests == 0 || res.Requests != s.requests.Load() {
		t.Errorf("%+v counted, error %v; the server saw %d", res, err, s.requests.Load())
	}
}

func TestFreshConnectsForEachRequest(t *testing.T) {
	s := newServer(t, always)
	res, err := Fresh(t.Context(), s.addr(), 3, Bounds{For: time.Minute, Requests: 100}, numbered)
	if err != nil {
		t.Fatal(err)
	}
	if res.Requests != 100 || s.conns.Load() != 100 || len(s.keys) != 100 {
		t.Errorf("%d counted; the server saw %d connections, %d different requests", res.Requests, s.conns.Load(), len(s.keys))
	}
}

func TestAnyOtherStatusFailsTheRun(t *testing.T) {
	status := func(n int64) int {
		if n == 50 {
			return 401
		}
		return 200
	}
	bounds := Bounds{For: time.Minute, Requests: 1000}
	for name, run := range map[string]func(ctx context.Context, addr string) error{
		"pool": func(ctx context.Context, addr string) error {
			p, err := Dial(ctx, addr, 2)
			if err != nil {
				return err
			}
			_, err = p.Run(ctx, bounds, numbered)
			return errors.Join(err, p.Close())
		},
		"fresh": func(ctx context.Context, addr string) error {
			_, err := Fresh(ctx, addr, 2, bounds, numbered)
			return err
		},
	} {
		s := newServer(t, status)
		var bad *StatusError
		if err := run(t.Context(), s.addr()); !errors.As(err, &bad) || bad.Status != 401 {
			t.Errorf("%s: %v, want status 401", name, err)
		}
		if n := s.requests.Load(); n > 60 {
			t.Errorf("%s: went on for %d requests after the failure", name, n-50)
		}
	}
}

func TestAnotherStatusMayBeWanted(t *testing.T) {
	s := newServer(t, func(int64) int { return 401 })
	p, err := Dial(t.Context(), s.addr(), 2)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	res, err := p.Run(t.Context(), Bounds{For: time.Minute, Requests: 20, Status: 401}, numbered)
	if err != nil || res.Requests != 20 {
		t.Errorf("%+v, %v", res, err)
	}
}

func TestAServerThatGoesFailsTheRun(t *testing.T) {
	s := newServer(t, always)
	p, err := Dial(t.Context(), s.addr(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	s.CloseClientConnections()
	if res, err := p.Run(t.Context(), Bounds{For: time.Minute, Requests: 10}, numbered); err == nil {
		t.Errorf("no error, but %+v", res)
	}
	s.Close()
	if _, err = Dial(t.Context(), s.addr(), 1); err == nil || !strings.Contains(err.Error(), s.addr()) {
		t.Errorf("dialling a closed server: %v", err)
	}
}

func TestCancelledRunIsNoResult(t *testing.T) {
	s := newServer(t, always)
	ctx, cancel := context.WithCancel(t.Context())
	p, err := Dial(ctx, s.addr(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	cancel()
	if _, err = p.Run(ctx, Bounds{For: time.Minute}, numbered); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
}
