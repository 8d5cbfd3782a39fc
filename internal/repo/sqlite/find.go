package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"authd/internal/auth"
)

// finder are the two look-ups, prepared.
type finder struct{ byDigest, byName *sql.Stmt }

const (
	findByDigest = `SELECT s.revoked, s.expires_at, ` + decisionColumns + `
		FROM secrets s JOIN keys k ON k.n = s.key JOIN users u ON u.login = k.login WHERE s.digest = ?`
	findByName = `SELECT 0, 0, ` + decisionColumns + `
		FROM keys k JOIN users u ON u.login = k.login
		WHERE k.n = coalesce((SELECT n FROM keys WHERE name = ?1), (SELECT n FROM keys WHERE slug = ?1))`
)

// ByDigest implements auth.Finder.
func (s *Store) ByDigest(ctx context.Context, d auth.Digest) (*auth.Key, error) {
	f, err := s.prepared(ctx)
	if err != nil {
		return nil, err
	}
	return s.find(ctx, f.byDigest, d[:], d)
}

// ByName implements auth.Finder.
func (s *Store) ByName(ctx context.Context, name string) (*auth.Key, error) {
	f, err := s.prepared(ctx)
	if err != nil {
		return nil, err
	}
	return s.find(ctx, f.byName, name, auth.Digest{})
}

func (s *Store) find(ctx context.Context, stmt *sql.Stmt, by any, d auth.Digest) (*auth.Key, error) {
	var (
		r       auth.Record
		c       columns
		secret  = auth.SecretInfo{Digest: d}
		expires int64
		limits  string
	)
	err := stmt.QueryRowContext(ctx, by).Scan(append([]any{&secret.Revoked, &expires, &r.ID, &r.UserActive, &limits}, c.dest()...)...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, auth.ErrKeyNotFound
	}
	if err != nil {
		return nil, s.fault(err)
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

// prepared prepares the look-ups when the first one comes: before, there may be no tables.
func (s *Store) prepared(ctx context.Context) (*finder, error) {
	if f := s.finder.Load(); f != nil {
		return f, nil
	}
	s.finding.Lock()
	defer s.finding.Unlock()
	if f := s.finder.Load(); f != nil {
		return f, nil
	}
	byDigest, err := s.readers.PrepareContext(ctx, findByDigest)
	if err != nil {
		return nil, s.fault(err)
	}
	byName, err := s.readers.PrepareContext(ctx, findByName)
	if err != nil {
		_ = byDigest.Close() //nolint:sqlclosecheck // it lives as long as the store, but for this case
		return nil, s.fault(err)
	}
	f := &finder{byDigest, byName}
	s.finder.Store(f)
	return f, nil
}
