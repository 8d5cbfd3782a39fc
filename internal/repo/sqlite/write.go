package sqlite

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"authd/internal/auth"
)

// CreateKey implements repo.Keys.
func (s *Store) CreateKey(ctx context.Context, r *auth.Record, secrets ...auth.SecretInfo) (c auth.Change, err error) {
	cols, err := encode(r)
	if err != nil {
		return c, err
	}
	err = s.write(ctx, func(t *tx) error {
		if err := t.free(ctx, r, noKey); err != nil {
			return err
		}
		if err := t.makeUser(ctx, r.User); err != nil {
			return err
		}
		if c, err = t.log(ctx, keyChange(r, secrets)); err != nil {
			return err
		}
		revokedSeq := int64(0)
		if !r.RevokedAt.IsZero() {
			revokedSeq = c.Seq
		}
		n, err := t.insert(ctx, insertKey, append(cols.values(),
			r.ID, auth.Millis(r.CreatedAt), auth.Millis(r.UpdatedAt), c.Seq, revokedSeq)...)
		if err != nil {
			return err
		}
		for place, secret := range secrets {
			if err := t.addSecret(ctx, n, place, secret); err != nil {
				return err
			}
		}
		return t.auditKey(ctx, auth.ActionKeyCreate, nil, c)
	})
	return done(c, err)
}

// done is nothing where a change failed.
func done(c auth.Change, err error) (auth.Change, error) {
	if err != nil {
		return auth.Change{}, err
	}
	return c, nil
}

var (
	insertKey = fmt.Sprintf(`INSERT INTO keys (%s, id, created_at, updated_at, changed_seq, revoked_seq) VALUES (%s)`,
		strings.Join(assignments, ", "), placeholders(len(assignments)+5))
	updateKey = fmt.Sprintf(`UPDATE keys SET %s = ?, updated_at = ?, changed_seq = ?, revoked_seq = ? WHERE n = ?`,
		strings.Join(assignments, " = ?, "))
)

// noKey is the number of no record.
const noKey = 0

// free finds out whether another record than n has the name or the slug.
func (t *tx) free(ctx context.Context, r *auth.Record, n int64) error {
	for _, taken := range []struct {
		query, value string
		err          error
	}{
		{`SELECT n FROM keys WHERE name = ?`, r.Name, auth.ErrNameTaken},
		{`SELECT n FROM keys WHERE slug = ?`, r.Slug, auth.ErrSlugTaken},
	} {
		var other int64
		found, err := t.row(ctx, taken.query, []any{taken.value}, &other)
		if err != nil {
			return err
		}
		if found && other != n {
			return taken.err
		}
	}
	return nil
}

// addSecret stores a secret, unless its digest is there already: whoever's it is, and revoked or not.
func (t *tx) addSecret(ctx context.Context, n int64, place int, secret auth.SecretInfo) error {
	found, err := t.row(ctx, `SELECT 1 FROM secrets WHERE digest = ?`, []any{secret.Digest[:]}, new(int))
	if err != nil {
		return err
	}
	if found {
		return auth.ErrSecretTaken
	}
	return t.run(ctx, insertSecret, secretValues(n, place, secret)...)
}

const insertSecret = `INSERT INTO secrets (digest, key, place, hint, pepper, created_at, expires_at, revoked) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`

func secretValues(n int64, place int, s auth.SecretInfo) []any {
	return []any{s.Digest[:], n, place, s.Hint, s.PepperID, auth.Millis(s.CreatedAt), auth.Millis(s.ExpiresAt), s.Revoked}
}

// UpdateKey implements repo.Keys.
func (s *Store) UpdateKey(ctx context.Context, ref string, edit func(*auth.Record) error) (c auth.Change, err error) {
	err = s.write(ctx, func(t *tx) error {
		before, err := t.record(ctx, ref)
		if err != nil {
			return err
		}
		after := before.clone()
		if err := edit(after); err != nil {
			return err
		}
		after.ID, after.Secrets = before.ID, before.Secrets
		c, err = t.update(ctx, before, after)
		return err
	})
	return done(c, err)
}

// update stores what an edit made of a record. An edit that revokes does what
// RevokeKey does, and none takes that back.
func (t *tx) update(ctx context.Context, before *stored, after *auth.Record) (auth.Change, error) {
	cols, err := encode(after)
	if err != nil {
		return auth.Change{}, err
	}
	if cols == before.columns {
		return t.change(ctx, before.ChangedSeq)
	}
	ends := cols.revokedAt != before.columns.revokedAt
	if ends && !before.RevokedAt.IsZero() {
		return auth.Change{}, auth.ErrRevoked
	}
	if err := t.free(ctx, after, before.n); err != nil {
		return auth.Change{}, err
	}
	if err := t.makeUser(ctx, after.User); err != nil {
		return auth.Change{}, err
	}
	c, err := t.log(ctx, keyChange(after, before.Secrets, before.Name, before.Slug))
	if err != nil {
		return c, err
	}
	revokedSeq := before.revokedSeq
	if ends {
		revokedSeq = c.Seq
		if err := t.run(ctx, revokeSecrets, before.n); err != nil {
			return c, err
		}
	}
	if err := t.run(ctx, updateKey, append(cols.values(), auth.Millis(c.At), c.Seq, revokedSeq, before.n)...); err != nil {
		return c, err
	}
	return c, t.auditKey(ctx, auth.ActionKeyUpdate, &before.Record, c)
}

// clone shares nothing with the record that an edit could write to.
func (r *stored) clone() *auth.Record {
	c := r.Record
	c.Groups, c.Scopes, c.Secrets = slices.Clone(c.Groups), slices.Clone(c.Scopes), slices.Clone(c.Secrets)
	res := &c.Restrictions
	res.Hosts, res.Methods = slices.Clone(res.Hosts), slices.Clone(res.Methods)
	res.Paths, res.CIDRs = slices.Clone(res.Paths), slices.Clone(res.CIDRs)
	c.Metadata = maps.Clone(c.Metadata)
	return &c
}

// RotateKey implements repo.Keys.
func (s *Store) RotateKey(ctx context.Context, ref string, add auth.SecretInfo, retire time.Time) (c auth.Change, err error) {
	err = s.write(ctx, func(t *tx) error {
		r, err := t.record(ctx, ref)
		if err != nil {
			return err
		}
		if !r.RevokedAt.IsZero() {
			return auth.ErrRevoked
		}
		c, err = t.rotate(ctx, r.n, &r.Record, []auth.SecretInfo{add}, retire)
		return err
	})
	return done(c, err)
}

// rotate adds secrets to those that the record has, which end at retire, if not before.
func (t *tx) rotate(ctx context.Context, n int64, r *auth.Record, add []auth.SecretInfo, retire time.Time) (auth.Change, error) {
	end := moment(retire)
	if err := t.run(ctx, `UPDATE secrets SET expires_at = ? WHERE key = ? AND (expires_at = 0 OR expires_at > ?)`, end, n, end); err != nil {
		return auth.Change{}, err
	}
	place := 0
	if _, err := t.row(ctx, `SELECT coalesce(max(place) + 1, 0) FROM secrets WHERE key = ?`, []any{n}, &place); err != nil {
		return auth.Change{}, err
	}
	for i, secret := range add {
		if err := t.addSecret(ctx, n, place+i, secret); err != nil {
			return auth.Change{}, err
		}
	}
	c, err := t.log(ctx, keyChange(r, slices.Concat(r.Secrets, add)))
	if err != nil {
		return c, err
	}
	if err := t.run(ctx, `UPDATE keys SET updated_at = ?, changed_seq = ? WHERE n = ?`, auth.Millis(c.At), c.Seq, n); err != nil {
		return c, err
	}
	return c, t.auditKey(ctx, auth.ActionKeyRotate, r, c)
}

const revokeSecrets = `UPDATE secrets SET revoked = 1 WHERE key = ?`

// moment is t as it is stored where it stands for an end: the zero time, which
// would mean that there is none, has long passed.
func moment(t time.Time) int64 { return max(1, t.UnixMilli()) }

// RevokeKey implements repo.Keys.
func (s *Store) RevokeKey(ctx context.Context, ref string, at time.Time) (c auth.Change, err error) {
	err = s.write(ctx, func(t *tx) error {
		r, err := t.record(ctx, ref)
		if err != nil {
			return err
		}
		if !r.RevokedAt.IsZero() {
			c, err = t.change(ctx, r.revokedSeq) // rule 21: what confirms the first one confirms the second
			return err
		}
		if c, err = t.log(ctx, keyChange(&r.Record, r.Secrets)); err != nil {
			return err
		}
		if err := t.run(ctx, revokeSecrets, r.n); err != nil {
			return err
		}
		if err := t.run(ctx, `UPDATE keys SET revoked_at = ?, updated_at = ?, changed_seq = ?, revoked_seq = ? WHERE n = ?`,
			moment(at), auth.Millis(c.At), c.Seq, c.Seq, r.n); err != nil {
			return err
		}
		return t.auditKey(ctx, auth.ActionKeyRevoke, &r.Record, c)
	})
	return done(c, err)
}

// DeleteKey implements repo.Keys.
func (s *Store) DeleteKey(ctx context.Context, ref string) (c auth.Change, err error) {
	err = s.write(ctx, func(t *tx) error {
		r, err := t.record(ctx, ref)
		if err != nil {
			return err
		}
		if err := t.run(ctx, `DELETE FROM secrets WHERE key = ?`, r.n); err != nil {
			return err
		}
		if err := t.run(ctx, `DELETE FROM keys WHERE n = ?`, r.n); err != nil {
			return err
		}
		if err := t.forgetUsage(ctx, r.ID); err != nil {
			return err
		}
		if c, err = t.log(ctx, keyChange(&r.Record, r.Secrets)); err != nil {
			return err
		}
		return t.auditKey(ctx, auth.ActionKeyDelete, &r.Record, c)
	})
	return done(c, err)
}
