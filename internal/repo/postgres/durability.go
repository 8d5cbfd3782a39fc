package postgres

import (
	"context"

	"authd/internal/auth"
)

// Durability implements repo.Store. That a commit waits is not asked: every transaction of a writer sees to it (durably).
func (s *Store) Durability(ctx context.Context) (auth.Durability, error) {
	var fsync, standbys string
	_, err := s.reader().row(ctx, `SELECT coalesce(current_setting('fsync', true), 'on'),
		coalesce(current_setting('synchronous_standby_names', true), '')`, nil, &fsync, &standbys)
	switch {
	case err != nil:
		return "", err
	case standbys != "":
		return auth.OnStandby, nil
	case fsync == "off":
		return auth.InMemory, nil
	}
	return auth.OnDisk, nil
}
