package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"authd/internal/auth"
)

const (
	findByDigest = `SELECT s.revoked, s.expires_at, ` + decisionColumns + `
		FROM secrets s JOIN keys k ON k.n = s.key JOIN users u ON u.login = k.login WHERE s.digest = $1`
	findByName = `SELECT false, 0::bigint, ` + decisionColumns + `
		FROM keys k JOIN users u ON u.login = k.login
		WHERE k.n = coalesce((SELECT n FROM keys WHERE name = $1), (SELECT n FROM keys WHERE slug = $1))`
)

// ByDigest implements auth.Finder.
func (s *Store) ByDigest(ctx context.Context, d auth.Digest) (*auth.Key, error) {
	return s.find(ctx, findByDigest, d[:], d)
}

// ByName implements auth.Finder.
func (s *Store) ByName(ctx context.Context, name string) (*auth.Key, error) {
	return s.find(ctx, findByName, name, auth.Digest{})
}

func (s *Store) find(ctx context.Context, query string, by any, d auth.Digest) (*auth.Key, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.leave()
	var (
		r       auth.Record
		c       columns
		secret  = auth.SecretInfo{Digest: d}
		expires int64
		limits  string
	)
	err := s.pool.QueryRow(ctx, query, by).Scan(append([]any{&secret.Revoked, &expires, &r.ID, &r.UserActive, &limits}, c.dest()...)...)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, auth.ErrKeyNotFound
	}
	if err != nil {
		if err = s.fault(ctx, err); impossible(err) {
			err = auth.ErrKeyNotFound
		}
		return nil, err
	}
	if err := c.decode(s, &r); err != nil {
		return nil, err
	}
	if err := decodeLimits(s, limits, r.User, &r.UserLimits); err != nil {
		return nil, err
	}
	secret.ExpiresAt = auth.FromMillis(expires)
	return auth.NewKey(&r, secret), nil
}
