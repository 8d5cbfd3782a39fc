package sqlite

import (
	"context"

	"authd/internal/auth"
)

// full is the value of the pragma from which on a commit is on the disk when it has answered, with a write-ahead log.
const full = 2

// Durability implements repo.Store. It asks the connection that writes.
func (s *Store) Durability(ctx context.Context) (auth.Durability, error) {
	if err := s.inPlace(); err != nil {
		return "", err
	}
	var synchronous int
	if err := s.writer.QueryRowContext(ctx, `PRAGMA synchronous`).Scan(&synchronous); err != nil {
		return "", s.fault(err)
	}
	if synchronous < full {
		return auth.InMemory, nil
	}
	return auth.OnDisk, nil
}
