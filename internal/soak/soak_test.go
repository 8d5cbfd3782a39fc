package soak

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"authd/internal/auth"
	"authd/internal/pgtest"
	"authd/internal/redistest"
	"authd/internal/repo"
)

var (
	length = flag.Duration("soak.for", time.Minute, "how long the soak breaks things")
	seed   = flag.Uint64("soak.seed", 0, "what the faults and the changes are drawn from; 0 draws one")
	number = flag.Int("soak.replicas", 5, "how many replicas the soak runs")
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(pgtest.Around(m)) }

const (
	keys    = 200
	workers = 16
	clients = 6 // of each replica
	pace    = 40 * time.Millisecond
)

// No key passes anywhere once it is confirmed that it does not, and none that is good is denied,
// whatever breaks; and when nothing is broken any more, everything is as it should be.
func TestSoak(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("seed %d: -soak.seed=%d -soak.for=%s -soak.replicas=%d replays it", *seed, *seed, *length, *number)
	program := build(t)
	// Who has connected and says nothing, because what it says is held, keeps a server from
	// stopping: for a minute, where nothing is set.
	server := pgtest.Start(t, "authentication_timeout=3s")
	url := server.Database(t)
	j := newJournal()
	f := &field{t: t, server: server, redis: &past{Server: redistest.Start(t)}, admin: newProxy(t, server.Address())}
	c := newClient(j)
	t.Cleanup(c.http.CloseIdleConnections)
	f.replicas = replicas(t, j, f, program, url)
	start(t, c, f.replicas)
	store := open(t, strings.Replace(url, server.Address(), listen(t, f.admin.take), 1))
	p := &pool{limit: 2 * keys}

	traffic := newGroup(t)
	traffic.run(p.trim)
	for i, r := range f.replicas {
		for n := range clients {
			rng := rand.New(rand.NewPCG(*seed, uint64(1000*(i+1)+n)))
			traffic.run(func(ctx context.Context) { c.traffic(ctx, r, p, rng, pace) })
		}
	}
	changes := newGroup(t)
	var filled sync.WaitGroup
	for n := range workers {
		w := newWorker(*seed, n, (keys+n)/workers, store, j, p)
		filled.Add(1)
		changes.run(func(ctx context.Context) {
			w.fill(ctx)
			filled.Done()
			w.run(ctx)
		})
	}
	filled.Wait()
	newSchedule(*seed, f, j, faults).run(time.Now().Add(*length))
	changes.end()
	settled, atRest, found := 0, 0, map[string]int{}
	if !j.broken() {
		settled = c.settle(f.replicas, p.snapshot())
	}
	for i, r := range f.replicas {
		if !j.broken() && remembersFew(i) {
			c.shares(r)
		}
	}
	traffic.end()
	for _, r := range f.replicas {
		if !j.broken() {
			atRest = max(atRest, c.rests(r))
		}
		for outcome, n := range c.lookups(r) {
			found[outcome] += n
		}
	}
	stop(f.replicas)
	t.Logf("look-ups in Redis, by the last process of each replica: %s", tally(found))
	report(t, j, f.replicas, settled, atRest)
}

// replicas makes them, each with its ways to Postgres and to Redis.
func replicas(t *testing.T, j *journal, f *field, program, database string) (all []*replica) {
	t.Helper()
	ways := door{}
	for i := range *number {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, configuration), []byte(policies), 0o600); err != nil {
			t.Fatal(err)
		}
		r := newReplica(j, fmt.Sprintf("replica %d", i), program, dir)
		r.store, r.cache = newProxy(t, f.server.Address()), newProxy(t, f.redis.Address())
		ways[r.name] = r.store
		all = append(all, r)
	}
	address := listen(t, ways.take)
	for i, r := range all {
		r.env = settings(i, ways.url(t, database, address, r.name), "redis://"+listen(t, r.cache.take))
	}
	return all
}

func report(t *testing.T, j *journal, all []*replica, settled, atRest int) {
	t.Helper()
	again := 0
	for _, r := range all {
		again += r.restarts
	}
	for _, line := range j.summary() {
		t.Log(line)
	}
	t.Logf("in the end: %d credentials answered rightly by every replica; goroutines of a replica, at most: %d; starts that failed for want of Postgres: %d", settled, atRest, again)
	for _, v := range j.violations {
		t.Error(v)
	}
}

// buildTime is far more than a build takes on a machine that is busy with other builds.
const buildTime = 14 * time.Minute

// build builds authd as it is shipped, without the race detector: the soak is about processes.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "authd")
	ctx, cancel := context.WithTimeout(t.Context(), buildTime)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "authd/cmd/authd").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// remembersFew reports whether the replica of this number has room for so few keys that it asks Redis all the time.
func remembersFew(number int) bool { return number%3 == 1 }

// settings are those of the replica of this number: each way to be without a
// store, with entries that live long and with such that are often read anew, with room for all keys and for few.
func settings(number int, store, redis string) []string {
	entries := "100000"
	if remembersFew(number) {
		entries = fmt.Sprint(keys / 8)
	}
	return []string{
		"PATH=" + os.Getenv("PATH"), "AUTHD_STORE_URL=" + store, "AUTHD_REDIS_URL=" + redis, "AUTHD_CACHE_MAX_ENTRIES=" + entries, "AUTHD_LISTEN_VERIFY=127.0.0.1:0", "AUTHD_LISTEN_METRICS=127.0.0.1:0",
		"AUTHD_CACHE_LEASE=1s", "AUTHD_CACHE_MAX_STALE=2s",
		"AUTHD_CACHE_OUTAGE=" + []string{auth.OutageDeny, auth.OutageServe}[number%2],
		"AUTHD_CACHE_TTL=" + []string{"10m", "3s"}[number/2%2],
	}
}

// start starts the replicas all at once, and waits until they are ready. They end with the test.
func start(t *testing.T, c *client, all []*replica) {
	t.Helper()
	for _, r := range all {
		r.start()
	}
	t.Cleanup(func() { stop(all) })
	end := time.Now().Add(patience)
	for _, r := range all {
		for {
			if verify, _ := r.addresses(); verify != "" {
				if status, _ := c.get(verify+"/readyz", nil); status == 200 {
					break
				}
			}
			if time.Now().After(end) {
				t.Fatalf("%s is not ready\n%s", r.name, r.log.tail())
			}
			time.Sleep(restartPause)
		}
	}
}

func open(t *testing.T, url string) repo.Store {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	store, err := repo.Open(ctx, url, repo.Options{PollOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// group is what runs in the background until it is ended.
type group struct {
	ctx context.Context
	end func() // and waits for all
	all sync.WaitGroup
}

func newGroup(t *testing.T) *group {
	t.Helper()
	g := &group{}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	g.ctx, g.end = ctx, func() { cancel(); g.all.Wait() }
	t.Cleanup(g.end)
	return g
}

func (g *group) run(work func(context.Context)) { g.all.Go(func() { work(g.ctx) }) }
