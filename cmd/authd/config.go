package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"authd/internal/auth"
	"authd/internal/config"
	"authd/internal/override"
	"authd/internal/repo"
)

func (a *app) configCommand() *cobra.Command {
	cmd := a.group(&cobra.Command{
		Use:     "config",
		Short:   "Check the configuration, or show what is in force",
		Example: "  authd config check -c /etc/authd\n  authd config show -c /etc/authd",
	})
	cmd.AddCommand(&cobra.Command{
		Use:   "check",
		Short: "Tell every fault of the configuration at once",
		Long: `Tell every fault of the configuration at once, each with its place and mend, and
which override sections have no key to override, and what a change outlives in the
database once it is confirmed. Exit code 0 says that authd serve
would take it. A database that is not there, or that can't be read, is no fault
of the configuration.`,
		Example: "  authd config check -c authd.yaml\n  authd config check -c /etc/authd -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.act(func(ctx context.Context, _ []string) error { return a.checkConfig(ctx, cmd) })(cmd, args)
		},
	}, &cobra.Command{
		Use:   "show",
		Short: "Show what is in force, and where each value comes from",
		Long: `Show what is in force, and where each value comes from, as TOML that authd can read.
Passwords in URLs are hidden. Of override sections, it shows which fields they
give, and no value.`,
		Example: "  authd config show -c /etc/authd\n  authd config show -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.act(func(ctx context.Context, _ []string) error { return a.showConfig(ctx, cmd) })(cmd, args)
		},
	})
	return cmd
}

// checkView is what config check prints for programs.
type checkView struct {
	Faults     []string          `json:"faults"`
	Warnings   []string          `json:"warnings"`
	Sections   []override.Status `json:"sections"`
	Durability auth.Durability   `json:"durability"` // empty where the store can't be asked
}

func (a *app) checkConfig(ctx context.Context, cmd *cobra.Command) error {
	p, faults := a.prepare(cmd)
	view := checkView{Faults: []string{}, Warnings: append([]string{}, p.Warnings...), Sections: []override.Status{}}
	if faults != nil {
		view.Faults = strings.Split(faults.Error(), "\n")
	} else {
		var warnings []string
		view.Sections, warnings = matchSections(ctx, p)
		view.Durability = askDurability(ctx, p)
		view.Warnings = append(append(view.Warnings, warnings...), fragile(view.Durability)...)
	}
	for _, w := range view.Warnings {
		a.warn("warning: %s", w)
	}
	if a.format == formatJSON {
		if err := a.printJSON(view); err != nil {
			return err
		}
	}
	if faults != nil {
		return faults
	}
	a.say("The configuration is in order; override sections: %d.", p.overrides.Len())
	if kept := keptUntil[view.Durability]; kept != "" {
		a.say("%s", kept)
	}
	return nil
}

// keptUntil tells what a change outlives.
var keptUntil = map[auth.Durability]string{
	auth.InMemory:  "The database answers before a change is on its disk.",
	auth.OnDisk:    "A confirmed change is on the database's disk. Where another server may take its place, a synchronous standby keeps it.",
	auth.OnStandby: "A confirmed change is with a synchronous standby as well.",
}

// fragile warns of a database that may lose what it has confirmed.
func fragile(d auth.Durability) []string {
	if d == auth.InMemory {
		return []string{"a crash of the database's machine may lose changes that were confirmed, and a revoked key pass again: switch fsync on"}
	}
	return nil
}

// askDurability is empty where the store can't be asked: that is no fault of the configuration.
func askDurability(ctx context.Context, p *prepared) auth.Durability {
	o := storeOptions(p.Loaded)
	o.MustExist = true
	store, err := repo.Open(ctx, p.Config.Store.URL, o)
	if err != nil {
		return ""
	}
	defer func() { _ = store.Close() }()
	d, err := store.Durability(ctx)
	if err != nil {
		return ""
	}
	return d
}

// matchSections tells of each section whether there is a key that it
// overrides, and warns of those that have none.
func matchSections(ctx context.Context, p *prepared) (sections []override.Status, warnings []string) {
	sections, err := askStore(ctx, p)
	for _, s := range sections {
		if s.State == override.Unmatched {
			warnings = append(warnings, fmt.Sprintf("%s: %s: no key has this name or slug, so it overrides nothing", s.At, override.Header(s.Section)))
		}
	}
	if err != nil {
		warnings = append(warnings, fmt.Sprintf("the override sections were not compared with the keys: %v", err))
	}
	return sections, warnings
}

func askStore(ctx context.Context, p *prepared) (_ []override.Status, err error) {
	if p.overrides.Len() == 0 {
		return []override.Status{}, nil
	}
	o := storeOptions(p.Loaded)
	o.MustExist = true
	store, err := repo.Open(ctx, p.Config.Store.URL, o)
	if err != nil {
		return p.overrides.Check(ctx, noStore{err})
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return p.overrides.Check(ctx, store)
}

// noStore is a store that can't be asked.
type noStore struct{ err error }

// ByDigest answers why.
func (n noStore) ByDigest(context.Context, auth.Digest) (*auth.Key, error) { return nil, n.err }

// ByName answers why.
func (n noStore) ByName(context.Context, string) (*auth.Key, error) { return nil, n.err }

// showView is what config show prints for programs.
type showView struct {
	Settings []config.Setting  `json:"settings"`
	Sections []override.Status `json:"sections"`
}

func (a *app) showConfig(ctx context.Context, cmd *cobra.Command) error {
	p, err := a.prepare(cmd)
	if err != nil {
		return err
	}
	sections, _ := askStore(ctx, p) // the state of each tells where it failed
	view := showView{p.Settings(), sections}
	if a.format == formatJSON {
		return a.printJSON(view)
	}
	var b strings.Builder
	for _, s := range view.Settings {
		_, _ = fmt.Fprintf(&b, "%s  # %s\n", s, s.Origin)
	}
	for _, s := range view.Sections {
		_, _ = fmt.Fprintf(&b, "\n# %s  %s: %s\n", override.Header(s.Section), s.At, s.State)
		for _, field := range slices.Sorted(maps.Keys(s.Fields)) {
			_, _ = fmt.Fprintf(&b, "#   %s  %s\n", field, s.Fields[field])
		}
	}
	return a.print(plain(b.String()))
}
