package sqlite

import (
	"context"
	"time"

	"authd/internal/auth"
)

const (
	insertBatch = `INSERT INTO usage_batches (writer, number, at) VALUES (?, ?, ?)
		ON CONFLICT (writer) DO UPDATE SET number = excluded.number, at = excluded.at WHERE number < excluded.number`
	addHour = `INSERT INTO usage (key_id, hour, allowed, limited, invalid, forbidden, unavailable) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (key_id, hour) DO UPDATE SET allowed = allowed + excluded.allowed, limited = limited + excluded.limited,
			invalid = invalid + excluded.invalid, forbidden = forbidden + excluded.forbidden, unavailable = unavailable + excluded.unavailable`
	addSecretUse = `INSERT INTO usage_secrets (digest, key_id, first_used, last_used, last_denied, client) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (digest) DO UPDATE SET key_id = excluded.key_id,
			first_used = CASE WHEN first_used = 0 OR excluded.first_used BETWEEN 1 AND first_used THEN excluded.first_used ELSE first_used END,
			client = CASE WHEN excluded.client <> '' AND max(excluded.last_used, excluded.last_denied) >= max(last_used, last_denied)
				THEN excluded.client ELSE client END,
			last_used = max(last_used, excluded.last_used), last_denied = max(last_denied, excluded.last_denied)`
)

// AddUsage implements repo.Usage.
func (s *Store) AddUsage(ctx context.Context, b auth.UsageBatch) error {
	return s.write(ctx, func(t *tx) error {
		fresh, err := t.affected(ctx, insertBatch, b.Writer, b.Number, time.Now().UnixMilli())
		if err != nil || fresh == 0 {
			return err
		}
		for _, h := range b.Hours {
			err := t.run(ctx, addHour, h.KeyID, h.Hour.UnixMilli(), h.Allowed, h.Limited, h.Invalid, h.Forbidden, h.Unavailable)
			if err != nil {
				return err
			}
		}
		for _, u := range b.Secrets {
			err := t.run(ctx, addSecretUse, u.Digest[:], u.KeyID, auth.Millis(u.FirstUsed), auth.Millis(u.LastUsed), auth.Millis(u.LastDenied), u.Client)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// UsageHours implements repo.Usage.
func (s *Store) UsageHours(ctx context.Context, keyID string, since time.Time) ([]auth.UsageHour, error) {
	list := []auth.UsageHour{}
	err := conn{s, s.readers}.rows(ctx, `SELECT hour, allowed, limited, invalid, forbidden, unavailable FROM usage
		WHERE key_id = ? AND hour > ? ORDER BY hour`, []any{keyID, since.Add(-time.Hour).UnixMilli()}, func(scan func(...any) error) error {
		h, hour := auth.UsageHour{KeyID: keyID}, int64(0)
		err := scan(&hour, &h.Allowed, &h.Limited, &h.Invalid, &h.Forbidden, &h.Unavailable)
		h.Hour = time.UnixMilli(hour).UTC()
		list = append(list, h)
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// UsageTotals implements repo.Usage.
func (s *Store) UsageTotals(ctx context.Context, since time.Time) (map[string]auth.UsageCounts, error) {
	all := map[string]auth.UsageCounts{}
	err := conn{s, s.readers}.rows(ctx, `SELECT key_id, sum(allowed), sum(limited), sum(invalid), sum(forbidden), sum(unavailable) FROM usage
		WHERE hour > ? GROUP BY key_id`, []any{since.Add(-time.Hour).UnixMilli()}, func(scan func(...any) error) error {
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
	err := conn{s, s.readers}.rows(ctx, `SELECT digest, key_id, first_used, last_used, last_denied, client FROM usage_secrets
		WHERE ?1 = '' OR key_id = ?1 ORDER BY key_id, digest`, []any{keyID}, func(scan func(...any) error) error {
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
	if err != nil {
		return nil, err
	}
	return list, nil
}

// PruneUsage implements repo.Usage.
func (s *Store) PruneUsage(ctx context.Context, before time.Time, most int) (removed int, err error) {
	end := before.UnixMilli()
	err = s.write(ctx, func(t *tx) error {
		for _, old := range []struct {
			query string
			end   int64
		}{
			{`DELETE FROM usage WHERE (key_id, hour) IN (SELECT key_id, hour FROM usage WHERE hour < ? LIMIT ?)`, end},
			{`DELETE FROM usage_secrets WHERE digest IN (SELECT digest FROM usage_secrets WHERE max(last_used, last_denied) < ? LIMIT ?)`, end},
			{`DELETE FROM usage_batches WHERE writer IN (SELECT writer FROM usage_batches WHERE at < ? LIMIT ?)`,
				time.Now().Add(-auth.UsageBatchKept).UnixMilli()},
		} {
			n, err := t.affected(ctx, old.query, old.end, most)
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
	if err := t.run(ctx, `DELETE FROM usage WHERE key_id = ?`, keyID); err != nil {
		return err
	}
	return t.run(ctx, `DELETE FROM usage_secrets WHERE key_id = ?`, keyID)
}
