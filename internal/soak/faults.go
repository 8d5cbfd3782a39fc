package soak

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"authd/internal/pgtest"
)

// fault is something that breaks. It strikes one target at a time: a
// replica with its way to the store, the way of those who make changes, or
// the store. strike returns what mends it. All draws come from rng, in order.
type fault struct {
	name    string
	weight  int
	longest time.Duration
	strike  func(f *field, target int, rng *rand.Rand) (mend func())
	at      func(f *field) []int
}

// faults is the table of all that breaks. What is shared later, as a
// cache, comes as a target and rows of its own.
var faults = []fault{
	{"replica stopped (SIGSTOP)", 4, 8 * time.Second, stopped, (*field).replicasOnly},
	{"replica killed (SIGKILL)", 3, 4 * time.Second, killed, (*field).replicasOnly},
	{"replica ended (SIGTERM)", 1, 2 * time.Second, ended, (*field).replicasOnly},
	{"connections cut", 4, 9 * time.Second, cut, (*field).ways},
	{"connections hang", 3, 9 * time.Second, hung(up, down), (*field).ways},
	{"requests to Postgres hang", 2, 7 * time.Second, hung(up), (*field).ways},
	{"answers of Postgres hang", 2, 7 * time.Second, hung(down), (*field).ways},
	{"connections slow", 3, 6 * time.Second, slowed, (*field).ways},
	{"LISTEN killed", 3, 0, deafened, (*field).storeOnly},
	{"Postgres restarted", 1, 2 * time.Second, restarted, (*field).storeOnly},
	{"Postgres frozen", 1, 3 * time.Second, frozen, (*field).storeOnly},
}

// field is what faults strike at.
type field struct {
	t        testing.TB
	server   *pgtest.Server
	replicas []*replica
	admin    *proxy // of those who make changes
}

// The targets are the replicas by their number, and two more.
func (f *field) adminWay() int { return len(f.replicas) }
func (f *field) store() int    { return len(f.replicas) + 1 }

func (f *field) replicasOnly() []int {
	all := make([]int, len(f.replicas))
	for i := range all {
		all[i] = i
	}
	return all
}

func (f *field) ways() []int      { return append(f.replicasOnly(), f.adminWay()) }
func (f *field) storeOnly() []int { return []int{f.store()} }

func (f *field) way(target int) *proxy {
	if target == f.adminWay() {
		return f.admin
	}
	return f.replicas[target].proxy
}

func stopped(f *field, target int, _ *rand.Rand) func() {
	f.replicas[target].signal(syscall.SIGSTOP)
	return func() { f.replicas[target].signal(syscall.SIGCONT) }
}

func killed(f *field, target int, _ *rand.Rand) func() {
	return again(f.replicas[target], syscall.SIGKILL)
}

func ended(f *field, target int, _ *rand.Rand) func() {
	return again(f.replicas[target], syscall.SIGTERM)
}

func again(r *replica, s syscall.Signal) func() {
	r.end(s)
	return func() { r.await(); r.start() }
}

func cut(f *field, target int, _ *rand.Rand) func() {
	f.way(target).cut()
	return f.way(target).heal
}

func hung(ways ...int) func(*field, int, *rand.Rand) func() {
	return func(f *field, target int, _ *rand.Rand) func() {
		f.way(target).hold(ways...)
		return f.way(target).heal
	}
}

func slowed(f *field, target int, rng *rand.Rand) func() {
	f.way(target).slow(time.Duration(1+rng.IntN(400)) * time.Millisecond)
	return f.way(target).heal
}

// deafened ends some of the connections that wait for news.
func deafened(f *field, _ int, rng *rand.Rand) func() {
	first, count := rng.IntN(len(f.replicas)), 1+rng.IntN(len(f.replicas))
	f.server.Exec(f.t, `SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity
		WHERE query LIKE 'LISTEN%' ORDER BY pid OFFSET $1 LIMIT $2) l`, first, count)
	return func() {}
}

func restarted(f *field, _ int, _ *rand.Rand) func() {
	f.server.Stop(f.t)
	return func() { f.server.Again(f.t) }
}

func frozen(f *field, _ int, _ *rand.Rand) func() { return f.server.Freeze(f.t) }
