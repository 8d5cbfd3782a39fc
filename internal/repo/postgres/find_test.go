package postgres

import (
	"errors"
	"testing"

	"authd/internal/auth"
	"authd/internal/pgtest"
)

// Keys that are asked for while every connection is taken are looked up in one query, and each
// gets its own answer: none is told another's, and a damaged one spoils no other.
func TestFoundTogether(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	url := server.Database(t)
	s := at(t, url, Options{Listen: true})
	s.lookupTime = patience
	const keys, damaged = 40, 7
	for n := range keys {
		addKey(t, s, n)
	}
	admin := raw(t, url)
	run(t, admin, `CREATE EXTENSION pg_stat_statements`)
	run(t, admin, `UPDATE keys SET restrictions = '{"methods":' WHERE id = $1`, record(damaged).ID)

	// A look-up on each connection, which waits.
	run(t, admin, `BEGIN`)
	run(t, admin, `LOCK TABLE secrets IN ACCESS EXCLUSIVE MODE`)
	results := make(chan error, cap(s.lookups)+2*keys)
	ask := func(n int) {
		key, err := s.ByDigest(t.Context(), digest(n))
		switch {
		case n == damaged && errors.Is(err, auth.ErrUnavailable), n >= keys && errors.Is(err, auth.ErrKeyNotFound):
			err = nil
		case err == nil && (n == damaged || key.Name != record(n).Name || key.Digest != digest(n)):
			err = errors.New("another key's answer: " + key.Name)
		case err == nil && n >= keys:
			err = errors.New("a key that there is not")
		}
		results <- err
	}
	for n := range cap(s.lookups) {
		go ask(n)
		until(t, "a connection is taken", func() bool { return len(s.lookups) > n })
	}
	for n := range 2 * keys {
		go ask(n)
	}
	until(t, "all wait", func() bool { return s.digests.Pending() == cap(results) })
	run(t, admin, `SELECT pg_stat_statements_reset()`)
	run(t, admin, `COMMIT`)
	for range cap(results) {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	queries := read[int64](t, admin, `SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements WHERE query LIKE '%s.digest = ANY%'`)
	if want := int64(cap(s.lookups)) + 1; queries != want {
		t.Errorf("%d queries for what waited on %d connections and for the others together, not %d", queries, cap(s.lookups), want)
	}
}
