package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"authd/internal/admin"
	"authd/internal/auth"
)

func (a *app) keysCommand() *cobra.Command {
	cmd := a.group(&cobra.Command{
		Use:   "keys",
		Short: "Create, list and change keys",
		Long: `Create, list and change keys. NAME is a key's name, slug or id, tried in that order.

A command that changes something waits until every replica follows (--wait). Where
one does not, the command names it, and ends with exit code 3: the change is made.`,
		Example: `  authd keys create "Partner sync" --user partner@example.com --group partner
  authd keys list --expiring 14d
  authd keys revoke partner_sync`,
	})
	cmd.AddCommand(a.keysCreate(), a.keysList(), a.keysShow(), a.keysUsage(), a.keysUpdate(), a.keysRename(), a.keysRotate(),
		a.keysDisable(), a.keysEnable(), a.keysRevoke(), a.keysDelete(), a.keysImport(), a.keysExport())
	return cmd
}

func (a *app) keysList() *cobra.Command {
	filter := auth.KeyFilter{}
	expiring := when{now: time.Now}
	var unused span
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List keys",
		Long: `List keys. LAST USED is when a key was last good for a request, as far as the
processes have written it (usage.flush).`,
		Example: `  authd keys list
  authd keys list --user partner@example.com --inactive
  authd keys list --expiring 14d -o json
  authd keys list --unused 90d`,
		Args: cobra.NoArgs,
		RunE: a.withStore(func(ctx context.Context, s *session, _ []string) error {
			filter.Now, filter.Expiring = time.Now(), expiring.Time
			keys, err := s.store.ListKeys(ctx, filter)
			if err != nil {
				return err
			}
			u, err := readUses(ctx, s, "")
			if err != nil {
				return err
			}
			if unused > 0 {
				since := time.Now().Add(-time.Duration(unused))
				a.warnOfUnknownUse(s, u, since)
				keys = u.unused(keys, since)
			}
			return a.printKeys(keys, u)
		}),
	}
	cmd.Flags().StringVar(&filter.User, "user", "", "only those of this `login`")
	cmd.Flags().StringVar(&filter.Group, "group", "", "only those in this `group`")
	cmd.Flags().BoolVar(&filter.Inactive, "inactive", false, "only those that can't be used now")
	cmd.Flags().Var(&expiring, "expiring", "only those that expire within this time (14d), or before this instant")
	cmd.Flags().Var(&unused, "unused", "only those that were neither made nor used within this time (90d)")
	return cmd
}

func (a *app) printKeys(keys []auth.Record, u uses) error {
	switch {
	case a.format == formatJSON:
		views := make([]keyView, len(keys))
		for i := range keys {
			views[i] = viewKey(&keys[i], u)
		}
		return a.printJSON(views)
	case a.quiet:
		names := make([]string, len(keys))
		for i := range keys {
			names[i] = keys[i].Name
		}
		return a.printLines(names)
	}
	rows := make([][]string, len(keys))
	for i := range keys {
		k := &keys[i]
		rows[i] = []string{
			k.Name, k.User, strings.Join(k.Groups, ","), k.State(time.Now()), instant(k.ExpiresAt), hints(k), instant(k.CreatedAt), instant(u.last(k.ID)),
		}
	}
	return a.printTable([]string{"NAME", "USER", "GROUPS", "STATE", "EXPIRES", "SECRETS", "CREATED", "LAST USED"}, rows)
}

// hints lists the secrets of a key that may still be used.
func hints(k *auth.Record) string {
	var list []string
	for _, s := range k.Secrets {
		if !s.Revoked && (s.ExpiresAt.IsZero() || time.Now().Before(s.ExpiresAt)) {
			list = append(list, s.Hint)
		}
	}
	return strings.Join(list, " ")
}

func (a *app) keysShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME",
		Short: "Show all there is about a key; never its secret",
		Example: `  authd keys show "Partner sync"
  authd keys show partner_sync -o json`,
		Args: cobra.ExactArgs(1),
		RunE: a.withStore(func(ctx context.Context, s *session, args []string) error {
			k, err := s.store.Key(ctx, args[0])
			if err != nil {
				return s.nearKey(ctx, args[0], fmt.Errorf("key %q: %w", args[0], err))
			}
			u, err := readUses(ctx, s, k.ID)
			if err != nil {
				return err
			}
			view := viewKey(k, u)
			if a.format == formatJSON {
				return a.printJSON(view)
			}
			return a.print(describe(&view))
		}),
	}
}

// nearKey adds to the error of an unknown key what may have been meant.
func (s *session) nearKey(ctx context.Context, ref string, err error) error {
	if !errors.Is(err, auth.ErrKeyNotFound) {
		return err
	}
	keys, listErr := s.store.ListKeys(ctx, auth.KeyFilter{Now: time.Now()})
	if listErr != nil {
		return err
	}
	names := make([]string, len(keys))
	for i := range keys {
		names[i] = keys[i].Name
	}
	if near := nearest(ref, names); near != "" {
		return fmt.Errorf("%w\nDid you mean %q? See: authd keys list", err, near)
	}
	return fmt.Errorf("%w\nSee: authd keys list", err)
}

// changeKey makes the RunE of a command that changes the key that its first
// argument names: it says what was done, and waits until all replicas follow.
func (a *app) changeKey(change func(ctx context.Context, s *admin.Service, args []string) (admin.Done, error),
	tell func(admin.Done) string,
) func(*cobra.Command, []string) error {
	return a.withStore(func(ctx context.Context, s *session, args []string) error {
		done, err := change(ctx, s.admin, args)
		if err != nil {
			return s.nearKey(ctx, args[0], err)
		}
		a.say("%s", tell(done))
		return a.finish(ctx, s, done, auth.Secret{})
	})
}

// doneView is what a change came to, as -o json prints it.
type doneView struct {
	Key          *keyView     `json:"key,omitempty"`
	User         string       `json:"user,omitempty"`
	Secret       string       `json:"secret,omitempty"`
	UserCreated  bool         `json:"user_created,omitempty"`
	Already      bool         `json:"already,omitempty"`
	Confirmation confirmation `json:"confirmation"`
}

// finish waits until all replicas follow. With -o json it prints what was done,
// and the secret that was made, if any.
func (a *app) finish(ctx context.Context, s *session, done admin.Done, made auth.Secret) error {
	c, unconfirmed := a.confirm(ctx, s, done.Change)
	if a.format != formatJSON {
		return unconfirmed
	}
	view := doneView{Secret: made.Reveal(), UserCreated: done.UserMade, Already: done.Already, Confirmation: c}
	if done.Key != nil {
		k := viewKey(done.Key, nil)
		view.Key = &k
	}
	if err := a.printJSON(view); err != nil {
		return err
	}
	return unconfirmed
}
