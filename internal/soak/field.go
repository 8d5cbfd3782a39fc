package soak

import (
	"testing"

	"authd/internal/pgtest"
)

// field is what faults strike at.
type field struct {
	t        testing.TB
	server   *pgtest.Server
	redis    *past
	replicas []*replica
	admin    *proxy // of those who make changes
}

// The targets are numbers: the replicas, then what follows.
func (f *field) adminWay() int       { return len(f.replicas) }
func (f *field) store() int          { return f.adminWay() + 1 }
func (f *field) cacheWay(of int) int { return f.store() + 1 + of }
func (f *field) cache() int          { return f.cacheWay(len(f.replicas)) }
func (f *field) targets() int        { return f.cache() + 1 }

func (f *field) replicasOnly() []int {
	all := make([]int, len(f.replicas))
	for i := range all {
		all[i] = i
	}
	return all
}

func (f *field) cacheWays() []int {
	all := f.replicasOnly()
	for i := range all {
		all[i] = f.cacheWay(i)
	}
	return all
}

func (f *field) ways() []int      { return append(f.replicasOnly(), f.adminWay()) }
func (f *field) storeOnly() []int { return []int{f.store()} }
func (f *field) cacheOnly() []int { return []int{f.cache()} }

func (f *field) way(target int) *proxy {
	switch {
	case target == f.adminWay():
		return f.admin
	case target > f.store():
		return f.replicas[target-f.cacheWay(0)].cache
	default:
		return f.replicas[target].store
	}
}
