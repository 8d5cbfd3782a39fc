package postgres

import (
	"context"
	"database/sql"
	"time"

	"authd/internal/auth"
)

// stored is a record with what only the database needs to know of it.
type stored struct {
	auth.Record
	n          int64
	revokedSeq int64
	columns    columns
	userLimits string
}

const selectRecords = `SELECT ` + decisionColumns + `, k.metadata, k.note, k.n, k.created_at, k.updated_at, k.changed_seq, k.revoked_seq,
	s.digest, s.hint, s.pepper, s.created_at, s.expires_at, s.revoked
	FROM keys k JOIN users u ON u.login = k.login LEFT JOIN secrets s ON s.key = k.n `

// byRef picks the record of a name, a slug or an id, in that order.
const byRef = `WHERE k.n = coalesce((SELECT n FROM keys WHERE name = $1), (SELECT n FROM keys WHERE slug = $1),
	(SELECT n FROM keys WHERE id = $1)) ORDER BY s.place`

// records reads records with their secrets, which follow one another.
func (c conn) records(ctx context.Context, where string, args []any, each func(*stored)) error {
	var r *stored
	err := c.rows(ctx, selectRecords+where, args, func(scan func(...any) error) error {
		next, secret, err := c.scanRecord(scan)
		if err != nil {
			return err
		}
		if r == nil || r.n != next.n {
			if r != nil {
				each(r)
			}
			r = next
			if err := r.columns.decode(c.s, &r.Record); err != nil {
				return err
			}
			if err := decodeLimits(c.s, r.userLimits, r.User, &r.UserLimits); err != nil {
				return err
			}
		}
		if secret != nil {
			r.Secrets = append(r.Secrets, *secret)
		}
		return nil
	})
	if err == nil && r != nil {
		each(r)
	}
	return err
}

// scanRecord reads one row: a record, and one of its secrets if it has any.
func (c conn) scanRecord(scan func(...any) error) (*stored, *auth.SecretInfo, error) {
	var (
		r                  = stored{Record: auth.Record{Secrets: []auth.SecretInfo{}}}
		created, updated   int64
		digest             []byte
		hint, pepper       sql.NullString
		secretAt, secretTo sql.NullInt64
		revoked            sql.NullBool
	)
	dest := append([]any{&r.ID, &r.UserActive, &r.userLimits}, r.columns.dest()...)
	dest = append(dest, &r.columns.metadata, &r.columns.note, &r.n, &created, &updated, &r.ChangedSeq, &r.revokedSeq,
		&digest, &hint, &pepper, &secretAt, &secretTo, &revoked)
	if err := scan(dest...); err != nil {
		return nil, nil, err
	}
	r.CreatedAt, r.UpdatedAt = auth.FromMillis(created), auth.FromMillis(updated)
	if digest == nil {
		return &r, nil, nil
	}
	d, err := c.s.digest(digest)
	return &r, &auth.SecretInfo{
		Digest: d, Hint: hint.String, PepperID: pepper.String, Revoked: revoked.Bool,
		CreatedAt: auth.FromMillis(secretAt.Int64), ExpiresAt: auth.FromMillis(secretTo.Int64),
	}, err
}

func (s *Store) digest(b []byte) (d auth.Digest, err error) {
	if copy(d[:], b) != len(d) || len(b) != len(d) {
		return d, s.unavailable("a digest is damaged in it: restore a backup")
	}
	return d, nil
}

// record reads the record that ref means.
func (c conn) record(ctx context.Context, ref string) (*stored, error) {
	var found *stored
	err := c.records(ctx, byRef, []any{ref}, func(r *stored) { found = r })
	if impossible(err) || err == nil && found == nil {
		err = auth.ErrKeyNotFound
	}
	return found, err
}

// Key implements repo.Keys.
func (s *Store) Key(ctx context.Context, ref string) (*auth.Record, error) {
	r, err := s.reader().record(ctx, ref)
	if err != nil {
		return nil, err
	}
	return &r.Record, nil
}

// ListKeys implements repo.Keys.
func (s *Store) ListKeys(ctx context.Context, f auth.KeyFilter) ([]auth.Record, error) {
	where, args := "", []any(nil)
	if f.User != "" {
		where, args = "WHERE k.login = $1 ", []any{f.User}
	}
	list := []auth.Record{}
	err := s.reader().records(ctx, where+"ORDER BY k.name, s.place", args, func(r *stored) {
		if f.Matches(&r.Record) {
			list = append(list, r.Record)
		}
	})
	if err != nil && !impossible(err) {
		return nil, err
	}
	return list, nil
}

// CountKeys implements repo.Keys. The order of the cases is that of auth.Record.State.
func (s *Store) CountKeys(ctx context.Context, now time.Time) (map[string]int, error) {
	return s.reader().count(ctx, `SELECT CASE
		WHEN k.revoked_at <> 0 THEN 'revoked'
		WHEN NOT k.active THEN 'disabled'
		WHEN NOT u.active THEN 'user-inactive'
		WHEN k.not_before <> 0 AND $1 < k.not_before THEN 'not-yet-valid'
		WHEN k.expires_at <> 0 AND $1 >= k.expires_at THEN 'expired'
		ELSE 'active' END, count(*)
		FROM keys k JOIN users u ON u.login = k.login GROUP BY 1`, now.UnixMilli())
}

// CountExpiring implements repo.Keys. What is active is what CountKeys calls so.
func (s *Store) CountExpiring(ctx context.Context, now, before time.Time) (int, error) {
	counts, err := s.reader().count(ctx, `SELECT 'expiring', count(*)
		FROM keys k JOIN users u ON u.login = k.login
		WHERE k.revoked_at = 0 AND k.active AND u.active AND k.not_before <= $1
		AND k.expires_at > $1 AND k.expires_at < $2`, now.UnixMilli(), before.UnixMilli())
	return counts["expiring"], err
}

// CountPeppers implements repo.Keys.
func (s *Store) CountPeppers(ctx context.Context) (map[string]int, error) {
	return s.reader().count(ctx, `SELECT pepper, count(*) FROM secrets
		WHERE NOT revoked AND (expires_at = 0 OR expires_at > $1) GROUP BY 1`, time.Now().UnixMilli())
}

func (c conn) count(ctx context.Context, query string, args ...any) (map[string]int, error) {
	counts := map[string]int{}
	err := c.rows(ctx, query, args, func(scan func(...any) error) error {
		var name string
		var n int
		err := scan(&name, &n)
		counts[name] = n
		return err
	})
	return counts, err
}
