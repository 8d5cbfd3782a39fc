package main

import (
	"net/http"
	"strings"
	"syscall"
	"testing"

	"authd/internal/auth"
	"authd/internal/pgtest"
)

// on makes the place one whose keys are in this database.
func (p *place) on(url string) *place {
	p.env = append(p.env, "AUTHD_STORE_URL="+url)
	return p
}

// Several replicas on one Postgres: what is created works on each of them, and revoked means revoked on each.
func TestReplicasOnPostgres(t *testing.T) {
	p := newPlace(t).on(pgtest.Database(t))
	servers := []*daemon{p.serve(), p.serve(), p.serve()} // all of them migrate
	revokeUnderFire(p, servers...)
	if !strings.Contains(p.all.String(), "Confirmed by 3 of 3 replicas in ") {
		t.Errorf("not all have confirmed:\n%s", p.all)
	}

	// Over a network nothing proves that a replica is dead: it is named.
	servers[0].signal(syscall.SIGKILL)
	servers[0].wait()
	if _, code := p.authd("keys", "create", "Late", "--user", "u", "--wait", "1s"); code != exitUnconfirmed {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(p.all.String(), "has not followed; it may answer from the old state until") {
		t.Errorf("nobody was named:\n%s", p.all)
	}
	servers[1].signal(syscall.SIGTERM)
	if code := servers[1].wait(); code != 0 {
		t.Errorf("exit code %d\n%s", code, servers[1].log)
	}
	if rows := strings.Count(p.must("replicas", "list", "-o", "json"), `"id"`); rows != 2 {
		t.Errorf("%d replicas are listed: the one that was killed and the one that runs are wanted", rows)
	}
}

// While Postgres is away, keys that are known pass and nothing is called unknown; when it is
// back, nothing has to be restarted.
func TestPostgresGoesAway(t *testing.T) {
	server := pgtest.Start(t)
	p := newPlace(t).on(server.Database(t))
	d := p.serve()
	known := p.must("keys", "create", "Known", "--user", "u", "-q")
	fresh := p.must("keys", "create", "Fresh", "--user", "u", "-q")
	unknown := auth.NewSecret("ak").Reveal()
	d.want(200, "/verify", known)

	server.Stop(t)
	d.want(200, "/verify", known)
	for _, key := range []string{fresh, unknown} {
		if a := d.want(503, "/verify", key); a.header.Get("Retry-After") == "" || !strings.Contains(a.body, `"code":"unavailable"`) {
			t.Errorf("%v %s", a.header, a.body)
		}
	}
	if a := d.try("GET", "/readyz"); a == nil || a.status != http.StatusOK {
		t.Errorf("an outage of the database takes the replica from the ingress: %v", a)
	}
	if _, code := p.authd("keys", "revoke", "Known"); code != exitFailed {
		t.Errorf("exit code %d", code)
	}

	server.Again(t)
	p.await("the database's return", func() bool { return d.ask("/verify", fresh).status == 200 })
	d.want(401, "/verify", unknown)
	p.must("keys", "revoke", "Known")
	d.want(401, "/verify", known)
	p.nowhere(known, fresh, unknown)
}

// With cache.outage: deny, nothing passes once the lease is over.
func TestPostgresGoesAwayUnderDeny(t *testing.T) {
	server := pgtest.Start(t)
	p := newPlace(t).on(server.Database(t))
	p.env = append(p.env, "AUTHD_CACHE_OUTAGE=deny", "AUTHD_CACHE_LEASE=1s")
	d := p.serve()
	key := p.must("keys", "create", "Known", "--user", "u", "-q")
	d.want(200, "/verify", key)
	server.Stop(t)
	p.await("the end of the lease", func() bool { return d.ask("/verify", key).status == 503 })
	server.Again(t)
	p.await("the database's return", func() bool { return d.ask("/verify", key).status == 200 })
}

// Through PgBouncer in transaction mode, with polling alone.
func TestThroughPgBouncer(t *testing.T) {
	through := pgtest.Shared(t).Bouncer(t)
	p := newPlace(t).on(through(pgtest.Database(t)))
	p.env = append(p.env, "AUTHD_STORE_LISTEN=off")
	revokeUnderFire(p, p.serve(), p.serve())
}
