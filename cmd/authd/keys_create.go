package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"authd/internal/admin"
	"authd/internal/auth"
)

func (a *app) keysCreate() *cobra.Command {
	var f keyFlags
	var fromStdin bool
	cmd := &cobra.Command{
		Use:   "create NAME --user LOGIN",
		Short: "Create a key; its secret is printed once, on stdout",
		Long: `Create a key. Its secret is printed once, alone on stdout, and kept nowhere:
what is stored is a digest. Everything else is said on stderr.

With --secret-stdin the secret is your own: one line of stdin, 16 to 512 visible
ASCII characters without commas. It is not printed.`,
		Example: `  authd keys create "Partner sync" --user partner@example.com --group partner --expires 90d
  SECRET=$(authd keys create Shop --user shop --host '*.shop.example.com' --method GET --path /orders/)
  authd keys create Legacy --user erp --secret-stdin < old-key`,
		Args: cobra.ExactArgs(1),
		RunE: a.withStore(func(ctx context.Context, s *session, args []string) error {
			record := auth.Record{Name: args[0]}
			f.apply(&record)
			own, err := a.ownSecret(fromStdin)
			if err != nil {
				return err
			}
			done, err := s.admin.Create(ctx, record, own)
			if err != nil {
				return err
			}
			return a.handOver(ctx, s, done, fromStdin, createdText(done))
		}),
	}
	f.register(cmd.Flags())
	_ = cmd.MarkFlagRequired("user")
	stdinFlag(cmd, &fromStdin)
	return a.waitFlag(cmd)
}

func stdinFlag(cmd *cobra.Command, fromStdin *bool) {
	cmd.Flags().BoolVar(fromStdin, "secret-stdin", false, "read the secret from stdin, one line, instead of making one")
}

func createdText(done admin.Done) string {
	k := done.Key
	text := fmt.Sprintf("Created key %q (%s) for user %q", k.Name, k.ID, k.User)
	switch {
	case done.UserMade:
		text += ", who is new and was made as well"
	case !k.UserActive:
		text += ", who is disabled: the key can't be used until the user is enabled"
	}
	text += "."
	if !k.NotBefore.IsZero() {
		text += fmt.Sprintf(" It is good from %s on.", instant(k.NotBefore))
	}
	if !k.ExpiresAt.IsZero() {
		text += fmt.Sprintf(" It expires %s.", instant(k.ExpiresAt))
	}
	return text
}

func (a *app) keysRotate() *cobra.Command {
	overlap := span(24 * time.Hour)
	var fromStdin bool
	cmd := &cobra.Command{
		Use:   "rotate NAME",
		Short: "Give a key a new secret; the old one goes on for the overlap",
		Long: `Give a key a new secret, printed once, alone on stdout. The old one goes on for the
overlap, so that clients can change over; with --overlap 0 it ends at once.`,
		Example: `  authd keys rotate "Partner sync"
  authd keys rotate partner_sync --overlap 0 -q > new-key`,
		Args: cobra.ExactArgs(1),
		RunE: a.withStore(func(ctx context.Context, s *session, args []string) error {
			own, err := a.ownSecret(fromStdin)
			if err != nil {
				return err
			}
			done, err := s.admin.Rotate(ctx, args[0], time.Duration(overlap), own)
			if err != nil {
				return s.nearKey(ctx, args[0], err)
			}
			return a.handOver(ctx, s, done, fromStdin, rotatedText(done, overlap))
		}),
	}
	cmd.Flags().Var(&overlap, "overlap", "how long the old secret goes on")
	stdinFlag(cmd, &fromStdin)
	return a.waitFlag(cmd)
}

func rotatedText(done admin.Done, overlap span) string {
	k := done.Key
	text := fmt.Sprintf("Key %q (%s) has a new secret.", k.Name, k.ID)
	if overlap == 0 {
		text += " What it had before has ended."
	} else {
		text += fmt.Sprintf(" What it had before ends %s.", instant(done.Retire))
	}
	if state := k.State(time.Now()); state != "active" {
		text += fmt.Sprintf(" The key itself is %s.", state)
	}
	return text
}

// handOver prints the secret before it waits for the replicas, so that an
// interrupted wait can't lose it; one that was brought along is not printed.
func (a *app) handOver(ctx context.Context, s *session, done admin.Done, brought bool, text string) error {
	made := done.Secret
	if brought {
		made = auth.Secret{}
	}
	a.say("%s", text)
	if !made.IsZero() {
		a.say("The secret is shown this once.")
	}
	if !made.IsZero() && a.format == formatText {
		if err := a.print(made.Reveal() + "\n"); err != nil {
			return fmt.Errorf("the key is stored, but its secret could not be printed and is lost: %w\nMake another: authd keys rotate %s", err, done.Key.ID)
		}
	}
	return a.finish(ctx, s, done, made)
}

// ownSecret reads one line, where that is asked for. What was read stays out of every error.
func (a *app) ownSecret(fromStdin bool) (auth.Secret, error) {
	if !fromStdin {
		return auth.Secret{}, nil
	}
	in := bufio.NewReader(io.LimitReader(a.in, 2*auth.MaxSecret))
	line, err := in.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return auth.Secret{}, fmt.Errorf("reading the secret from stdin: %w", err)
	}
	line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	if line == "" {
		return auth.Secret{}, usageError("--secret-stdin: the first line of stdin is empty")
	}
	if more, _ := in.Peek(1); len(more) > 0 && len(line) <= auth.MaxSecret {
		return auth.Secret{}, usageError("--secret-stdin: stdin has more than one line")
	}
	return auth.RawSecret(line), nil
}
