package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"authd/internal/auth"
)

// timeline is what a server calls the history that it writes: it changes with
// every promotion of a standby, and with every backup that is restored to a point in time.
const timeline = `left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)`

// noTimeline is that of databases that speak Postgres's language and keep their log in another way: there a
// commit that was answered is kept by a quorum, or what becomes of it can't be found out.
const noTimeline = `''::text`

// findTimeline finds out which of them can be asked for.
func findTimeline(ctx context.Context, c *pgx.Conn) (string, error) {
	var here string
	err := c.QueryRow(ctx, `SELECT `+timeline).Scan(&here)
	var refusal *pgconn.PgError
	if errors.As(err, &refusal) && (strings.HasPrefix(refusal.Code, "42") || refusal.Code == codeUnsupported) {
		return noTimeline, nil // there is no such function, or not for us
	}
	return timeline, err
}

// moved asks whether the history is another than that of the last epoch. The one that the schema
// was made with has none yet: that of the first who asks becomes its own.
func (s *Store) moved() string {
	return `(SELECT place <> ` + s.timeline + ` FROM epochs ORDER BY n DESC LIMIT 1)`
}

// inEpoch begins an epoch, within a transaction that holds the writers' lock,
// where the history is another than that of the last one: rule 22. It comes before
// anything that the transaction does, so that no number of the log is given
// out again that a server before this one may have given out.
func (t *tx) inEpoch(ctx context.Context) error {
	var n int64
	var known, here string
	_, err := t.row(ctx, `SELECT n, place, `+t.s.timeline+` FROM epochs ORDER BY n DESC LIMIT 1`, nil, &n, &known, &here)
	switch {
	case err != nil || known == here:
		return err
	case known == "":
		return t.run(ctx, `UPDATE epochs SET place = $1 WHERE n = $2`, here, n)
	}
	return t.beginEpoch(ctx, n+1, here)
}

// Where no row of a replica tells how long such ones go on: what the configuration says of itself.
const (
	usualLease    = 30 * time.Second
	usualMaxStale = time.Hour
)

// beginEpoch takes the number of the timeline where that is higher: an epoch before may have been lost as well.
func (t *tx) beginEpoch(ctx context.Context, n int64, here string) error {
	var last int64
	if _, err := t.row(ctx, `SELECT coalesce(max(seq), 0) FROM changes`, nil, &last); err != nil {
		return err
	}
	n = max(n, auth.EpochOf(last)+1)
	if line, err := strconv.ParseInt(here, 16, 64); err == nil {
		n = max(n, line)
	}
	if err := t.run(ctx, `INSERT INTO epochs (n, place, at, lease, outage, max_stale)
		SELECT $1::bigint, $2::text, `+dbNow+`, coalesce(max(lease), $3::bigint),
			CASE WHEN bool_and(outage = $5) THEN $5::text ELSE $6::text END, coalesce(max(max_stale), $4::bigint)
		FROM (SELECT lease, outage, max_stale FROM replicas UNION ALL SELECT lease, outage, max_stale FROM epochs WHERE lease > 0) r`,
		n, here, int64(usualLease), int64(usualMaxStale), auth.OutageDeny, auth.OutageServe); err != nil {
		return err
	}
	if err := t.run(ctx, `SELECT setval(pg_get_serial_sequence('changes', 'seq'), $1::bigint)`, auth.EpochStart(n)); err != nil {
		return err
	}
	_, err := t.log(ctx, auth.Change{}) // replicas that follow the log see that there is another epoch
	t.seq, t.token = 0, nil             // whoever began it did not come for that
	return err
}

// lostReplicas stands for those whose rows may have been lost with the server
// before: they answer from what it held until their time is over, and nobody can name them.
func (c conn) lostReplicas(ctx context.Context) (list []auth.Replica, err error) {
	err = c.rows(ctx, `SELECT n, lease, outage, max_stale, at, greatest(0, `+dbNow+` - at)
		FROM epochs WHERE n > 0 ORDER BY n DESC LIMIT 1`, nil, func(scan func(...any) error) error {
		r := auth.Replica{Name: "any from before the fail-over"}
		var n, lease, maxStale, at, silent int64
		err := scan(&n, &lease, &r.Outage, &maxStale, &at, &silent)
		r.ID = fmt.Sprintf("epoch-%d", n)
		r.Lease, r.MaxStale = time.Duration(lease), time.Duration(maxStale)
		r.StartedAt, r.SeenAt = auth.FromMillis(at), auth.FromMillis(at)
		r.Silent = time.Duration(silent) * time.Millisecond
		if r.Silent <= r.StopsAfter() {
			list = append(list, r)
		}
		return err
	})
	return list, err
}

// entered notes the epoch of a change that was read. In a new one no connection is used any more that
// may lead to the server of the one before.
func (s *Store) entered(seq int64) {
	epoch := auth.EpochOf(seq)
	if before := s.epoch.Swap(epoch); before >= 0 && before != epoch {
		s.pool.Reset()
	}
}
