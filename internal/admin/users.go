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

// CreateLimitedUser stores a user whose keys share limits. The limits come
// second: where that fails, the user is there without them, and the error says so.
func (s *Service) CreateLimitedUser(ctx context.Context, login string, l auth.Limits) error {
	if err := invalid(l.Validate()); err != nil {
		return userError(login, err)
	}
	if err := s.CreateUser(ctx, login); err != nil || l.IsZero() {
		return err
	}
	if _, err := s.UpdateUserLimits(ctx, login, func(of *auth.Limits) { *of = l }); err != nil {
		return fmt.Errorf("the user was created, but without limits; give them with users update: %w", err)
	}
	return nil
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

// UpdateUserLimits lets edit change the limits that a user's keys share.
func (s *Service) UpdateUserLimits(ctx context.Context, login string, edit func(*auth.Limits)) (Done, error) {
	done := Done{}
	change, err := s.Store.SetUserLimits(ctx, login, func(l *auth.Limits) error {
		was := *l
		edit(l)
		done.Already = *l == was
		return invalid(l.Validate())
	})
	if err != nil {
		return Done{}, userError(login, err)
	}
	done.Change = change
	return done, nil
}

// User finds a user by login.
func (s *Service) User(ctx context.Context, login string) (auth.User, error) {
	user, known, err := s.user(ctx, login)
	if err == nil && !known {
		err = auth.ErrUserNotFound
	}
	return user, userError(login, err)
}

func userError(login string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("user %q: %w", login, err)
}
