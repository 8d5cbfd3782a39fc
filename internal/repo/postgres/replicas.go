package postgres

import (
	"context"
	"time"

	"authd/internal/auth"
)

// Register implements repo.Replicas. A row of this very id is one that nothing
// was founded on yet: its commit was not heard of, or the first read of the
// log failed.
func (s *Store) Register(ctx context.Context, r auth.Replica) error {
	_, err := s.lasting(ctx, `INSERT INTO replicas (id, name, version, lease, outage, max_stale, applied, started_at, seen_at)
		SELECT $1::text, $2::text, $3::text, $4::bigint, $5::text, $6::bigint, $7::bigint, now, now FROM (SELECT `+dbNow+` AS now) t WHERE `+durably+`
		ON CONFLICT (id) DO UPDATE SET (name, version, lease, outage, max_stale, applied, started_at, seen_at) =
			(excluded.name, excluded.version, excluded.lease, excluded.outage, excluded.max_stale,
			excluded.applied, excluded.started_at, excluded.seen_at)`,
		[]any{r.ID, r.Name, r.Version, int64(r.Lease), r.Outage, int64(r.MaxStale), r.Applied})
	return err
}

// Acknowledge implements repo.Replicas: rule 4, the row is never put back. The
// row must outlast a crash of the server, or there is no acknowledgement that a lease
// could rest on (rule 12): with an older one in its place, the time of this replica would be over too soon.
//
// It is also how a replica finds that another server has taken the place of the one before, although nobody changes
// anything. What it read from the one before is no ground for a lease then (rule 22): writers may have given it up there.
func (s *Store) Acknowledge(ctx context.Context, id string, applied int64) (bool, error) {
	var (
		moved bool
		epoch int64
	)
	there, err := s.lasting(ctx, `UPDATE replicas SET applied = greatest(applied, $2), seen_at = `+dbNow+`
		WHERE id = $1 AND `+durably+` RETURNING `+s.moved()+`, (SELECT max(n) FROM epochs)`, []any{id, applied}, &moved, &epoch)
	if err == nil && moved {
		err = s.write(ctx, func(t *tx) error { // every transaction begins the epoch that it is in
			_, err := t.row(ctx, `SELECT max(n) FROM epochs`, nil, &epoch)
			return err
		})
	}
	if err == nil && auth.EpochOf(applied) < epoch {
		err = s.unavailable("another server has taken its place: its change log is read anew")
	}
	return there, err
}

// lasting runs one statement that is durable, and reports whether it gave a row. One whose
// wait for a standby was given up has not been answered.
func (s *Store) lasting(ctx context.Context, query string, args []any, dest ...any) (bool, error) {
	c, err := s.pool.Acquire(ctx)
	if err != nil {
		return false, s.fault(ctx, err)
	}
	defer c.Release()
	warned := warnings(c.Conn().PgConn())
	found, err := conn{s, c, false}.row(ctx, query, args, dest...)
	if err == nil && warnings(c.Conn().PgConn()) != warned {
		err = s.unavailable("its standby was no longer waited for, and may not have what was written")
	}
	return found, err
}

// Unregister implements repo.Replicas.
func (s *Store) Unregister(ctx context.Context, id string) error {
	return s.follower().run(ctx, `DELETE FROM replicas WHERE id = $1`, id)
}

// ListReplicas implements repo.Replicas. Over a network nothing proves that a
// process is dead: a row goes when its time is over, and no sooner (rule 3). One
// that was seen again meanwhile stays.
func (s *Store) ListReplicas(ctx context.Context) ([]auth.Replica, error) {
	all, err := s.replicas(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.follower().lostReplicas(ctx)
	if err != nil {
		return nil, err
	}
	for i := range all {
		r := &all[i]
		if r.Silent > r.StopsAfter() {
			// Durably, or else the row might come back, and its replica find it there (rule 4).
			gone, err := s.lasting(ctx, `DELETE FROM replicas WHERE id = $1 AND seen_at = $2 AND `+durably+` RETURNING true`,
				[]any{r.ID, auth.Millis(r.SeenAt)}, new(bool))
			if err != nil {
				return nil, err
			}
			if gone {
				continue
			}
		}
		list = append(list, *r)
	}
	return list, nil
}

func (s *Store) replicas(ctx context.Context) (list []auth.Replica, err error) {
	err = s.follower().rows(ctx, `SELECT id, name, version, lease, outage, max_stale, applied, started_at, seen_at,
		greatest(0, `+dbNow+` - seen_at) FROM replicas ORDER BY name, id`, nil, func(scan func(...any) error) error {
		var r auth.Replica
		var lease, maxStale, started, seen, silent int64
		err := scan(&r.ID, &r.Name, &r.Version, &lease, &r.Outage, &maxStale, &r.Applied, &started, &seen, &silent)
		r.Lease, r.MaxStale = time.Duration(lease), time.Duration(maxStale)
		r.StartedAt, r.SeenAt = auth.FromMillis(started), auth.FromMillis(seen)
		r.Silent = time.Duration(silent) * time.Millisecond
		list = append(list, r)
		return err
	})
	return list, err
}
