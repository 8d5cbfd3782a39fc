package main

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	idleReplicas = 20
	// idleStatements are to be reached in a second, of all replicas together.
	idleStatements = 10
	// idleTime is several polls of each.
	idleTime = 40 * time.Second
)

// idle is what replicas that nobody asks anything ask the database.
type idle struct {
	Replicas   int     `json:"replicas"`
	Statements float64 `json:"statements_per_second"`
	Commits    float64 `json:"transactions_per_second"`
}

const (
	idleCalls   = `SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid WHERE datname = 'idle'`
	idleCommits = `SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = 'idle'`
)

func measureIdle(ctx context.Context, b *bench) (err error) {
	p, err := b.startPostgres(ctx, "shared_preload_libraries=pg_stat_statements", "pg_stat_statements.track_utility=on")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	k, err := p.fill(ctx, "idle", fewKeys)
	if err != nil {
		return err
	}
	if err := p.exec(ctx, "postgres", "CREATE EXTENSION pg_stat_statements"); err != nil {
		return err
	}
	stop, err := b.startMany(ctx, authdOn(k.url), idleReplicas)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	c, err := pgx.Connect(ctx, p.url("postgres"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close(ctx)) }()
	i := &idle{Replicas: idleReplicas}
	if i.Statements, i.Commits, err = count(ctx, c); err != nil {
		return err
	}
	b.printf("\n%d idle replicas on one Postgres, for %s\n", idleReplicas, idleTime)
	b.printf("  %.1f statements a second, in all  %s; %.1f transactions\n",
		i.Statements, verdict(i.Statements, idleStatements, "%.0f"), i.Commits)
	b.report.Idle = i
	return nil
}

// count counts for idleTime what the database is asked, by the second.
func count(ctx context.Context, c *pgx.Conn) (statements, commits float64, err error) {
	time.Sleep(rest) // until what a start asks is over
	read := func() (calls, xacts int64, err error) {
		err = errors.Join(c.QueryRow(ctx, idleCalls).Scan(&calls), c.QueryRow(ctx, idleCommits).Scan(&xacts))
		return calls, xacts, err
	}
	began := time.Now()
	calls, xacts, err := read()
	if err != nil {
		return 0, 0, err
	}
	time.Sleep(idleTime)
	callsAfter, xactsAfter, err := read()
	span := time.Since(began).Seconds()
	return float64(callsAfter-calls) / span, float64(xactsAfter-xacts) / span, err
}
