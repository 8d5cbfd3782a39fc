package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"authd/internal/auth"
)

// Counts take no part in the order of the log, and so not the lock of its
// writers. Nobody waits for the disk or a standby on their account: a crash of
// the server may cost the last moments of them. Rows are written in order of
// their keys, so that two replicas never wait for each other.
const beginCount = `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
	SET LOCAL synchronous_commit = off;
	SET LOCAL statement_timeout = '5s';
	SET LOCAL lock_timeout = '5s';
	SET LOCAL idle_in_transaction_session_timeout = '5s'`

const (
	insertBatch = `INSERT INTO usage_batches AS u (writer, number, at) VALUES ($1, $2, ` + dbNow + `)
		ON CONFLICT (writer) DO UPDATE SET number = excluded.number, at = excluded.at WHERE u.number < excluded.number`
	addHours = `INSERT INTO usage AS u (key_id, hour, allowed, limited, invalid, forbidden, unavailable)
		SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
			AS t (key_id, hour) ORDER BY t.key_id COLLATE "C", t.hour
		ON CONFLICT (key_id, hour) DO UPDATE SET (allowed, limited, invalid, forbidden, unavailable) =
			(u.allowed + excluded.allowed, u.limited + excluded.limited, u.invalid + excluded.invalid,
			u.forbidden + excluded.forbidden, u.unavailable + excluded.unavailable)`
	addSecretUses = `INSERT INTO usage_secrets AS u (digest, key_id, first_used, last_used, last_denied, client)
		SELECT * FROM unnest($1::bytea[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[]) AS t (digest) ORDER BY t.digest
		ON CONFLICT (digest) DO UPDATE SET key_id = excluded.key_id,
			first_used = CASE WHEN u.first_used = 0 OR excluded.first_used BETWEEN 1 AND u.first_used THEN excluded.first_used ELSE u.first_used END,
			client = CASE WHEN excluded.client <> '' AND greatest(excluded.last_used, excluded.last_denied) >= greatest(u.last_used, u.last_denied)
				THEN excluded.client ELSE u.client END,
			last_used = greatest(u.last_used, excluded.last_used), last_denied = greatest(u.last_denied, excluded.last_denied)`
)

// counting runs work in a transaction of its own, in its turn among the look-ups:
// it takes no connection that a lease depends on.
func (s *Store) counting(ctx context.Context, work func(conn) error) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	t, err := s.pool.BeginTx(ctx, pgx.TxOptions{BeginQuery: beginCount})
	if err != nil {
		return s.fault(ctx, err)
	}
	held := tx{conn: conn{s: s, q: t}, t: t}
	defer held.rollback(ctx)
	if err := work(held.conn); err != nil {
		return err
	}
	return s.fault(ctx, t.Commit(ctx))
}

// AddUsage implements repo.Usage. A batch that comes a second time, because the
// answer to its commit was lost, waits for the first one's end at its row, and finds it there.
func (s *Store) AddUsage(ctx context.Context, b auth.UsageBatch) error {
	return s.counting(ctx, func(c conn) error {
		fresh, err := c.affected(ctx, insertBatch, b.Writer, b.Number)
		if err != nil || fresh == 0 {
			return err
		}
		if err := c.run(ctx, addHours, hourColumns(b.Hours)...); err != nil {
			return err
		}
		return c.run(ctx, addSecretUses, secretColumns(b.Secrets)...)
	})
}

func hourColumns(list []auth.UsageHour) []any {
	ids := make([]string, len(list))
	var numbers [6][]int64
	for i, h := range list {
		ids[i] = h.KeyID
		for j, n := range [...]int64{h.Hour.UnixMilli(), h.Allowed, h.Limited, h.Invalid, h.Forbidden, h.Unavailable} {
			numbers[j] = append(numbers[j], n)
		}
	}
	columns := []any{ids}
	for _, n := range numbers {
		columns = append(columns, n)
	}
	return columns
}

func secretColumns(list []auth.SecretUse) []any {
	n := len(list)
	digests, ids, clients := make([][]byte, n), make([]string, n), make([]string, n)
	first, last, denied := make([]int64, n), make([]int64, n), make([]int64, n)
	for i := range list {
		u := &list[i]
		digests[i], ids[i], clients[i] = u.Digest[:], u.KeyID, u.Client
		first[i], last[i], denied[i] = auth.Millis(u.FirstUsed), auth.Millis(u.LastUsed), auth.Millis(u.LastDenied)
	}
	return []any{digests, ids, first, last, denied, clients}
}

// UsageHours implements repo.Usage.
func (s *Store) UsageHours(ctx context.Context, keyID string, since time.Time) ([]auth.UsageHour, error) {
	list := []auth.UsageHour{}
	err := s.reader().rows(ctx, `SELECT hour, allowed, limited, invalid, forbidden, unavailable FROM usage
		WHERE key_id = $1 AND hour > $2 ORDER BY hour`, []any{keyID, since.Add(-time.Hour).UnixMilli()}, func(scan func(...any) error) error {
		h, hour := auth.UsageHour{KeyID: keyID}, int64(0)
		err := scan(&hour, &h.Allowed, &h.Limited, &h.Invalid, &h.Forbidden, &h.Unavailable)
		h.Hour = time.UnixMilli(hour).UTC()
		list = append(list, h)
		return err
	})
	if err != nil && !impossible(err) {
		return nil, err
	}
	return list, nil
}

// UsageTotals implements repo.Usage.
func (s *Store) UsageTotals(ctx context.Context, since time.Time) (map[string]auth.UsageCounts, error) {
	all := map[string]auth.UsageCounts{}
	err := s.reader().rows(ctx, `SELECT key_id, sum(allowed)::bigint, sum(limited)::bigint, sum(invalid)::bigint,
		sum(forbidden)::bigint, sum(unavailable)::bigint FROM usage
		WHERE hour > $1 GROUP BY key_id`, []any{since.Add(-time.Hour).UnixMilli()}, func(scan func(...any) error) error {
		var id string
		var c auth.UsageCounts
		err := scan(&id, &c.Allowed, &c.Limited, &c.Invalid, &c.Forbidden, &c.Unavailable)
		all[id] = c
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// SecretUses implements repo.Usage.
func (s *Store) SecretUses(ctx context.Context, keyID string) ([]auth.SecretUse, error) {
	list := []auth.SecretUse{}
	err := s.reader().rows(ctx, `SELECT digest, key_id, first_used, last_used, last_denied, client FROM usage_secrets
		WHERE $1::text = '' OR key_id = $1::text ORDER BY key_id, digest`, []any{keyID}, func(scan func(...any) error) error {
		var u auth.SecretUse
		var digest []byte
		var first, last, denied int64
		err := scan(&digest, &u.KeyID, &first, &last, &denied, &u.Client)
		if err == nil {
			u.Digest, err = s.digest(digest)
		}
		u.FirstUsed, u.LastUsed, u.LastDenied = auth.FromMillis(first), auth.FromMillis(last), auth.FromMillis(denied)
		list = append(list, u)
		return err
	})
	if err != nil && !impossible(err) {
		return nil, err
	}
	return list, nil
}

// PruneUsage implements repo.Usage. What another replica is removing is left to it.
func (s *Store) PruneUsage(ctx context.Context, before time.Time, most int) (removed int, err error) {
	end := before.UnixMilli()
	err = s.counting(ctx, func(c conn) error {
		for _, old := range []struct {
			query string
			end   int64
		}{
			{`DELETE FROM usage WHERE (key_id, hour) IN (SELECT key_id, hour FROM usage
				WHERE hour < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)`, end},
			{`DELETE FROM usage_secrets WHERE digest IN (SELECT digest FROM usage_secrets
				WHERE greatest(last_used, last_denied) < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)`, end},
			{`DELETE FROM usage_batches WHERE writer IN (SELECT writer FROM usage_batches
				WHERE at < ` + dbNow + ` - $1::bigint LIMIT $2 FOR UPDATE SKIP LOCKED)`, auth.UsageBatchKept.Milliseconds()},
		} {
			n, err := c.affected(ctx, old.query, old.end, most)
			if err != nil {
				return err
			}
			removed += int(n)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return removed, nil
}

// forgetUsage removes what was counted of a key.
func (t *tx) forgetUsage(ctx context.Context, keyID string) error {
	if err := t.run(ctx, `DELETE FROM usage WHERE key_id = $1`, keyID); err != nil {
		return err
	}
	return t.run(ctx, `DELETE FROM usage_secrets WHERE key_id = $1`, keyID)
}
