package postgres

import (
	"context"

	"authd/internal/auth"
)

const insertUser = `INSERT INTO users (login, active, created_at, changed_seq) VALUES ($1, true, ` + dbNow + `, 0)
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
	e, err := auth.UserAudit(login, nil, true)
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
		var was bool
		var last int64
		found, err := t.row(ctx, `SELECT active, changed_seq FROM users WHERE login = $1`, []any{login}, &was, &last)
		switch {
		case impossible(err), err == nil && !found:
			return auth.ErrUserNotFound
		case err != nil:
			return err
		case was == active:
			c, err = t.again(ctx, last)
			return err
		}
		all, err := t.touchedBy(ctx, login)
		if err != nil {
			return err
		}
		if c, err = t.log(ctx, all); err != nil {
			return err
		}
		if err := t.run(ctx, `UPDATE users SET active = $1, changed_seq = $2 WHERE login = $3`, active, c.Seq, login); err != nil {
			return err
		}
		e, err := auth.UserAudit(login, &was, active)
		e.At = c.At
		return t.audit(ctx, e, err)
	})
	return done(c, err)
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
