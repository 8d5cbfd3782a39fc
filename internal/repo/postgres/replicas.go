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
	return s.follower().run(ctx, `INSERT INTO replicas (id, name, version, lease, outage, max_stale, applied, started_at, seen_at)
		SELECT $1::text, $2::text, $3::text, $4::bigint, $5::text, $6::bigint, $7::bigint, now, now FROM (SELECT `+dbNow+` AS now) t WHERE `+durably+`
		ON CONFLICT (id) DO UPDATE SET (name, version, lease, outage, max_stale, applied, started_at, seen_at) =
			(excluded.name, excluded.version, excluded.lease, excluded.outage, excluded.max_stale,
			excluded.applied, excluded.started_at, excluded.seen_at)`,
		r.ID, r.Name, r.Version, int64(r.Lease), r.Outage, int64(r.MaxStale), r.Applied)
}

// Acknowledge implements repo.Replicas: rule 4, the row is never put back. The
// row must outlast a crash of the server, or there is no acknowledgement that a lease
// could rest on (rule 12): with an older one in its place, the time of this replica would be over too soon.
//
// It is also how a replica finds that another server has taken the place of the one before, although nobody changes anything.
func (s *Store) Acknowledge(ctx context.Context, id string, applied int64) (bool, error) {
	var moved bool
	there, err := s.follower().row(ctx, `UPDATE replicas SET applied = greatest(applied, $2), seen_at = `+dbNow+`
		WHERE id = $1 AND `+durably+` RETURNING `+s.moved(), []any{id, applied}, &moved)
	if err == nil && moved {
		err = s.write(ctx, func(*tx) error { return nil }) // every transaction begins the epoch that it is in
	}
	return there, err
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
			n, err := s.follower().affected(ctx, `DELETE FROM replicas WHERE id = $1 AND seen_at = $2`, r.ID, auth.Millis(r.SeenAt))
			if err != nil {
				return nil, err
			}
			if n > 0 {
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
