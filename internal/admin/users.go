package admin

import (
	"context"
	"fmt"

	"authd/internal/auth"
)

// CreateUser stores a user of this login, active. No answer changes by it, so
// there is nothing to confirm.
func (s *Service) CreateUser(ctx context.Context, login string) error {
	if err := invalid(auth.CheckText("the user's login", login, auth.MaxName)); err != nil {
		return err
	}
	return userError(login, s.Store.CreateUser(ctx, login))
}

// SetUserActive lets a user's keys pass, or none of them.
func (s *Service) SetUserActive(ctx context.Context, login string, active bool) (Done, error) {
	user, known, err := s.user(ctx, login)
	if err != nil {
		return Done{}, err
	}
	if !known {
		return Done{}, userError(login, auth.ErrUserNotFound)
	}
	change, err := s.Store.SetUserActive(ctx, login, active)
	if err != nil {
		return Done{}, userError(login, err)
	}
	return Done{Already: user.Active == active, Change: change}, nil
}

func userError(login string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("user %q: %w", login, err)
}
