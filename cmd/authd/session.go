package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"authd/internal/admin"
	"authd/internal/auth"
	"authd/internal/config"
	"authd/internal/repo"
)

// session is what a command works with: the configuration, and the store that it names.
type session struct {
	loaded *config.Loaded
	store  repo.Store
	admin  *admin.Service
}

// source is where the configuration is read from.
func (a *app) source(cmd *cobra.Command) config.Source {
	return config.Source{Files: a.files, Flags: cmd.Flags()}
}

// load reads the configuration, for commands of every kind.
func (a *app) load(cmd *cobra.Command) (*config.Loaded, error) { return config.Load(a.source(cmd)) }

// prepare reads the configuration with all that it means. The error holds
// every fault; what was read is returned all the same.
func (a *app) prepare(cmd *cobra.Command) (*prepared, error) {
	loaded, err := a.load(cmd)
	p, faults := prepare(loaded)
	return p, errors.Join(err, faults)
}

func storeOptions(loaded *config.Loaded) repo.Options {
	return repo.Options{PollOnly: loaded.Config.Store.Listen == config.ListenOff}
}

// withStore makes the RunE of a command that needs the store, with its schema up to date.
func (a *app) withStore(work func(ctx context.Context, s *session, args []string) error) func(*cobra.Command, []string) error {
	return a.openStore(func(ctx context.Context, s *session, args []string) error {
		if err := upToDate(ctx, s.store, s.loaded.Config.Store.Migrate); err != nil {
			return err
		}
		return work(ctx, s, args)
	})
}

// openStore makes the RunE of a command that needs the store as it is.
func (a *app) openStore(work func(ctx context.Context, s *session, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		return a.act(func(ctx context.Context, args []string) (err error) {
			loaded, err := a.load(cmd)
			if err != nil {
				return err
			}
			store, err := repo.Open(ctx, loaded.Config.Store.URL, storeOptions(loaded))
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, store.Close()) }()
			ctx = auth.WithActor(ctx, osActor())
			return work(ctx, &session{loaded, store, admin.New(store, loaded.Digester)}, args)
		})(cmd, args)
	}
}

// upToDate migrates the schema where store.migrate allows it, so that a first
// key can be created before a first server runs; else it tells what to do.
func upToDate(ctx context.Context, store repo.Store, migrate bool) error {
	if migrate {
		return store.Migrate(ctx)
	}
	have, want, err := store.Schema(ctx)
	if err != nil {
		return err
	}
	if have < want {
		return fmt.Errorf("the database's schema has version %d, this program needs %d, and store.migrate is off\nRun: authd migrate up", have, want)
	}
	return nil
}
