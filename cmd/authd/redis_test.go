package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"authd/internal/redistest"
)

// redisHits is how many look-ups of this server Redis has answered.
func (d *daemon) redisHits() (n int) {
	d.p.t.Helper()
	const series = `authd_cache_lookups_total{layer="redis",outcome="hit"} `
	a := d.fetch("GET", d.metrics+"/metrics")
	if a == nil {
		d.p.t.Fatal("no metrics")
	}
	_, rest, _ := strings.Cut(a.body, series)
	if _, err := fmt.Sscan(rest, &n); err != nil {
		d.p.t.Fatalf("%s: %v", series, err)
	}
	return n
}

// held is all that Redis holds, by name.
func held(t *testing.T, c *redis.Client) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, name := range c.Keys(t.Context(), "*").Val() {
		all[name] = c.Get(t.Context(), name).Val()
	}
	return all
}

// Two servers share what they read through Redis. Revoked means revoked, whatever Redis still holds; and
// Redis may go and come back.
func TestSharedByRedis(t *testing.T) {
	server := redistest.Start(t)
	c := server.Client(t)
	p := newPlace(t)
	p.env = append(p.env, "AUTHD_REDIS_URL="+server.URL, "AUTHD_REDIS_TIMEOUT=2s", "AUTHD_CREDENTIALS_PEPPER_FILE=pepper")
	p.write("pepper", strings.Repeat("p", 32)+"\n")
	one, two := p.serve(), p.serve()
	made := 0
	// shared creates a key, which one reads from the store, and two from Redis if it is asked.
	shared := func() (name, key string) {
		made++
		name = fmt.Sprintf("Partner %d", made)
		key = p.must("keys", "create", name, "--user", "u", "-q")
		before := len(held(t, c))
		one.want(200, "/verify", key)
		for end := time.Now().Add(time.Second); len(held(t, c)) == before && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		}
		two.want(200, "/verify", key)
		return name, key
	}
	var name, key string
	p.await("a hit in Redis", func() bool { name, key = shared(); return two.redisHits() > 0 })

	old := held(t, c)
	p.must("keys", "revoke", name)
	for entry, value := range old {
		if err := c.Set(t.Context(), entry, value, time.Hour).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []*daemon{one, two, p.serve()} {
		d.want(401, "/verify", key)
	}

	server.Stop(t)
	shared()
	if a := one.try("GET", "/readyz"); a == nil || a.status != 200 {
		t.Errorf("an outage of Redis takes the replica from the ingress: %v", a)
	}
	server.Again(t)
	before := two.redisHits()
	p.await("Redis is used again", func() bool { _, key = shared(); return two.redisHits() > before })

	var dump strings.Builder
	for entry, value := range held(t, c) {
		dump.WriteString(entry + value)
	}
	if !strings.Contains(dump.String(), "Partner") {
		t.Error("the key is not among what Redis holds: nothing is shown by this test")
	}
	if err := os.WriteFile(filepath.Join(p.dir, "redis.dump"), []byte(dump.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	p.nowhere(key)
}
