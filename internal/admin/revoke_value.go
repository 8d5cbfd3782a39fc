package admin

import (
	"context"
	"errors"

	"authd/internal/auth"
)

// RevokeValue ends the key that has this value, and all its other secrets, for
// good: a value that was found where it should not be. It answers
// ErrKeyNotFound where no key has it, under any pepper that requests are tried under.
func (s *Service) RevokeValue(ctx context.Context, value auth.Secret) (Done, error) {
	if err := invalid(value.Acceptable(s.Digester.Prefix())); err != nil {
		return Done{}, err
	}
	for _, pepper := range s.Digester.Tried() {
		k, err := s.Store.ByDigest(ctx, pepper.Digest(value))
		switch {
		case err == nil:
			return s.Revoke(ctx, k.ID)
		case !errors.Is(err, auth.ErrKeyNotFound):
			return Done{}, err
		}
	}
	return Done{}, auth.ErrKeyNotFound
}
