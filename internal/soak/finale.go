package soak

import (
	"regexp"
	"strconv"
	"syscall"
	"time"
)

const (
	// patience is how long what must come is waited for: machines are busy.
	patience = 90 * time.Second
	// goroutines are more than a replica has at rest, by far.
	goroutines = 300
)

// settle waits until every replica gives every credential the answer that is
// right now that nothing is broken any more. Those of which nobody can know are left out.
func (c *client) settle(replicas []*replica, all []*credential) (settled int) {
	end := time.Now().Add(patience)
	for _, of := range all {
		for _, members := range []bool{false, true} {
			want := c.journal.settled(of, members)
			if want == 0 {
				continue
			}
			settled++
			for _, r := range replicas {
				got := c.ask(r, of, members)
				for ; got != want && time.Now().Before(end); got = c.ask(r, of, members) {
					time.Sleep(restartPause)
				}
				if got != want {
					c.journal.violate("%s answers %d for %s (as a member: %t), %s after all was mended; want %d\n%s", r.name, got, of.name, members, patience, want, r.log.tail())
					return settled
				}
			}
		}
	}
	return settled
}

var redisLine = regexp.MustCompile(`(?m)^authd_cache_lookups_total{layer="redis",outcome="(\w+)"} (\S+)`)

// lookups are those of a replica's process in Redis, by their outcome.
func (c *client) lookups(r *replica) map[string]int {
	_, metrics := r.addresses()
	_, page := c.get(metrics+"/metrics", nil)
	counts := map[string]int{}
	for _, found := range redisLine.FindAllStringSubmatch(page, -1) {
		n, _ := strconv.ParseFloat(found[2], 64)
		counts[found[1]] = int(n)
	}
	return counts
}

// shares waits until a replica that remembers few keys finds them in Redis again.
func (c *client) shares(r *replica) {
	before := c.lookups(r)["hit"]
	for end := time.Now().Add(patience); c.lookups(r)["hit"] <= before; time.Sleep(restartPause) {
		if time.Now().After(end) {
			c.journal.violate("%s finds nothing in Redis, %s after all was mended: %v\n%s", r.name, patience, c.lookups(r), r.log.tail())
			return
		}
	}
}

var goroutinesLine = regexp.MustCompile(`(?m)^go_goroutines (\d+)`)

// rests waits until the replica has no more goroutines than one at rest.
func (c *client) rests(r *replica) (number int) {
	for end := time.Now().Add(patience); ; time.Sleep(restartPause) {
		_, metrics := r.addresses()
		_, page := c.get(metrics+"/metrics", nil)
		if found := goroutinesLine.FindStringSubmatch(page); found != nil {
			if number, _ = strconv.Atoi(found[1]); number < goroutines {
				return number
			}
		}
		if time.Now().After(end) {
			c.journal.violate("%s has %d goroutines at rest", r.name, number)
			return number
		}
	}
}

// stop ends all replicas in good order.
func stop(replicas []*replica) {
	for _, r := range replicas {
		r.end(syscall.SIGTERM)
	}
	for _, r := range replicas {
		r.await()
	}
}
