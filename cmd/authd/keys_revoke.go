package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"authd/internal/admin"
	"authd/internal/auth"
	"authd/internal/override"
)

func (a *app) keysRevoke() *cobra.Command {
	cmd := a.simple("revoke", "End a key and all its secrets for good",
		`End a key and all its secrets for good: it can't be enabled or rotated, and the values
can't be used for another key. The record stays, until it is deleted. When this is
confirmed, no replica accepts the key any more.

With --secret-stdin the key is the one that has a value, which is read from stdin and
printed nowhere: one that was found where it should not be.`,
		(*admin.Service).Revoke, "Revoked", "is revoked already")
	cmd.Use = "revoke NAME | --secret-stdin"
	cmd.Example += "\n  authd keys revoke --secret-stdin < found"
	var fromStdin bool
	cmd.Flags().BoolVar(&fromStdin, "secret-stdin", false, "revoke the key that has the value which stdin holds, one line")
	byName, byValue := cmd.RunE, a.withStore(func(ctx context.Context, s *session, _ []string) error { return a.revokeFound(ctx, s) })
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if fromStdin && len(args) > 0 {
			return usageError("a key is meant by its NAME or by --secret-stdin, not by both")
		}
		if fromStdin {
			return nil
		}
		return cobra.ExactArgs(1)(cmd, args)
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if fromStdin {
			return byValue(cmd, args)
		}
		return byName(cmd, args)
	}
	return cmd
}

// revokeFound revokes by the value alone.
func (a *app) revokeFound(ctx context.Context, s *session) error {
	value, err := a.ownSecret(true)
	if err != nil {
		return err
	}
	done, err := s.admin.RevokeValue(ctx, value)
	if err != nil && !errors.Is(err, auth.ErrKeyNotFound) {
		return err
	}
	p, faults := prepare(s.loaded)
	section, at, given := sectionOf(p.overrides, s.loaded.Digester, value)
	switch {
	case err != nil && given:
		return fmt.Errorf("the value is that of %s (%s), which the store can't revoke\nGive the section another value, or remove it. "+
			"To end a key that the store has under this name as well: authd keys revoke NAME", override.Header(section), at)
	case err != nil && faults != nil:
		return fmt.Errorf("no key in the store has this value, and the override sections could not be compared:\n%w", faults)
	case err != nil:
		return errors.New("no key has this value, neither in the store nor in an override section: there is nothing to revoke")
	}
	if done.Already {
		a.say("Key %q is revoked already.", done.Key.Name)
	} else {
		a.say("Revoked key %q.", done.Key.Name)
	}
	if given {
		a.warn("The value is that of %s (%s) as well, which the store can't revoke: remove it there.", override.Header(section), at)
	}
	return a.finish(ctx, s, done, auth.Secret{})
}

// sectionOf finds the section that has this value, under whichever pepper.
func sectionOf(set *override.Set, d *auth.Digester, value auth.Secret) (name string, at override.Origin, ok bool) {
	if set == nil {
		return "", at, false
	}
	for _, pepper := range d.Tried() {
		if name, at, ok = set.ValueOf(pepper.Digest(value)); ok {
			return name, at, true
		}
	}
	return "", at, false
}
