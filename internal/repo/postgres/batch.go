package postgres

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

// byIndex keeps plans from being those of the time before the batch, when the
// tables may have been empty: they would read the whole of what has grown meanwhile. Those
// of foreign keys are asked for every row, so that planning each time would cost as much again.
// Where there is no index, a plan only seems to be expensive, and is not worth compiling.
const byIndex = `SET LOCAL enable_seqscan = off; SET LOCAL jit = off; DISCARD PLANS`

// batch answers the last change that it logs.
func (t *tx) batch(ctx context.Context, b auth.Batch, progress func(made int)) (last auth.Change, err error) {
	if err := t.run(ctx, byIndex); err != nil {
		return last, err
	}
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
	made, err := t.makeUsers(ctx, writes, users)
	if err != nil {
		return c, err
	}
	if err := t.insertRows(ctx, writes, c.Seq); err != nil {
		return c, err
	}
	return c, t.auditNew(ctx, made, writes, c)
}

// makeUsers makes the users that are not there, and returns their logins.
func (t *tx) makeUsers(ctx context.Context, writes []auth.KeyWrite, users map[string]bool) (made []string, err error) {
	var logins []string
	for i := range writes {
		if login := writes[i].Record.User; !users[login] {
			users[login], logins = true, append(logins, login)
		}
	}
	if len(logins) == 0 {
		return nil, nil
	}
	err = t.rows(ctx, insertUsers, []any{logins}, func(scan func(...any) error) error {
		var login string
		err := scan(&login)
		made = append(made, login)
		return err
	})
	return made, err
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

// insertRows asks nobody before whether the names, the slugs and the values
// are free: the database leaves out those that are not.
func (t *tx) insertRows(ctx context.Context, writes []auth.KeyWrite, seq int64) error {
	keys, err := keyRows(writes, seq)
	if err != nil {
		return err
	}
	numbers := make(map[string]int64, len(writes)) // of the records, by id
	err = t.rows(ctx, insertKeys, keys, func(scan func(...any) error) error {
		var id string
		var n int64
		err := scan(&id, &n)
		numbers[id] = n
		return err
	})
	if err != nil {
		return err
	}
	for i := range writes {
		if r := &writes[i].Record; numbers[r.ID] == 0 {
			return fmt.Errorf("key %q: %w", r.Name, cmp.Or(t.free(ctx, r, noKey), errIDTaken))
		}
	}
	secrets := secretRows(writes, numbers)
	added, err := t.affected(ctx, insertSecrets, secrets...)
	if err == nil && added < int64(len(secrets[0].([][]byte))) {
		err = t.taken(ctx, writes, numbers)
	}
	return err
}

var errIDTaken = errors.New("another key has its id")

// taken finds the new record whose value another one has.
func (t *tx) taken(ctx context.Context, writes []auth.KeyWrite, numbers map[string]int64) error {
	for i := range writes {
		w := &writes[i]
		for _, s := range w.Secrets {
			found, err := t.row(ctx, `SELECT 1 FROM secrets WHERE digest = $1 AND key <> $2`, []any{s.Digest[:], numbers[w.Record.ID]}, new(int))
			if err != nil {
				return err
			}
			if found {
				return fmt.Errorf("key %q: %w", w.Record.Name, auth.ErrSecretTaken)
			}
		}
	}
	return auth.ErrSecretTaken
}

const (
	insertUsers = `INSERT INTO users (login, active, created_at, changed_seq)
		SELECT u, true, ` + dbNow + `, 0 FROM unnest($1::text[]) u ON CONFLICT DO NOTHING RETURNING login`
	insertKeys = `INSERT INTO keys (name, slug, login, active, revoked_at, not_before, expires_at,
		groups, scopes, restrictions, limits, metadata, note, id, created_at, updated_at, changed_seq, revoked_seq)
		SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[], $5::bigint[], $6::bigint[], $7::bigint[],
		$8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[]) ON CONFLICT DO NOTHING RETURNING id, n`
	insertSecrets = `INSERT INTO secrets (digest, key, place, hint, pepper, created_at, expires_at, revoked)
		SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::boolean[]) ON CONFLICT (digest) DO NOTHING`
)

// keyRows are the columns of new records, as insertKeys takes them.
func keyRows(writes []auth.KeyWrite, seq int64) ([]any, error) {
	var (
		texts [10][]string
		nums  [7][]int64
		flags []bool
	)
	for i := range writes {
		r := &writes[i].Record
		c, err := encode(r)
		if err != nil {
			return nil, err
		}
		revokedSeq := int64(0)
		if !r.RevokedAt.IsZero() {
			revokedSeq = seq
		}
		for j, v := range []string{c.name, c.slug, c.login, c.groups, c.scopes, c.restrictions, c.limits, c.metadata, c.note, r.ID} {
			texts[j] = append(texts[j], v)
		}
		for j, v := range []int64{c.revokedAt, c.notBefore, c.expiresAt, auth.Millis(r.CreatedAt), auth.Millis(r.UpdatedAt), seq, revokedSeq} {
			nums[j] = append(nums[j], v)
		}
		flags = append(flags, c.active)
	}
	return []any{
		texts[0], texts[1], texts[2], flags, nums[0], nums[1], nums[2],
		texts[3], texts[4], texts[5], texts[6], texts[7], texts[8], texts[9], nums[3], nums[4], nums[5], nums[6],
	}, nil
}

// secretRows are the columns of the secrets of new records, as insertSecrets takes them.
func secretRows(writes []auth.KeyWrite, numbers map[string]int64) []any {
	var (
		digests                    [][]byte
		keys, places, created, end []int64
		hints, peppers             []string
		revoked                    []bool
	)
	for i := range writes {
		for place, s := range writes[i].Secrets {
			digests, keys, places = append(digests, s.Digest[:]), append(keys, numbers[writes[i].Record.ID]), append(places, int64(place))
			hints, peppers = append(hints, s.Hint), append(peppers, s.PepperID)
			created, end = append(created, auth.Millis(s.CreatedAt)), append(end, auth.Millis(s.ExpiresAt))
			revoked = append(revoked, s.Revoked)
		}
	}
	return []any{digests, keys, places, hints, peppers, created, end, revoked}
}

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
