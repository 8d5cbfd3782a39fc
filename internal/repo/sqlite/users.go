package sqlite

import (
	"context"
	"time"

	"authd/internal/auth"
)

// makeUser makes a user where there is none of this login.
func (t *tx) makeUser(ctx context.Context, login string) error {
	n, err := t.affected(ctx, insertUser+` ON CONFLICT DO NOTHING`, login, time.Now().UnixMilli())
	if err != nil || n == 0 {
		return err
	}
	e, err := auth.UserAudit(login, nil, true)
	return t.audit(ctx, e, err)
}

const insertUser = `INSERT INTO users (login, active, created_at, changed_seq) VALUES (?, 1, ?, 0)`

// CreateUser implements repo.Users.
func (s *Store) CreateUser(ctx context.Context, login string) error {
	return s.write(ctx, func(t *tx) error {
		err := t.run(ctx, insertUser, login, time.Now().UnixMilli())
		if refused(err) {
			return auth.ErrUserTaken
		}
		if err != nil {
			return err
		}
		e, err := auth.UserAudit(login, nil, true)
		return t.audit(ctx, e, err)
	})
}

// ListUsers implements repo.Users.
func (s *Store) ListUsers(ctx context.Context) (list []auth.User, err error) {
	err = conn{s, s.readers}.rows(ctx, `SELECT u.login, u.active, u.created_at, count(k.n)
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
		found, err := t.row(ctx, `SELECT active, changed_seq FROM users WHERE login = ?`, []any{login}, &was, &last)
		if err != nil {
			return err
		}
		if !found {
			return auth.ErrUserNotFound
		}
		if was == active {
			c, err = t.change(ctx, last)
			return err
		}
		all, err := t.touchedBy(ctx, login)
		if err != nil {
			return err
		}
		if c, err = t.log(ctx, all); err != nil {
			return err
		}
		if err := t.run(ctx, `UPDATE users SET active = ?, changed_seq = ? WHERE login = ?`, active, c.Seq, login); err != nil {
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
	err := t.records(ctx, "WHERE k.login = ? ORDER BY k.n, s.place", []any{login}, func(r *stored) {
		of := keyChange(&r.Record, r.Secrets)
		c.Digests = append(c.Digests, of.Digests...)
		c.Names = append(c.Names, of.Names...)
	})
	return c, err
}
