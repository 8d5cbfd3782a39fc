package postgres

import (
	"context"

	"authd/internal/auth"
)

const insertUser = `INSERT INTO users (login, active, created_at, changed_seq) VALUES ($1, true, ` + dbNow + `, 0)
	ON CONFLICT DO NOTHING`

// makeUser makes a user where there is none of this login.
func (t *tx) makeUser(ctx context.Context, login string) error { return t.run(ctx, insertUser, login) }

// CreateUser implements repo.Users.
func (s *Store) CreateUser(ctx context.Context, login string) error {
	return s.write(ctx, func(t *tx) error {
		n, err := t.affected(ctx, insertUser, login)
		if err == nil && n == 0 {
			err = auth.ErrUserTaken
		}
		return err
	})
}

// ListUsers implements repo.Users.
func (s *Store) ListUsers(ctx context.Context) (list []auth.User, err error) {
	err = s.reader().rows(ctx, `SELECT u.login, u.active, u.created_at, count(k.n)
		FROM users u LEFT JOIN keys k ON k.login = u.login GROUP BY u.login ORDER BY u.login`, nil,
		func(scan func(...any) error) error {
			var u auth.User
			var created int64
			err := scan(&u.Login, &u.Active, &created, &u.Keys)
			u.CreatedAt = auth.FromMillis(created)
			list = append(list, u)
			return err
		})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// SetUserActive implements repo.Users.
func (s *Store) SetUserActive(ctx context.Context, login string, active bool) (c auth.Change, err error) {
	err = s.write(ctx, func(t *tx) error {
		c, err = t.setUserActive(ctx, login, active)
		return err
	})
	return done(c, err)
}

func (t *tx) setUserActive(ctx context.Context, login string, active bool) (auth.Change, error) {
	var was bool
	var last int64
	found, err := t.row(ctx, `SELECT active, changed_seq FROM users WHERE login = $1`, []any{login}, &was, &last)
	switch {
	case impossible(err), err == nil && !found:
		return auth.Change{}, auth.ErrUserNotFound
	case err != nil:
		return auth.Change{}, err
	case was == active:
		return t.again(ctx, last)
	}
	all, err := t.touchedBy(ctx, login)
	if err != nil {
		return auth.Change{}, err
	}
	c, err := t.log(ctx, all)
	if err != nil {
		return c, err
	}
	return c, t.run(ctx, `UPDATE users SET active = $1, changed_seq = $2 WHERE login = $3`, active, c.Seq, login)
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
