// Package admin is what administrators do to keys and users, whichever way
// they ask: it makes and checks secrets, validates records, tells what was
// done, and waits until every replica follows.
package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"authd/internal/auth"
	"authd/internal/repo"
)

// Service changes what is in the store. A raw key lives in it for the length
// of one call: it is digested, and given back once.
type Service struct {
	Store    repo.Store
	Digester *auth.Digester
	Now      func() time.Time
}

// New returns a Service by the system's clock.
func New(store repo.Store, digester *auth.Digester) *Service {
	return &Service{Store: store, Digester: digester, Now: time.Now}
}

// Done is what a call came to. It is committed: confirming it is [Confirm]'s.
type Done struct {
	Key      *auth.Record // as it is now; where it was deleted, as it was
	Secret   auth.Secret  // of Create and Rotate
	UserMade bool         // Create made the user as well
	Retire   time.Time    // of Rotate: the older secrets end then, if not before
	Already  bool         // it was so before: nothing was changed
	Change   auth.Change
}

// InvalidError is what was asked for and can't be meant: nothing was done.
type InvalidError struct{ Faults error }

func (e *InvalidError) Error() string { return e.Faults.Error() }

// Unwrap gives every fault.
func (e *InvalidError) Unwrap() error { return e.Faults }

// invalid makes one error of all faults, nil of none.
func invalid(faults ...error) error {
	if err := errors.Join(faults...); err != nil {
		return &InvalidError{err}
	}
	return nil
}

// now is cut to the milliseconds that are stored.
func (s *Service) now() time.Time { return storedTime(s.Now()) }

// newSecret makes a secret, or takes the caller's own where it is given and
// acceptable, and returns what is kept of it.
func (s *Service) newSecret(ctx context.Context, own auth.Secret) (auth.Secret, auth.SecretInfo, error) {
	prefix, pepper := s.Digester.Prefix(), s.Digester.Current()
	secret := own
	if own.IsZero() {
		secret = auth.NewSecret(prefix)
	} else if err := s.checkOwn(ctx, own); err != nil {
		return auth.Secret{}, auth.SecretInfo{}, err
	}
	return secret, auth.SecretInfo{
		Digest: pepper.Digest(secret), Hint: secret.Hint(prefix),
		PepperID: pepper.ID(), CreatedAt: s.now(),
	}, nil
}

// checkOwn refuses a value that is not acceptable, or that another key has
// under an older pepper: the store itself sees only equal digests.
func (s *Service) checkOwn(ctx context.Context, own auth.Secret) error {
	if err := invalid(own.Acceptable(s.Digester.Prefix())); err != nil {
		return err
	}
	for _, pepper := range s.Digester.Tried() {
		switch _, err := s.Store.ByDigest(ctx, pepper.Digest(own)); {
		case err == nil:
			return auth.ErrSecretTaken
		case !errors.Is(err, auth.ErrKeyNotFound):
			return err
		}
	}
	return nil
}

func newID() (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("making an id: %w", err)
	}
	return id.String(), nil
}

// normalize brings a record to the form in which it is stored.
func normalize(r *auth.Record) {
	r.Restrictions.Normalize()
	r.Restrictions.Hosts = unique(r.Restrictions.Hosts)
	r.Restrictions.Methods = unique(r.Restrictions.Methods)
	r.Restrictions.Paths = unique(r.Restrictions.Paths)
	r.Restrictions.CIDRs = unique(r.Restrictions.CIDRs)
	r.Groups = append([]string{}, unique(r.Groups)...)
	r.Scopes = append([]string{}, unique(r.Scopes)...)
	r.NotBefore = storedTime(r.NotBefore)
	r.ExpiresAt = storedTime(r.ExpiresAt)
}

// storedTime cuts t to the milliseconds that are stored. The zero time alone
// stays zero: it stands for no bound.
func storedTime(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// unique returns the list without repeats, in its order.
func unique[T comparable](list []T) []T {
	var out []T
	for _, v := range list {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// keyError names the key that an error is about.
func keyError(ref string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("key %q: %w", ref, err)
}
