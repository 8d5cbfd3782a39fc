package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"authd/internal/pgtest"
)

// usage is what authd keys usage NAME tells.
func (p *place) usage(name string) (v usageView) {
	p.t.Helper()
	if err := json.Unmarshal([]byte(p.must("keys", "usage", name)), &v); err != nil {
		p.t.Fatal(err)
	}
	return v
}

// awaitUsage waits until so many requests of a key are told, and fails where they become more.
func (p *place) awaitUsage(name string, requests int) {
	p.t.Helper()
	p.await(fmt.Sprintf("the usage of %d requests", requests), func() bool {
		n := p.usage(name).Total.Total()
		if n > int64(requests) {
			p.t.Fatalf("%d requests were sent, and %d are told", requests, n)
		}
		return n == int64(requests)
	})
}

// asks sends requests with a key.
func (d *daemon) asks(n, status int, key string) {
	d.p.t.Helper()
	for range n {
		d.want(status, "/verify", key)
	}
}

// Replicas count together, a rotation shows who still uses the old secret, and what was counted is written at the end.
func TestUsage(t *testing.T) {
	for kind, place := range map[string]func(*testing.T) *place{
		"sqlite":   newPlace,
		"postgres": func(t *testing.T) *place { return newPlace(t).on(pgtest.Database(t)) },
	} {
		t.Run(kind, func(t *testing.T) {
			p := place(t)
			p.env = append(p.env, "AUTHD_USAGE_FLUSH=200ms")
			one, two := p.serve(), p.serve()
			old := p.must("keys", "create", "Partner", "--user", "u", "-q")
			one.asks(3, 200, old)
			two.asks(4, 200, old)
			p.awaitUsage("Partner", 7)

			fresh := p.must("keys", "rotate", "Partner", "--overlap", "1h", "-q")
			forwarded := []string{"X-Forwarded-Method: GET", "X-Forwarded-Host: example.com", "X-Forwarded-Uri: /", "X-Forwarded-For: 192.0.2.77"}
			one.want(200, "/verify/traefik", old, forwarded...)
			two.asks(1, 200, fresh)
			p.must("keys", "disable", "Partner", "-q")
			one.asks(2, 401, fresh)
			p.awaitUsage("Partner", 11)

			v := p.usage("Partner")
			if v.Total.Allowed != 9 || v.Total.Invalid != 2 || len(v.Secrets) != 2 {
				t.Fatalf("it tells %+v", v)
			}
			was, is := v.Secrets[0], v.Secrets[1]
			if was.Client != "192.0.2.0/24" || was.FirstUsed.IsZero() || !was.LastUsed.After(was.FirstUsed) || !was.LastDenied.IsZero() {
				t.Errorf("the old secret: %+v", was.SecretUse)
			}
			if is.Client != "" || is.FirstUsed.IsZero() || !is.LastDenied.After(is.LastUsed) {
				t.Errorf("the new secret: %+v", is.SecretUse)
			}
			if out := p.must("replicas", "list", "-o", "json"); strings.Count(out, `"applied": 3`) != 2 {
				t.Errorf("usage is in the change log: three changes were made\n%s", out)
			}
			p.nowhere(old, fresh)
		})
	}
}

func TestUsageIsWrittenAtTheEnd(t *testing.T) {
	p := newPlace(t)
	p.env = append(p.env, "AUTHD_USAGE_FLUSH=1h")
	d := p.serve()
	key := p.must("keys", "create", "Partner", "--user", "u", "-q")
	d.asks(5, 200, key)
	if n := p.usage("Partner").Total.Total(); n != 0 {
		t.Errorf("%d requests are told before they were written", n)
	}
	d.signal(syscall.SIGTERM)
	if code := d.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	p.awaitUsage("Partner", 5)
}

// A process that is killed takes along what came since its last writing, and
// nothing of before; and what it wrote is not counted twice by the next.
func TestAKilledProcessLosesLittle(t *testing.T) {
	p := newPlace(t)
	p.env = append(p.env, "AUTHD_USAGE_FLUSH=1s")
	d := p.serve()
	key := p.must("keys", "create", "Partner", "--user", "u", "-q")
	d.asks(100, 200, key)
	p.awaitUsage("Partner", 100)
	var sent []time.Time
	for begin := time.Now(); time.Since(begin) < 2500*time.Millisecond; {
		d.asks(1, 200, key)
		sent = append(sent, time.Now())
	}
	d.signal(syscall.SIGKILL)
	killed := time.Now()
	d.wait()
	told := int(p.usage("Partner").Total.Total()) - 100
	if told > len(sent) {
		t.Fatalf("%d requests were answered, and %d are told", len(sent), told)
	}
	if told == 0 {
		t.Fatal("nothing that came within 2.5 s was written, every second")
	}
	if told < len(sent) {
		t.Logf("%d of %d requests were lost: those of the last %s", len(sent)-told, len(sent), killed.Sub(sent[told]).Round(time.Millisecond))
	}
	p.serve().asks(3, 200, key)
	p.awaitUsage("Partner", 100+told+3)
}

// The database hangs in the midst of writings, breaks, and comes back: replicas
// go on counting, and every request is told once.
func TestUsageThroughAnOutage(t *testing.T) {
	server := pgtest.Start(t)
	p := newPlace(t).on(server.Database(t))
	p.env = append(p.env, "AUTHD_USAGE_FLUSH=100ms")
	one, two := p.serve(), p.serve()
	key := p.must("keys", "create", "Partner", "--user", "u", "-q")
	sent := 0
	both := func() {
		one.asks(20, 200, key)
		two.asks(20, 200, key)
		sent += 40
	}
	both()
	for range 3 {
		thaw := server.Freeze(t)
		both()
		thaw()
		both()
	}
	server.Stop(t)
	both()
	p.await("the writing fails", func() bool {
		return strings.Contains(one.metricsPage(), `authd_usage_batches_total{result="failed"} `) &&
			!strings.Contains(one.metricsPage(), `authd_usage_batches_total{result="failed"} 0`)
	})
	both()
	server.Again(t)
	p.awaitUsage("Partner", sent)
	both()
	p.awaitUsage("Partner", sent)
}

func (d *daemon) metricsPage() string {
	d.p.t.Helper()
	a := d.fetch("GET", d.metrics+"/metrics")
	if a == nil {
		d.p.t.Fatalf("no metrics\n%s", d.log)
	}
	return a.body
}

// With usage.keep: 0s nothing is counted.
func TestNoUsage(t *testing.T) {
	p := newPlace(t)
	p.env = append(p.env, "AUTHD_USAGE_KEEP=0s", "AUTHD_USAGE_FLUSH=100ms")
	d := p.serve()
	key := p.must("keys", "create", "Partner", "--user", "u", "-q")
	d.asks(3, 200, key)
	if strings.Contains(d.metricsPage(), "authd_usage_") {
		t.Error("there are metrics of what is not counted")
	}
	d.signal(syscall.SIGTERM)
	d.wait()
	if n := p.usage("Partner").Total.Total(); n != 0 {
		t.Errorf("%d requests are told", n)
	}
}
