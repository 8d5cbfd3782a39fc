package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"authd/internal/auth"
)

// log writes a change into the log: rule 1, within the transaction of what it
// tells of, which no other writer's can overtake. It sets Seq and At.
func (t *tx) log(ctx context.Context, c auth.Change) (auth.Change, error) {
	c.At = time.Now().UTC().Truncate(time.Millisecond)
	digests := make([]byte, 0, len(c.Digests)*len(auth.Digest{}))
	for _, d := range c.Digests {
		digests = append(digests, d[:]...)
	}
	names, err := json.Marshal(c.Names)
	if err != nil {
		return c, fmt.Errorf("the change can't be logged: %w", err)
	}
	c.Seq, err = t.insert(ctx, `INSERT INTO changes (at, key_id, digests, names) VALUES (?, ?, ?, ?)`,
		auth.Millis(c.At), c.KeyID, digests, string(names))
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

// change reads a change that was logged before. Of one that is not in the log
// any more it knows the number, which is what has to be confirmed (rule 21); 0
// stands for none.
func (c conn) change(ctx context.Context, seq int64) (change auth.Change, err error) {
	change.Seq = seq
	err = c.changes(ctx, selectChanges+`WHERE seq = ?`, []any{seq}, func(found auth.Change) { change = found })
	return change, err
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
	if err := s.inPlace(); err != nil {
		return nil, err
	}
	err = conn{s, s.readers}.changes(ctx, selectChanges+`WHERE seq > ? ORDER BY seq LIMIT ?`, []any{after, limit},
		func(c auth.Change) { list = append(list, c) })
	if err != nil {
		return nil, err
	}
	return list, nil
}

// LastChange implements repo.Log. It reads the rows, never the sequence: rule 9.
func (s *Store) LastChange(ctx context.Context) (last int64, err error) {
	_, err = conn{s, s.readers}.row(ctx, `SELECT coalesce(max(seq), 0) FROM changes`, nil, &last)
	return last, err
}

// Woken implements repo.Log.
func (s *Store) Woken() <-chan struct{} { return s.woken }

// watchEvery is how often the file is looked at for commits of others. That
// reads a counter in shared memory, and no table.
const watchEvery = 20 * time.Millisecond

// watch wakes after each commit, until ctx ends. The counter is one of a
// connection's own, so it is read on one and the same; a new one wakes, since
// there may have been commits before it.
func (s *Store) watch(ctx context.Context) {
	var c *sql.Conn
	var seen int64
	for {
		var version int64
		var err error
		if c == nil {
			c, err = s.readers.Conn(ctx)
			seen = -1
		}
		if err == nil {
			err = c.QueryRowContext(ctx, `PRAGMA data_version`).Scan(&version)
		}
		switch {
		case err != nil && c != nil:
			_ = c.Close()
			c = nil
		case err == nil && version != seen:
			seen = version
			s.wake()
		}
		if !pause(ctx, watchEvery) {
			break
		}
	}
	if c != nil {
		_ = c.Close()
	}
}

// wake sends without blocking: one waiting signal is as good as many.
func (s *Store) wake() {
	select {
	case s.woken <- struct{}{}:
	default:
	}
}
