package rolling

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"authd/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Around(m).Run()) }

// cluster is replicas behind an ingress, under load.
type cluster struct {
	t          *testing.T
	database   string
	in         *ingress
	load       *load
	replicas   []*replica
	generation int
	keys       int
}

// add starts a replica, and has it answer under load.
func (c *cluster) add(program string) {
	c.t.Helper()
	c.replicas = append(c.replicas, start(c.t, program, c.database))
	c.point()
	c.reached()
}

// reached returns once each replica has answered under load: what none was asked, none gets wrong.
func (c *cluster) reached() {
	c.t.Helper()
	for _, r := range c.replicas {
		await(c.t, "the load at "+r.address, func() bool { return c.load.reached(r) })
	}
}

// versions is what runs, by what the replicas themselves have told the database.
func (c *cluster) versions(program string) string {
	c.t.Helper()
	var all []struct{ Version string }
	if err := json.Unmarshal([]byte(authd(c.t, program, c.database, "replicas", "list", "-o", "json")), &all); err != nil {
		c.t.Fatal(err)
	}
	var versions []string
	for _, r := range all {
		versions = append(versions, r.Version)
	}
	return strings.Join(versions, " ")
}

// remove takes the oldest replica out of the ingress, and then ends it.
func (c *cluster) remove() {
	c.t.Helper()
	old := c.replicas[0]
	c.replicas = c.replicas[1:]
	c.point()
	old.stop(c.t)
}

func (c *cluster) point() {
	c.t.Helper()
	c.generation++
	c.in.use(c.t, c.replicas, c.generation)
}

// probe makes a key with one program, has it pass, revokes it with another, and has it denied by every replica.
func (c *cluster) probe(makes, revokes string) {
	c.t.Helper()
	c.keys++
	name := fmt.Sprintf("Probe %d", c.keys)
	key := authd(c.t, makes, c.database, "keys", "create", name, "--user", "probe@example.com", "-q")
	want := func(status int) {
		c.t.Helper()
		for _, r := range c.replicas {
			if a := get("http://"+r.address+"/verify", key); a.status != status {
				c.t.Errorf("%s: %s answers %d, want %d: %s", name, r.address, a.status, status, a.body)
			}
		}
	}
	want(http.StatusOK)
	authd(c.t, revokes, c.database, "keys", "revoke", name)
	want(http.StatusUnauthorized)
}

// Three replicas are replaced one by one by a newer version with a newer schema, and back again; then one becomes ten, and two
// are left. No request fails, no verdict is wrong, and what is revoked half-way is denied by both versions.
func TestRolling(t *testing.T) {
	now, newer := programs(t)
	c := &cluster{t: t, database: pgtest.Database(t)}
	for range 3 {
		c.replicas = append(c.replicas, start(t, now, c.database))
	}
	good := authd(t, now, c.database, "keys", "create", "Good", "--user", "good@example.com", "-q")
	revoked := authd(t, now, c.database, "keys", "create", "Revoked", "--user", "revoked@example.com", "-q")
	authd(t, now, c.database, "keys", "revoke", "Revoked")
	c.in = newIngress(t, c.replicas)
	step := func(name, running string, do func()) {
		t.Helper()
		c.load = &load{}
		c.load.run(t, c.in.url, good, revoked)
		c.reached()
		do()
		c.reached()
		t.Logf("%s: %s", name, c.load.end())
		if t.Failed() {
			t.FailNow()
		}
		if got := c.versions(now); got != running {
			t.Fatalf("%s: %q run, want %q", name, got, running)
		}
	}
	have := func() string { return strings.Fields(authd(t, now, c.database, "migrate", "status"))[1] }
	before := have()
	replace := func(old, by string) func() {
		return func() {
			for range 3 {
				c.add(by)
				c.probe(old, by)
				c.remove()
				c.probe(by, old)
			}
		}
	}
	step("to the newer version", "newer newer newer", replace(now, newer))
	after := have()
	if after == before {
		t.Fatalf("the schema is still %s", after)
	}
	step("and back", "now now now", replace(newer, now))
	if back := have(); back != after {
		t.Fatalf("the schema went from %s to %s", after, back)
	}
	c.remove()
	c.remove()
	step("1 to 10", strings.TrimSpace(strings.Repeat("now ", 10)), func() {
		for range 9 {
			c.add(now)
		}
		c.probe(now, now)
	})
	step("10 to 2", "now now", func() {
		for range 8 {
			c.remove()
		}
		c.probe(now, now)
	})
}
