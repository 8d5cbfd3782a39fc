// Package usage counts what keys are used for: in the process, without a lock
// on the way of a request, and every few seconds into the store, where the
// counts of all replicas add up.
//
// A request that was answered is counted once, or not at all: a process that
// is killed takes along what it has not written yet, which is at most what
// came within usage.flush and the time of one writing. Where the store is away,
// counts wait in memory; where too many different secrets wait, further ones
// are not counted, and a metric tells how many requests that were.
package usage
