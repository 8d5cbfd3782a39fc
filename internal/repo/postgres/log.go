package postgres

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"

	"authd/internal/auth"
)

// dbNow is the time by the database's clock, which all replicas share: the
// present one, and not that of the beginning of the transaction.
const dbNow = `floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint`

// channel is where each commit of a change is told of.
const channel = "authd_changes"

const insertChange = `WITH c AS (INSERT INTO changes (at, key_id, digests, names, token)
	VALUES (` + dbNow + `, $1, $2, $3, $4) RETURNING seq, at)
	SELECT seq, at FROM c, pg_notify('` + channel + `', '')`

// log writes a change into the log, within the transaction of what it tells
// of: rule 1, its number is drawn under the lock. It sets Seq and At. Whoever
// listens is told with the commit.
func (t *tx) log(ctx context.Context, c auth.Change) (auth.Change, error) {
	digests := make([]byte, 0, len(c.Digests)*len(auth.Digest{}))
	for _, d := range c.Digests {
		digests = append(digests, d[:]...)
	}
	names, err := json.Marshal(c.Names)
	if err != nil {
		return c, fmt.Errorf("the change can't be logged: %w", err)
	}
	token := make([]byte, 16)
	_, _ = rand.Read(token) // never fails
	var at int64
	_, err = t.row(ctx, insertChange, []any{c.KeyID, digests, string(names), token}, &c.Seq, &at)
	c.At = auth.FromMillis(at)
	t.seq, t.token = c.Seq, token
	return c, err
}

// keyChange tells of a record with its secrets, and of the names that it had before.
func keyChange(r *auth.Record, secrets []auth.SecretInfo, before ...string) auth.Change {
	c := auth.Change{KeyID: r.ID, Digests: make([]auth.Digest, len(secrets)), Names: append(before, r.Name, r.Slug)}
	for i := range secrets {
		c.Digests[i] = secrets[i].Digest
	}
	slices.Sort(c.Names)
	c.Names = slices.Compact(c.Names)
	return c
}

const selectChanges = `SELECT seq, at, key_id, digests, names FROM changes `

// change reads a change that was logged before; the zero Change for seq 0, which stands for none.
func (c conn) change(ctx context.Context, seq int64) (change auth.Change, err error) {
	err = c.changes(ctx, selectChanges+`WHERE seq = $1`, []any{seq}, func(found auth.Change) { change = found })
	return change, err
}

// again is change for who would make that change a second time. It writes to
// its row, so that a first commit that gave up waiting for a standby is waited for now.
func (t *tx) again(ctx context.Context, seq int64) (auth.Change, error) {
	if _, err := t.touch(ctx, `WHERE seq = $1`, seq); err != nil {
		return auth.Change{}, err
	}
	return t.change(ctx, seq)
}

// touch writes to rows of the log without changing them, and returns how many there are.
func (t *tx) touch(ctx context.Context, where string, args ...any) (int64, error) {
	return t.affected(ctx, `UPDATE changes SET at = at `+where, args...)
}

func (c conn) changes(ctx context.Context, query string, args []any, each func(auth.Change)) error {
	return c.rows(ctx, query, args, func(scan func(...any) error) error {
		var (
			change  auth.Change
			at      int64
			digests []byte
			names   string
		)
		if err := scan(&change.Seq, &at, &change.KeyID, &digests, &names); err != nil {
			return err
		}
		change.At = auth.FromMillis(at)
		if json.Unmarshal([]byte(names), &change.Names) != nil || len(digests)%len(auth.Digest{}) != 0 {
			return c.s.unavailable(fmt.Sprintf("change %d is damaged in it: restore a backup", change.Seq))
		}
		for b := range slices.Chunk(digests, len(auth.Digest{})) {
			change.Digests = append(change.Digests, auth.Digest(b))
		}
		each(change)
		return nil
	})
}

// Changes implements repo.Log.
func (s *Store) Changes(ctx context.Context, after int64, limit int) (list []auth.Change, err error) {
	err = s.follower().changes(ctx, selectChanges+`WHERE seq > $1 ORDER BY seq LIMIT $2`, []any{after, limit},
		func(c auth.Change) { list = append(list, c) })
	if err != nil {
		return nil, err
	}
	if len(list) > 0 {
		s.entered(list[len(list)-1].Seq)
	}
	return list, nil
}

// LastChange implements repo.Log. It reads the rows, never the sequence: rule 9.
func (s *Store) LastChange(ctx context.Context) (last int64, err error) {
	_, err = s.follower().row(ctx, `SELECT coalesce(max(seq), 0) FROM changes`, nil, &last)
	if err == nil {
		s.entered(last)
	}
	return last, err
}

// Woken implements repo.Log.
func (s *Store) Woken() <-chan struct{} { return s.woken }
