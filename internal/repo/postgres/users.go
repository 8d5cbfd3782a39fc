package postgres

import (
	"context"

	"authd/internal/auth"
)

const insertUser = `INSERT INTO users (login, active, created_at, changed_seq, limits) VALUES ($1, true, ` + dbNow + `, 0, '{}')
	ON CONFLICT DO NOTHING`

// makeUser makes a user where there is none of this login.
func (t *tx) makeUser(ctx context.Context, login string) error {
	_, err := t.newUser(ctx, login)
	return err
}

// newUser makes a user, and reports false where there is one of this login.
func (t *tx) newUser(ctx context.Context, login string) (bool, error) {
	n, err := t.affected(ctx, insertUser, login)
	if err != nil || n == 0 {
		return false, err
	}
	e, err := auth.UserAudit(login, nil, &auth.User{Active: true})
	return true, t.audit(ctx, e, err)
}

// CreateUser implements repo.Users.
func (s *Store) CreateUser(ctx context.Context, login string) error {
	return s.write(ctx, func(t *tx) error {
		made, err := t.newUser(ctx, login)
		if err == nil && !made {
			err = auth.ErrUserTaken
		}
		return err
	})
}

// ListUsers implements repo.Users.
func (s *Store) ListUsers(ctx context.Context) (list []auth.User, err error) {
	err = s.reader().rows(ctx, `SELECT u.login, u.active, u.created_at, u.limits, count(k.n)
		FROM users u LEFT JOIN keys k ON k.login = u.login GROUP BY u.login ORDER BY u.login`, nil,
		func(scan func(...any) error) error {
			var u auth.User
			var created int64
			var limits string
			if err := scan(&u.Login, &u.Active, &created, &limits, &u.Keys); err != nil {
				return err
			}
			u.CreatedAt = auth.FromMillis(created)
			list = append(list, u)
			return decodeLimits(s, limits, u.Login, &list[len(list)-1].Limits)
		})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// SetUserActive implements repo.Users.
func (s *Store) SetUserActive(ctx context.Context, login string, active bool) (auth.Change, error) {
	return s.updateUser(ctx, login, func(u *auth.User) error { u.Active = active; return nil })
}

// SetUserLimits implements repo.Users.
func (s *Store) SetUserLimits(ctx context.Context, login string, edit func(*auth.Limits) error) (auth.Change, error) {
	return s.updateUser(ctx, login, func(u *auth.User) error { return edit(&u.Limits) })
}

// updateUser lets edit change whether a user is active, and its limits.
func (s *Store) updateUser(ctx context.Context, login string, edit func(*auth.User) error) (c auth.Change, err error) {
	err = s.write(ctx, func(t *tx) error {
		c, err = t.updateUser(ctx, login, edit)
		return err
	})
	return done(c, err)
}

func (t *tx) updateUser(ctx context.Context, login string, edit func(*auth.User) error) (auth.Change, error) {
	var u auth.User
	var limits string
	var last int64
	found, err := t.row(ctx, `SELECT active, limits, changed_seq FROM users WHERE login = $1`, []any{login}, &u.Active, &limits, &last)
	switch {
	case impossible(err), err == nil && !found:
		return auth.Change{}, auth.ErrUserNotFound
	case err != nil:
		return auth.Change{}, err
	}
	if err := decodeLimits(t.s, limits, login, &u.Limits); err != nil {
		return auth.Change{}, err
	}
	was := u
	if err := edit(&u); err != nil {
		return auth.Change{}, err
	}
	if u == was {
		return t.again(ctx, last)
	}
	if limits, err = encodeLimits(u.Limits); err != nil {
		return auth.Change{}, err
	}
	all, err := t.touchedBy(ctx, login)
	if err != nil {
		return auth.Change{}, err
	}
	c, err := t.log(ctx, all)
	if err != nil {
		return auth.Change{}, err
	}
	if err := t.run(ctx, `UPDATE users SET active = $1, limits = $2, changed_seq = $3 WHERE login = $4`, u.Active, limits, c.Seq, login); err != nil {
		return auth.Change{}, err
	}
	e, err := auth.UserAudit(login, &was, &u)
	e.At = c.At
	return c, t.audit(ctx, e, err)
}

// touchedBy tells of all keys of a user.
func (t *tx) touchedBy(ctx context.Context, login string) (auth.Change, error) {
	c := auth.Change{Names: []string{}}
	err := t.records(ctx, "WHERE k.login = $1 ORDER BY k.n, s.place", []any{login}, func(r *stored) {
		of := keyChange(&r.Record, r.Secrets)
		c.Digests = append(c.Digests, of.Digests...)
		c.Names = append(c.Names, of.Names...)
	})
	return c, err
}
