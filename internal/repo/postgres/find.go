package postgres

import (
	"context"
	"time"

	"authd/internal/auth"
)

const (
	findByDigests = `SELECT s.digest, s.revoked, s.expires_at, ` + decisionColumns + `
		FROM secrets s JOIN keys k ON k.n = s.key JOIN users u ON u.login = k.login WHERE s.digest = ANY($1)`
	findByName = `SELECT ''::bytea, false, 0::bigint, ` + decisionColumns + `
		FROM keys k JOIN users u ON u.login = k.login
		WHERE k.n = coalesce((SELECT n FROM keys WHERE name = $1), (SELECT n FROM keys WHERE slug = $1))`
)

// lookupTime bounds a look-up of several keys, which no single caller may end.
const lookupTime = time.Second

// found is a key, or why there is none.
type found struct {
	key *auth.Key
	err error
}

// ByDigest implements auth.Finder. What is asked for while all connections for look-ups are taken is asked
// for together.
func (s *Store) ByDigest(ctx context.Context, d auth.Digest) (*auth.Key, error) {
	f, err := s.digests.Ask(ctx, d)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	return f.key, f.err
}

func (s *Store) byDigests(digests []auth.Digest) []found {
	ctx, cancel := context.WithTimeout(context.Background(), s.lookupTime)
	defer cancel()
	all := make(map[auth.Digest]found, len(digests))
	wanted := make([][]byte, len(digests))
	for i := range digests {
		wanted[i] = digests[i][:]
	}
	err := s.find(ctx, findByDigests, wanted, func(d auth.Digest, f found) { all[d] = f })
	answers := make([]found, len(digests))
	for i, d := range digests {
		answers[i] = found{err: auth.ErrKeyNotFound}
		if f, ok := all[d]; ok {
			answers[i] = f
		} else if err != nil {
			answers[i].err = err
		}
	}
	return answers
}

// ByName implements auth.Finder.
func (s *Store) ByName(ctx context.Context, name string) (*auth.Key, error) {
	f := found{err: auth.ErrKeyNotFound}
	err := s.find(ctx, findByName, name, func(_ auth.Digest, one found) { f = one })
	if err != nil && !impossible(err) {
		return nil, err
	}
	return f.key, f.err
}

// find gives what a query finds to each, which a damaged row does not keep from the others.
func (s *Store) find(ctx context.Context, query string, by any, each func(auth.Digest, found)) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	rows, err := s.pool.Query(ctx, query, by)
	if err != nil {
		return s.fault(ctx, err)
	}
	defer rows.Close()
	var f foundRow
	dest := f.dest()
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return s.fault(ctx, err)
		}
		each(f.key(s))
	}
	return s.fault(ctx, rows.Err())
}

// foundRow is what the queries above select.
type foundRow struct {
	digest     []byte
	revoked    bool
	expires    int64
	id         string
	userActive bool
	limits     string
	columns    columns
}

func (f *foundRow) dest() []any {
	return append([]any{&f.digest, &f.revoked, &f.expires, &f.id, &f.userActive, &f.limits}, f.columns.dest()...)
}

// key is the key of a row, or its damage, and the digest that it was found by: zero where that was a name.
func (f *foundRow) key(s *Store) (d auth.Digest, _ found) {
	copy(d[:], f.digest)
	r := auth.Record{ID: f.id, UserActive: f.userActive}
	err := f.columns.decode(s, &r)
	if err == nil {
		err = decodeLimits(s, f.limits, r.User, &r.UserLimits)
	}
	if err != nil {
		return d, found{err: err}
	}
	secret := auth.SecretInfo{Digest: d, Revoked: f.revoked, ExpiresAt: auth.FromMillis(f.expires)}
	return d, found{key: auth.NewKey(&r, secret)}
}
