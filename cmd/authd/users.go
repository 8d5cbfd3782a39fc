package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"authd/internal/auth"
)

func (a *app) usersCommand() *cobra.Command {
	cmd := a.group(&cobra.Command{
		Use:   "users",
		Short: "The users that keys stand for",
		Example: `  authd users list
  authd users update partner@example.com --rate 100/1m
  authd users disable partner@example.com`,
	})
	cmd.AddCommand(a.usersList(), a.usersShow(), a.usersCreate(), a.usersUpdate(),
		a.usersSet("disable", "Let none of a user's keys pass, where users.inactive is deny", false),
		a.usersSet("enable", "Undo disable", true))
	return cmd
}

func (a *app) usersList() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List users",
		Example: "  authd users list\n  authd users list -o json",
		Args:    cobra.NoArgs,
		RunE: a.withStore(func(ctx context.Context, s *session, _ []string) error {
			users, err := s.store.ListUsers(ctx)
			if err != nil {
				return err
			}
			return a.printUsers(users)
		}),
	}
}

func (a *app) printUsers(users []auth.User) error {
	rows := make([][]string, len(users))
	logins := make([]string, len(users))
	for i, u := range users {
		logins[i] = u.Login
		rows[i] = []string{u.Login, userState(&u), strconv.Itoa(u.Keys), u.Limits.String(), instant(u.CreatedAt)}
	}
	switch {
	case a.format == formatJSON:
		return a.printJSON(append([]auth.User{}, users...))
	case a.quiet:
		return a.printLines(logins)
	}
	return a.printTable([]string{"LOGIN", "STATE", "KEYS", "LIMITS", "CREATED"}, rows)
}

func userState(u *auth.User) string {
	if u.Active {
		return "active"
	}
	return "disabled"
}

func (a *app) usersShow() *cobra.Command {
	return &cobra.Command{
		Use:     "show LOGIN",
		Short:   "Show a user, and the limits that its keys share",
		Example: "  authd users show partner@example.com",
		Args:    cobra.ExactArgs(1),
		RunE: a.withStore(func(ctx context.Context, s *session, args []string) error {
			u, err := s.admin.User(ctx, args[0])
			switch {
			case err != nil:
				return err
			case a.format == formatJSON:
				return a.printJSON(u)
			case a.quiet:
				return a.printLines([]string{u.Login})
			}
			return a.print(describeUser(&u))
		}),
	}
}

func (a *app) usersCreate() *cobra.Command {
	var f limitFlags
	cmd := &cobra.Command{
		Use:     "create LOGIN",
		Short:   "Create a user; keys create does so by itself",
		Example: "  authd users create partner@example.com\n  authd users create partner@example.com --rate 100/1m --quota 10000/1d",
		Args:    cobra.ExactArgs(1),
		RunE: a.withStore(func(ctx context.Context, s *session, args []string) error {
			var l auth.Limits
			f.apply(&l)
			if err := s.admin.CreateLimitedUser(ctx, args[0], l); err != nil {
				return err
			}
			a.say("Created user %q.", args[0])
			if a.format == formatJSON {
				return a.printJSON(map[string]string{"user": args[0]})
			}
			return nil
		}),
	}
	f.register(cmd.Flags(), "the user's keys together")
	return cmd
}

func (a *app) usersUpdate() *cobra.Command {
	var f limitFlags
	cmd := &cobra.Command{
		Use:   "update LOGIN",
		Short: "Change the limits that a user's keys share",
		Long: `Change the limits that a user's keys share. They are beside those of each key: a request has
to be within both. What is not given stays as it is; give "" for none.`,
		Example: `  authd users update partner@example.com --rate 100/1m --burst 20 --quota 10000/1d
  authd users update partner@example.com --quota ""`,
		Args: func(cmd *cobra.Command, args []string) error {
			if err := cobra.ExactArgs(1)(cmd, args); err != nil {
				return err
			}
			if !f.any() {
				return usageError("nothing to change was given")
			}
			return nil
		},
		RunE: a.withStore(func(ctx context.Context, s *session, args []string) error {
			done, err := s.admin.UpdateUserLimits(ctx, args[0], f.apply)
			if err != nil {
				return err
			}
			if done.Already {
				a.say("User %q has these limits already: nothing was changed.", args[0])
			} else {
				a.say("Updated user %q.", args[0])
			}
			return a.finish(ctx, s, done, auth.Secret{})
		}),
	}
	f.register(cmd.Flags(), "the user's keys together")
	return a.waitFlag(cmd)
}

func (a *app) usersSet(verb, short string, active bool) *cobra.Command {
	return a.waitFlag(&cobra.Command{
		Use:     verb + " LOGIN",
		Short:   short,
		Example: fmt.Sprintf("  authd users %s partner@example.com", verb),
		Args:    cobra.ExactArgs(1),
		RunE: a.withStore(func(ctx context.Context, s *session, args []string) error {
			done, err := s.admin.SetUserActive(ctx, args[0], active)
			if err != nil {
				return err
			}
			if done.Already {
				a.say("User %q is %sd already.", args[0], verb)
			} else {
				a.say("User %q is now %sd.", args[0], verb)
			}
			return a.finish(ctx, s, done, auth.Secret{})
		}),
	})
}
