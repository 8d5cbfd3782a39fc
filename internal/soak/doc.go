// Package soak runs authd as it is meant to run, several processes on one
// Postgres and one Redis under traffic, changes keys and users in it, breaks what can break,
// and judges every answer by what was confirmed when it was asked for. Only its own
// test runs it:
//
//	go test ./internal/soak -run Soak -v -soak.for=1h -soak.seed=7
//
// The seed is what the faults and the changes are drawn from, each in their order; when
// each of them takes effect is the machine's.
package soak
