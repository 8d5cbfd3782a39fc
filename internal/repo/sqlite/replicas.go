package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"authd/internal/auth"
)

// lockOf is the file whose lock proves that a replica's process lives.
func (s *Store) lockOf(id string) string {
	sum := sha256.Sum256([]byte(id)) // an id may hold what no file's name can
	return s.path + ".replica-" + hex.EncodeToString(sum[:8]) + ".lock"
}

// Register implements repo.Replicas. The lock is held before the row can be
// seen, and as long as it is there: rule 3. A row of this very id is one that
// nothing was founded on yet: its commit was not heard of, or the first read
// of the log failed. Its lock is ours then, and goes on.
func (s *Store) Register(ctx context.Context, r auth.Replica) error {
	s.holding.Lock()
	defer s.holding.Unlock()
	l, ours := s.held[r.ID]
	if !ours {
		var err error
		if l, err = waitForLock(ctx, s.lockOf(r.ID)); err != nil {
			return s.fault(err)
		}
	}
	now := time.Now().UnixMilli()
	err := s.write(ctx, func(t *tx) error {
		return t.run(ctx, `INSERT OR REPLACE INTO replicas (id, name, version, lease, outage, max_stale, applied, started_at, seen_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			r.ID, r.Name, r.Version, int64(r.Lease), r.Outage, int64(r.MaxStale), r.Applied, now, now)
	})
	switch {
	case err == nil:
		s.held[r.ID] = l
	case !ours:
		l.release()
	}
	return err
}

// Acknowledge implements repo.Replicas: rule 4, the row is never put back.
func (s *Store) Acknowledge(ctx context.Context, id string, applied int64) (there bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		n, err := t.affected(ctx, `UPDATE replicas SET applied = max(applied, ?), seen_at = ? WHERE id = ?`, applied, time.Now().UnixMilli(), id)
		there = n > 0
		return err
	})
	if err != nil {
		return false, err
	}
	if !there {
		s.letGo(id)
	}
	return there, nil
}

// letGo ends the lock of a replica without a row: there is nothing left to prove.
func (s *Store) letGo(id string) {
	s.holding.Lock()
	defer s.holding.Unlock()
	if l, ok := s.held[id]; ok {
		delete(s.held, id)
		l.remove()
	}
}

// Unregister implements repo.Replicas.
func (s *Store) Unregister(ctx context.Context, id string) error {
	err := s.write(ctx, func(t *tx) error { return t.run(ctx, `DELETE FROM replicas WHERE id = ?`, id) })
	if err == nil {
		s.letGo(id)
	}
	return err
}

// ListReplicas implements repo.Replicas.
func (s *Store) ListReplicas(ctx context.Context) ([]auth.Replica, error) {
	all, err := s.replicas(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]auth.Replica, 0, len(all))
	for i := range all {
		gone, err := s.removeGone(ctx, &all[i])
		if err != nil {
			return nil, err
		}
		if !gone {
			list = append(list, all[i])
		}
	}
	return list, nil
}

func (s *Store) replicas(ctx context.Context) (list []auth.Replica, err error) {
	err = conn{s, s.readers}.rows(ctx, `SELECT id, name, version, lease, outage, max_stale, applied, started_at, seen_at
		FROM replicas ORDER BY name, id`, nil, func(scan func(...any) error) error {
		var r auth.Replica
		var lease, maxStale, started, seen int64
		err := scan(&r.ID, &r.Name, &r.Version, &lease, &r.Outage, &maxStale, &r.Applied, &started, &seen)
		r.Lease, r.MaxStale = time.Duration(lease), time.Duration(maxStale)
		r.StartedAt, r.SeenAt = auth.FromMillis(started), auth.FromMillis(seen)
		r.Silent = max(0, time.Since(r.SeenAt))
		list = append(list, r)
		return err
	})
	return list, err
}

// removeGone removes the row of a replica whose lock is free, which proves
// that its process is dead, or whose time is over: rule 3. A replica that was
// seen again meanwhile stays.
func (s *Store) removeGone(ctx context.Context, r *auth.Replica) (gone bool, err error) {
	l, dead, err := tryExisting(s.lockOf(r.ID))
	if err != nil {
		return false, s.fault(err)
	}
	if !dead && r.Silent <= r.StopsAfter() {
		return false, nil
	}
	err = s.write(ctx, func(t *tx) error {
		n, err := t.affected(ctx, `DELETE FROM replicas WHERE id = ? AND (? OR seen_at = ?)`, r.ID, dead, auth.Millis(r.SeenAt))
		gone = n > 0 || dead
		return err
	})
	switch {
	case dead && err == nil:
		l.remove()
	case dead:
		l.release() // the file stays: it is the proof for whoever comes next
	}
	return gone && err == nil, err
}
