package postgres

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"authd/internal/auth"
	"authd/internal/cache"
	"authd/internal/pgtest"
)

// An idle replica asks the database a few things each poll, and nothing in
// between: at most three statements, a look at the log, the row, and whether a
// connection that was idle is still one. Twenty replicas that poll every ten seconds are
// six statements a second.
func TestIdleReplicasAskLittle(t *testing.T) {
	t.Parallel()
	const replicas, polls = 5, 4
	server := pgtest.Start(t)
	url := server.Database(t)
	admin := raw(t, url)
	run(t, admin, `CREATE EXTENSION pg_stat_statements`)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range replicas {
		s := at(t, url, Options{Listen: true})
		feed := cache.NewFeed(s, auth.Replica{Name: "pod", Lease: 3 * time.Second, Outage: auth.OutageServe}, slog.New(slog.DiscardHandler))
		all.Go(func() { _ = feed.Run(ctx) })
		until(t, "the replica follows", feed.Ready)
	}
	until(t, "all listen", func() bool { return read[int](t, admin, listeners) == replicas })
	asked := func(like string) int64 {
		return read[int64](t, admin, `SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
			WHERE datname = current_database() AND query NOT LIKE '%pg_stat_%' AND query LIKE $1`, like)
	}
	run(t, admin, `SELECT pg_stat_statements_reset()`)
	until(t, "every replica has polled several times", func() bool { return asked("UPDATE replicas%") >= replicas*polls })
	statements, rounds := asked("%"), asked("UPDATE replicas%")
	if statements > 3*rounds+replicas {
		t.Errorf("%d statements in %d polls", statements, rounds)
	}
	cancel()
	all.Wait()
}
