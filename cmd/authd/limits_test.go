package main

import (
	"strings"
	"testing"

	"authd/internal/redistest"
)

// Two servers count together through Redis, for a key and for all keys of a user; a change of a user's
// limits is confirmed, and holds on both from then on.
func TestLimitsAreSharedByRedis(t *testing.T) {
	server := redistest.Start(t)
	p := newPlace(t)
	p.env = append(p.env, "AUTHD_REDIS_URL="+server.URL, "AUTHD_REDIS_TIMEOUT=2s", "AUTHD_LIMITS_FAIL=closed")
	one, two := p.serve(), p.serve()
	// Bursts that a day makes up for: no turn of the calendar comes between.
	own := p.must("keys", "create", "Own", "--user", "u", "--rate", "1/24h", "--burst", "3", "-q")
	other := p.must("keys", "create", "Other", "--user", "u", "-q")
	for _, d := range []*daemon{one, two, one} {
		d.want(200, "/verify", own)
	}
	for _, d := range []*daemon{one, two} {
		a := d.want(429, "/verify", own)
		if a.header.Get("RateLimit-Policy") != `"rate";q=1;w=86400` || a.header.Get("Retry-After") == "" {
			t.Errorf("%v", a.header)
		}
		d.want(200, "/verify", other)
	}

	p.must("users", "update", "u", "--rate", "1/24h", "--burst", "2")
	one.want(200, "/verify", other)
	two.want(200, "/verify", other)
	for _, d := range []*daemon{one, two} {
		if a := d.want(429, "/verify", other); !strings.Contains(a.header.Get("RateLimit"), `"user-rate";r=0`) {
			t.Errorf("%v", a.header)
		}
	}
	p.must("users", "update", "u", "--rate", "", "--burst", "0")
	for _, d := range []*daemon{one, two} {
		d.want(200, "/verify", other)
	}

	server.Stop(t)
	a := one.want(503, "/verify", own)
	if !strings.Contains(a.body, "unavailable") {
		t.Error(a.body)
	}
	one.want(200, "/verify", other) // has no limits, and needs no Redis
	m := one.fetch("GET", one.metrics+"/metrics")
	if m == nil || !strings.Contains(m.body, `authd_limit_decisions_total{mode="closed",result="unavailable"} 1`) ||
		!strings.Contains(m.body, `authd_limit_decisions_total{mode="redis",result="rate_limited"}`) {
		t.Error("the metric tells nothing of it")
	}
	server.Again(t)
	p.await("Redis counts again", func() bool { a := two.ask("/verify", own); return a != nil && a.status == 429 })
	p.nowhere(own, other)
}
