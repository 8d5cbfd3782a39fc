package soak

import (
	"math/rand/v2"
	"syscall"
	"time"
)

// fault is something that breaks. It strikes one target at a time: a
// replica with its way to the store, the way of those who make changes, the store, a
// replica's way to Redis, or Redis. strike returns what mends it. All draws come from rng, in order.
type fault struct {
	name    string
	weight  int
	longest time.Duration
	strike  func(f *field, target int, rng *rand.Rand) (mend func())
	at      func(f *field) []int
}

// faults is the table of all that breaks.
var faults = []fault{
	{"replica stopped (SIGSTOP)", 4, 8 * time.Second, stopped, (*field).replicasOnly},
	{"replica killed (SIGKILL)", 3, 4 * time.Second, killed, (*field).replicasOnly},
	{"replica ended (SIGTERM)", 1, 2 * time.Second, ended, (*field).replicasOnly},
	{"connections to Postgres cut", 4, 9 * time.Second, cut, (*field).ways},
	{"connections to Postgres hang", 3, 9 * time.Second, hung(up, down), (*field).ways},
	{"requests to Postgres hang", 2, 7 * time.Second, hung(up), (*field).ways},
	{"answers of Postgres hang", 2, 7 * time.Second, hung(down), (*field).ways},
	{"connections to Postgres slow", 3, 6 * time.Second, slowed(400 * time.Millisecond), (*field).ways},
	{"LISTEN killed", 3, 0, deafened, (*field).storeOnly},
	{"Postgres restarted", 1, 2 * time.Second, restarted, (*field).storeOnly},
	{"Postgres frozen", 1, 3 * time.Second, frozen, (*field).storeOnly},
	{"connections to Redis cut", 2, 9 * time.Second, cut, (*field).cacheWays},
	{"connections to Redis hang", 2, 9 * time.Second, hung(up, down), (*field).cacheWays},
	{"answers of Redis hang", 1, 7 * time.Second, hung(down), (*field).cacheWays},
	{"connections to Redis slow", 3, 6 * time.Second, slowed(80 * time.Millisecond), (*field).cacheWays}, // less than redis.timeout, or more
	{"Redis flushed", 2, 0, flushed, (*field).cacheOnly},
	{"Redis stopped, and back with what it had", 1, 4 * time.Second, suspended, (*field).cacheOnly},
	{"Redis killed, and back empty", 2, 3 * time.Second, emptied, (*field).cacheOnly},
	{"Redis killed, and back with old data", 3, 3 * time.Second, relapsed, (*field).cacheOnly},
	{"Redis frozen", 1, 3 * time.Second, numb, (*field).cacheOnly},
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

func slowed(most time.Duration) func(*field, int, *rand.Rand) func() {
	return func(f *field, target int, rng *rand.Rand) func() {
		f.way(target).slow(time.Millisecond + time.Duration(rng.Int64N(int64(most))))
		return f.way(target).heal
	}
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
