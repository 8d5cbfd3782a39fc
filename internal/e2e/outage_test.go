package e2e

import (
	"net/http"
	"slices"
	"testing"
	"time"
)

// Without authd nothing passes, with a key or without, on the public path neither; and all is well once it is back.
func checkAuthdAway(t *testing.T, c *chain) {
	good := lines(c.authd.key("good"))
	for _, state := range []struct {
		name string
		gate gateState
		want []int
	}{{"down", shut, c.away}, {"silent", silent, c.slow}} {
		t.Run(state.name, func(t *testing.T) {
			c.want(t, 200, ask{lines: good}) // a connection to authd is there now
			c.gate.turn(state.gate)
			const tooLong = 20 * time.Second // proxies wait for a minute where nothing says otherwise
			for _, q := range []ask{{lines: good}, {target: "/public/1"}, {method: "POST", lines: good, body: []byte("a body")}} {
				got, err := q.to(c.addr)
				if err != nil {
					t.Fatal(err)
				}
				if got.took > tooLong {
					t.Errorf("it was denied after %s only", got.took)
				}
				if n := len(c.upstream.of(got.id)); n != 0 || !slices.Contains(state.want, got.status) {
					t.Errorf("status %d, want one of %d; it reached the service %d times", got.status, state.want, n)
				}
			}
			c.gate.turn(open)
			c.recover(t)
		})
	}
}

// Where authd is there and can't decide, that is no verdict on the key: 503, and when to ask again.
func checkUndecided(t *testing.T, c *chain) {
	asked := c.undecided.addr
	if c.grpc {
		asked = c.undecided.grpc
	}
	a := ask{lines: lines(c.undecided.key("limited"))}
	got, err := a.to(c.start(t, asked, c.upstream.addr))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(c.upstream.of(got.id)); n != 0 || got.status != http.StatusServiceUnavailable {
		t.Errorf("status %d; it reached the service %d times", got.status, n)
	}
	if c.ownOutage {
		return
	}
	if code := problem(t, got); code != "unavailable" || got.header.Get("Retry-After") == "" {
		t.Errorf("code %q, Retry-After %q", code, got.header.Get("Retry-After"))
	}
}

// recover waits until a good key passes again.
func (c *chain) recover(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		got, err := (&ask{lines: lines(c.authd.key("good"))}).to(c.addr)
		if err == nil && got.status == 200 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("authd is back, and the proxy does not see it: %+v, %v", got, err)
		}
	}
}
