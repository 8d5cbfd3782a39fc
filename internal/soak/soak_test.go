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
	"authd/internal/repo"
)

var (
	length = flag.Duration("soak.for", 20*time.Second, "how long the soak breaks things")
	seed   = flag.Uint64("soak.seed", 0, "what the faults and the changes are drawn from; 0 draws one")
	number = flag.Int("soak.replicas", 3, "how many replicas the soak runs")
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
	f := &field{t: t, server: server, admin: newProxy(t, server.Address())}
	through := func(p *proxy) string { return strings.Replace(url, server.Address(), p.address(), 1) }
	c := newClient(j)
	t.Cleanup(c.http.CloseIdleConnections)
	for i := range *number {
		way := newProxy(t, server.Address())
		f.replicas = append(f.replicas, newReplica(j, fmt.Sprintf("replica %d", i), program, t.TempDir(), way, settings(i, through(way))))
	}
	start(t, c, f.replicas)
	store := open(t, through(f.admin))
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
	settled, atRest := 0, 0
	if !j.broken() {
		settled = c.settle(f.replicas, p.snapshot())
	}
	traffic.end()
	for _, r := range f.replicas {
		if !j.broken() {
			atRest = max(atRest, c.rests(r))
		}
	}
	stop(f.replicas)
	report(t, j, f.replicas, settled, atRest)
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

// build builds authd as it is shipped, without the race detector: the soak is about processes.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "authd")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "authd/cmd/authd").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// settings are those of the replica of this number: each way to be without a
// store, with entries that live long and with such that are often read anew.
func settings(number int, url string) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "AUTHD_STORE_URL=" + url, "AUTHD_LISTEN_VERIFY=127.0.0.1:0", "AUTHD_LISTEN_METRICS=127.0.0.1:0",
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
