package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) migrateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database's schema up to date",
		Long: `Bring the database's schema up to date. The other commands do so by themselves, unless
store.migrate is off.`,
		Example: "  authd migrate\n  authd migrate status",
	}
	a.group(cmd)
	up := a.openStore(a.migrateUp)
	cmd.RunE = up
	cmd.AddCommand(&cobra.Command{
		Use: "up", Short: "Bring the schema up to date", Example: "  authd migrate up", Args: cobra.NoArgs, RunE: up,
	}, &cobra.Command{
		Use: "status", Short: "Tell the schema's version", Example: "  authd migrate status -o json", Args: cobra.NoArgs,
		RunE: a.openStore(a.migrateStatus),
	})
	return cmd
}

func (a *app) migrateUp(ctx context.Context, s *session, _ []string) error {
	before, _, err := s.store.Schema(ctx)
	if err != nil {
		return err
	}
	if err := s.store.Migrate(ctx); err != nil {
		return err
	}
	have, want, err := s.store.Schema(ctx)
	if err != nil {
		return err
	}
	if have == before {
		a.say("The schema is up to date: version %d.", have)
	} else {
		a.say("Migrated the schema from version %d to %d.", before, have)
	}
	if a.format == formatJSON {
		return a.printJSON(schemaView{have, want})
	}
	return nil
}

type schemaView struct {
	Have int64 `json:"have"`
	Want int64 `json:"want"`
}

func (a *app) migrateStatus(ctx context.Context, s *session, _ []string) error {
	have, want, err := s.store.Schema(ctx)
	if err != nil {
		return err
	}
	if a.format == formatJSON {
		return a.printJSON(schemaView{have, want})
	}
	switch {
	case have < want:
		a.say("The schema is old. Run: authd migrate up")
	case have > want:
		a.say("The schema is of a newer authd, and this one can work on it.")
	}
	return a.print(fmt.Sprintf("have %d\nwant %d\n", have, want))
}
