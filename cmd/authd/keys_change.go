package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"authd/internal/admin"
)

func (a *app) keysUpdate() *cobra.Command {
	var f keyFlags
	cmd := &cobra.Command{
		Use:   "update NAME",
		Short: "Change what a key may do, and until when",
		Long: `Change what a key may do, and until when. What is not given stays as it is. A list
that is given replaces the one before: repeat the flag for several, give "" for none.`,
		Example: `  authd keys update "Partner sync" --group partner --group orders --expires 2027-01-31
  authd keys update partner_sync --scope "" --expires never`,
		RunE: a.changeKey(func(ctx context.Context, s *admin.Service, args []string) (admin.Done, error) {
			return s.Update(ctx, args[0], f.apply)
		}, func(done admin.Done) string {
			if done.Already {
				return fmt.Sprintf("Key %q is so already: nothing was changed.", done.Key.Name)
			}
			return fmt.Sprintf("Updated key %q.", done.Key.Name)
		}),
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if err := cobra.ExactArgs(1)(cmd, args); err != nil {
			return err
		}
		if !f.any() {
			return usageError("nothing to change was given")
		}
		return nil
	}
	f.register(cmd.Flags())
	return a.waitFlag(cmd)
}

func (a *app) keysRename() *cobra.Command {
	return a.waitFlag(&cobra.Command{
		Use:   "rename OLD NEW",
		Short: "Give a key another name; its slug and its override sections follow the new one",
		Example: `  authd keys rename "Partner sync" "Partner orders"
  authd keys rename partner_sync "Partner orders"`,
		Args: cobra.ExactArgs(2),
		RunE: a.changeKey(func(ctx context.Context, s *admin.Service, args []string) (admin.Done, error) {
			return s.Rename(ctx, args[0], args[1])
		}, func(done admin.Done) string {
			if done.Already {
				return fmt.Sprintf("The key is named %q already.", done.Key.Name)
			}
			return fmt.Sprintf("The key is now named %q; its slug is %s.", done.Key.Name, done.Key.Slug)
		}),
	})
}

// simple makes a command that does one thing to a key.
func (a *app) simple(verb, short, long string, do func(*admin.Service, context.Context, string) (admin.Done, error), done, already string) *cobra.Command {
	return a.waitFlag(&cobra.Command{
		Use:     verb + " NAME",
		Short:   short,
		Long:    long,
		Example: fmt.Sprintf("  authd keys %s \"Partner sync\"\n  authd keys %s partner_sync --wait 2m", verb, verb),
		Args:    cobra.ExactArgs(1),
		RunE: a.changeKey(func(ctx context.Context, s *admin.Service, args []string) (admin.Done, error) {
			return do(s, ctx, args[0])
		}, func(d admin.Done) string {
			if d.Already {
				return fmt.Sprintf("Key %q %s.", d.Key.Name, already)
			}
			return fmt.Sprintf("%s key %q.", done, d.Key.Name)
		}),
	})
}

func (a *app) keysDisable() *cobra.Command {
	return a.simple("disable", "Let a key pass nowhere, until it is enabled",
		`Let a key pass nowhere, until it is enabled. When this is confirmed, no replica accepts it any more.`,
		(*admin.Service).Disable, "Disabled", "is disabled already")
}

func (a *app) keysEnable() *cobra.Command {
	return a.simple("enable", "Undo disable",
		`Undo disable. A revoked key can't be enabled.`,
		(*admin.Service).Enable, "Enabled", "is enabled already")
}

func (a *app) keysDelete() *cobra.Command {
	return a.simple("delete", "Remove a key, its record and all",
		`Remove a key, its record and all. To keep the record, and its values from being used
again, revoke it instead.`,
		(*admin.Service).Delete, "Deleted", "")
}
