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
  authd users disable partner@example.com`,
	})
	cmd.AddCommand(a.usersList(), a.usersCreate(),
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
		state := "active"
		if !u.Active {
			state = "disabled"
		}
		logins[i] = u.Login
		rows[i] = []string{u.Login, state, strconv.Itoa(u.Keys), instant(u.CreatedAt)}
	}
	switch {
	case a.format == formatJSON:
		return a.printJSON(append([]auth.User{}, users...))
	case a.quiet:
		return a.printLines(logins)
	}
	return a.printTable([]string{"LOGIN", "STATE", "KEYS", "CREATED"}, rows)
}

func (a *app) usersCreate() *cobra.Command {
	return &cobra.Command{
		Use:     "create LOGIN",
		Short:   "Create a user; keys create does so by itself",
		Example: "  authd users create partner@example.com",
		Args:    cobra.ExactArgs(1),
		RunE: a.withStore(func(ctx context.Context, s *session, args []string) error {
			if err := s.admin.CreateUser(ctx, args[0]); err != nil {
				return err
			}
			a.say("Created user %q.", args[0])
			if a.format == formatJSON {
				return a.printJSON(map[string]string{"user": args[0]})
			}
			return nil
		}),
	}
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
