package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"authd/internal/auth"
)

// ErrPast says that a key would have expired before it is stored.
var ErrPast = errors.New("the expiry is in the past: to end a key, revoke or disable it")

// Create stores a new key under the record's name, with a secret of its own:
// the caller's, or a new one where own is zero. It sets the id, the slug and
// the times; a user that is not there is made.
func (s *Service) Create(ctx context.Context, r auth.Record, own auth.Secret) (Done, error) {
	id, err := newID()
	if err != nil {
		return Done{}, err
	}
	now := s.now()
	r.ID, r.Slug = id, auth.Slug(r.Name)
	r.Active, r.RevokedAt = true, time.Time{}
	r.CreatedAt, r.UpdatedAt = now, now
	normalize(&r)
	var value error
	if !own.IsZero() {
		value = own.Acceptable(s.Digester.Prefix())
	}
	if err := invalid(r.Validate(), checkExpiry(r.ExpiresAt, now), value); err != nil {
		return Done{}, keyError(r.Name, err)
	}
	secret, info, err := s.newSecret(ctx, own)
	if err != nil {
		return Done{}, keyError(r.Name, err)
	}
	user, known, err := s.user(ctx, r.User)
	if err != nil {
		return Done{}, err
	}
	change, err := s.Store.CreateKey(ctx, &r, info)
	if err != nil {
		return Done{}, nameError(r.Name, r.Name, err)
	}
	// What is committed is not read again: should that fail, the secret would be lost.
	r.UserActive = user.Active || !known
	r.Secrets, r.ChangedSeq = []auth.SecretInfo{info}, change.Seq
	return Done{Key: &r, Secret: secret, UserMade: !known, Change: change}, nil
}

// Rotate gives a key a new secret, as Create does. The old ones go on for the overlap.
func (s *Service) Rotate(ctx context.Context, ref string, overlap time.Duration, own auth.Secret) (Done, error) {
	if overlap < 0 {
		return Done{}, keyError(ref, invalid(errors.New("the overlap is less than nothing")))
	}
	r, err := s.Store.Key(ctx, ref)
	if err != nil {
		return Done{}, keyError(ref, err)
	}
	if !r.RevokedAt.IsZero() {
		return Done{}, keyError(r.Name, auth.ErrRevoked)
	}
	secret, info, err := s.newSecret(ctx, own)
	if err != nil {
		return Done{}, keyError(r.Name, err)
	}
	retire := s.now().Add(overlap)
	if overlap == 0 {
		// At once, also by the clock of a replica that is a little behind this one.
		retire = retire.Add(-auth.ClockMargin)
	}
	change, err := s.Store.RotateKey(ctx, r.ID, info, retire)
	if err != nil {
		return Done{}, keyError(r.Name, err)
	}
	for i := range r.Secrets {
		if e := &r.Secrets[i].ExpiresAt; e.IsZero() || retire.Before(*e) {
			*e = retire
		}
	}
	r.Secrets = append(r.Secrets, info)
	return Done{Key: touched(r, change), Secret: secret, Retire: retire, Change: change}, nil
}

// Update lets edit change a key: everything but its id, name, secrets and times.
func (s *Service) Update(ctx context.Context, ref string, edit func(*auth.Record)) (Done, error) {
	return s.edit(ctx, ref, func(r *auth.Record) error {
		before := r.ExpiresAt
		edit(r)
		normalize(r)
		var past error
		if !r.ExpiresAt.Equal(before) {
			past = checkExpiry(r.ExpiresAt, s.now())
		}
		return invalid(r.Validate(), past)
	})
}

// Rename gives a key another name, and with it another slug. Override sections
// follow the new ones.
func (s *Service) Rename(ctx context.Context, ref, name string) (Done, error) {
	done, err := s.edit(ctx, ref, func(r *auth.Record) error {
		r.Name, r.Slug = name, auth.Slug(name)
		return invalid(r.Validate())
	})
	return done, nameError("", name, err)
}

// Enable undoes Disable. A revoked key stays revoked: ErrRevoked.
func (s *Service) Enable(ctx context.Context, ref string) (Done, error) {
	return s.edit(ctx, ref, func(r *auth.Record) error {
		if !r.RevokedAt.IsZero() {
			return auth.ErrRevoked
		}
		r.Active = true
		return nil
	})
}

// Disable lets a key pass nowhere until it is enabled.
func (s *Service) Disable(ctx context.Context, ref string) (Done, error) {
	return s.edit(ctx, ref, func(r *auth.Record) error {
		r.Active = false
		return nil
	})
}

// edit runs an edit in the store, and tells whether it changed anything. The
// store may run it more than once.
func (s *Service) edit(ctx context.Context, ref string, edit func(*auth.Record) error) (Done, error) {
	var before, after auth.Record
	change, err := s.Store.UpdateKey(ctx, ref, func(r *auth.Record) error {
		before = *r
		if err := edit(r); err != nil {
			return err
		}
		after = *r
		return nil
	})
	if err != nil {
		return Done{}, keyError(ref, err)
	}
	// An edit that changes nothing answers the change that was there already.
	already := change.Seq == before.ChangedSeq
	if !already {
		touched(&after, change)
	}
	return Done{Key: &after, Already: already, Change: change}, nil
}

// Revoke ends a key and all its secrets for good.
func (s *Service) Revoke(ctx context.Context, ref string) (Done, error) {
	r, err := s.Store.Key(ctx, ref)
	if err != nil {
		return Done{}, keyError(ref, err)
	}
	now := s.now()
	change, err := s.Store.RevokeKey(ctx, r.ID, now)
	if err != nil {
		return Done{}, keyError(ref, err)
	}
	if !r.RevokedAt.IsZero() {
		return Done{Key: r, Already: true, Change: change}, nil
	}
	r.RevokedAt = now
	for i := range r.Secrets {
		r.Secrets[i].Revoked = true
	}
	return Done{Key: touched(r, change), Change: change}, nil
}

// Delete removes a key, its record and all.
func (s *Service) Delete(ctx context.Context, ref string) (Done, error) {
	r, err := s.Store.Key(ctx, ref)
	if err != nil {
		return Done{}, keyError(ref, err)
	}
	change, err := s.Store.DeleteKey(ctx, r.ID)
	if err != nil {
		return Done{}, keyError(ref, err)
	}
	return Done{Key: r, Change: change}, nil
}

// touched notes a change in a record that was read before it.
func touched(r *auth.Record, c auth.Change) *auth.Record {
	r.ChangedSeq = c.Seq
	if !c.At.IsZero() {
		r.UpdatedAt = c.At
	}
	return r
}

func checkExpiry(t, now time.Time) error {
	if !t.IsZero() && !now.Before(t) {
		return fmt.Errorf("%w (%s)", ErrPast, t.UTC().Format(time.RFC3339))
	}
	return nil
}

// nameError tells which name or slug is taken. An empty ref stands for an
// error that names its key already.
func nameError(ref, name string, err error) error {
	switch {
	case errors.Is(err, auth.ErrNameTaken):
		return fmt.Errorf("%q: %w", name, auth.ErrNameTaken)
	case errors.Is(err, auth.ErrSlugTaken):
		return fmt.Errorf("%q: %w (%s)", name, auth.ErrSlugTaken, auth.Slug(name))
	case ref == "":
		return err
	}
	return keyError(ref, err)
}

// user finds a user by login.
func (s *Service) user(ctx context.Context, login string) (auth.User, bool, error) {
	users, err := s.Store.ListUsers(ctx)
	if err != nil {
		return auth.User{}, false, err
	}
	i := slices.IndexFunc(users, func(u auth.User) bool { return u.Login == login })
	if i < 0 {
		return auth.User{}, false, nil
	}
	return users[i], true, nil
}
