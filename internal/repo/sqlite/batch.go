package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"authd/internal/auth"
)

// perChange is how many new keys of a batch one change tells of.
const perChange = 200

// ImportKeys implements repo.Keys.
func (s *Store) ImportKeys(ctx context.Context, b auth.Batch, progress func(made int)) (c auth.Change, err error) {
	if err := b.Check(); err != nil {
		return c, err
	}
	err = s.write(ctx, func(t *tx) error {
		c, err = t.batch(ctx, b, progress)
		return err
	})
	return done(c, err)
}

// batch answers the last change that it logs.
func (t *tx) batch(ctx context.Context, b auth.Batch, progress func(made int)) (last auth.Change, err error) {
	made := 0
	users := map[string]bool{} // that are there for sure
	for chunk := range b.Chunks(perChange) {
		var c auth.Change
		if chunk[0].Replaces == 0 {
			c, err = t.insertAll(ctx, chunk, users)
		} else {
			c, err = t.replace(ctx, &chunk[0])
		}
		if err != nil {
			return last, err
		}
		last = last.Later(c)
		made += len(chunk)
		if progress != nil {
			progress(made)
		}
	}
	for _, login := range b.Inactive {
		c, err := t.updateUser(ctx, login, func(u *auth.User) error { u.Active = false; return nil })
		if err != nil {
			return last, fmt.Errorf("user %q: %w", login, err)
		}
		last = last.Later(c)
	}
	return last, nil
}

// insertAll stores new records, and logs one change of them all.
func (t *tx) insertAll(ctx context.Context, writes []auth.KeyWrite, users map[string]bool) (auth.Change, error) {
	c, err := t.log(ctx, batchChange(writes))
	if err != nil {
		return c, err
	}
	for i := range writes {
		w := &writes[i]
		if !users[w.Record.User] {
			if err := t.makeUser(ctx, w.Record.User); err != nil {
				return c, err
			}
			users[w.Record.User] = true
		}
		if err := t.insertOne(ctx, w, c.Seq); err != nil {
			return c, fmt.Errorf("key %q: %w", w.Record.Name, err)
		}
	}
	return c, t.auditNew(ctx, nil, writes, c) // makeUser has told of the users
}

// batchChange tells of many records; of one, as any change does.
func batchChange(writes []auth.KeyWrite) auth.Change {
	if len(writes) == 1 {
		return keyChange(&writes[0].Record, writes[0].Secrets)
	}
	var all auth.Change
	for i := range writes {
		c := keyChange(&writes[i].Record, writes[i].Secrets)
		all.Digests, all.Names = append(all.Digests, c.Digests...), append(all.Names, c.Names...)
	}
	slices.Sort(all.Names)
	all.Names = slices.Compact(all.Names)
	return all
}

// insertOne asks nobody before whether the name, the slug and the values are
// free: the database says so where they are not.
func (t *tx) insertOne(ctx context.Context, w *auth.KeyWrite, seq int64) error {
	r := &w.Record
	cols, err := encode(r)
	if err != nil {
		return err
	}
	revokedSeq := int64(0)
	if !r.RevokedAt.IsZero() {
		revokedSeq = seq
	}
	res, err := t.exec(ctx, insertKey+` ON CONFLICT DO NOTHING`, append(cols.values(),
		r.ID, auth.Millis(r.CreatedAt), auth.Millis(r.UpdatedAt), seq, revokedSeq)...)
	if err != nil {
		return err
	}
	added, err := res.RowsAffected()
	switch {
	case err != nil:
		return t.s.fault(err)
	case added == 0:
		return cmp.Or(t.free(ctx, r, noKey), errIDTaken)
	}
	n, err := res.LastInsertId()
	if err != nil {
		return t.s.fault(err)
	}
	for place, secret := range w.Secrets {
		added, err := t.affected(ctx, insertSecret+` ON CONFLICT (digest) DO NOTHING`, secretValues(n, place, secret)...)
		if err != nil {
			return err
		}
		if added == 0 {
			return auth.ErrSecretTaken
		}
	}
	return nil
}

var errIDTaken = errors.New("another key has its id")

// replace makes another record of one that is as it was read.
func (t *tx) replace(ctx context.Context, w *auth.KeyWrite) (auth.Change, error) {
	c, err := t.replaced(ctx, w)
	if err != nil {
		return c, fmt.Errorf("key %q: %w", w.Record.Name, err)
	}
	return c, nil
}

func (t *tx) replaced(ctx context.Context, w *auth.KeyWrite) (auth.Change, error) {
	before, err := t.record(ctx, w.Record.ID)
	if errors.Is(err, auth.ErrKeyNotFound) || err == nil && before.ChangedSeq != w.Replaces {
		err = auth.ErrStale
	} else if err == nil && len(w.Secrets) > 0 && !before.RevokedAt.IsZero() {
		err = auth.ErrRevoked
	}
	if err != nil {
		return auth.Change{}, err
	}
	after := w.Record
	after.Secrets = before.Secrets
	c, err := t.update(ctx, before, &after)
	if err != nil || len(w.Secrets) == 0 {
		return c, err
	}
	return t.rotate(ctx, before.n, &after, w.Secrets, w.Retire)
}
