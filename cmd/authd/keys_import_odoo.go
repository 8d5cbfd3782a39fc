package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"authd/internal/admin"
	"authd/internal/auth"
	"authd/internal/odoo"
	"authd/internal/override"
)

// odooFlags say where Odoo's keys are.
type odooFlags struct {
	database string
	config   []string
	env      bool
	user     string
	dryRun   bool
}

func (a *app) importOdoo() *cobra.Command {
	var f odooFlags
	cmd := &cobra.Command{
		Use:   "odoo --database URL | --config FILE|DIR",
		Short: "Import the keys of Odoo's module auth_api_key",
		Long: `Import the keys of Odoo's module auth_api_key, 10.0 to 19.0: from its database, which is
only read, or from its configuration, or from both: a section [api_key_NAME] then gives
its record the value.

A record becomes a key of its name, its user, and the codes of its groups. Whose value
is missing, a placeholder or encrypted is told and passed over. Of two records with one
value the lowest id counts. With --config alone, a section without a user needs --user.

--config means Odoo's configuration here; authd's own is given by -c.`,
		Example: `  authd keys import odoo --database postgres://odoo@db/production --dry-run
  authd keys import odoo --database postgres://odoo@db/production --config /etc/odoo/odoo.conf
  authd keys import odoo --config /etc/odoo/conf.d --user erp@example.com -c /etc/authd`,
		Args: cobra.NoArgs,
		RunE: a.importing("odoo", &f.dryRun, func(ctx context.Context, s *session, _ []string) ([]admin.Entry, error) {
			return a.readOdoo(ctx, s, &f)
		}),
	}
	flags := cmd.Flags()
	flags.StringVar(&f.database, "database", "", "the `URL` of Odoo's database, as postgres://...; a password may come from PGPASSWORD")
	flags.StringArrayVar(&f.config, "config", nil, "a configuration `file` of Odoo, or a folder of server_environment; may be given several times")
	flags.BoolVar(&f.env, "config-env", false, "read SERVER_ENV_CONFIG and SERVER_ENV_CONFIG_SECRET as well")
	flags.StringVar(&f.user, "user", "", "the `login` that sections without a user stand for")
	// The flag --config of all commands is hidden by this one's: what is left of it is its letter.
	flags.StringArrayVarP(&a.files, "authd-config", "c", nil, "a configuration `file` of authd, or a folder of them; may be given several times")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if f.database == "" && len(f.config) == 0 && !f.env {
			return usageError("where are the keys: --database URL, --config FILE|DIR, or --config-env")
		}
		return nil
	}
	return a.waitFlag(importFlags(cmd, &f.dryRun))
}

// readOdoo reads the entries. A raw value lives for one record: it is digested before the next one is read.
func (a *app) readOdoo(ctx context.Context, s *session, f *odooFlags) ([]admin.Entry, error) {
	found, err := odoo.Read(odoo.Source{Paths: f.config, Variables: f.env, LookupEnv: os.LookupEnv, Known: override.IsField})
	if err != nil {
		return nil, err
	}
	for _, w := range found.Warnings {
		a.warn("warning: %s", w)
	}
	keys := odoo.Keys(found.Sections)
	if f.database == "" {
		return fromSections(s.admin, keys, f.user), nil
	}
	var entries []admin.Entry
	used := map[*odoo.ConfigKey]bool{}
	err = odoo.ReadDatabase(ctx, f.database, func(r *odoo.Record) error {
		if len(entries) == mostEntries {
			return errTooMany
		}
		section := odoo.Of(keys, r)
		used[section] = true
		entries = append(entries, fromRecord(s.admin, r, section))
		return nil
	})
	for i := range keys {
		if k := &keys[i]; err == nil && !used[k] {
			entries = append(entries, admin.Entry{Place: k.At, Name: k.Name, Skip: "no record has this name or tech name"})
		}
	}
	return entries, err
}

// mostEntries bounds an import: all of it is in memory, some hundreds of bytes each.
const mostEntries = 1_000_000

var errTooMany = fmt.Errorf("more than %d keys: import them in parts", mostEntries)

// fromRecord is the entry of a record; section, which may be nil, is what the configuration says of it.
func fromRecord(s *admin.Service, r *odoo.Record, section *odoo.ConfigKey) admin.Entry {
	user, groups, active := r.Login, r.Groups, r.Active
	e := admin.Entry{Place: fmt.Sprintf("record %d", r.ID), Name: r.Name, Skip: r.Why, UserInactive: user != "" && !r.UserActive}
	secret := r.Secret
	if section != nil && section.HasValue {
		secret, e.Skip = section.Secret, section.Why
		e.Notes = append(e.Notes, "its value is that of "+override.Header(section.Name)+" ("+section.At+")")
	}
	e.Apply = func(to *auth.Record) { to.User, to.Groups, to.Active = user, groups, active }
	if e.Skip == "" && user == "" {
		e.Skip = "its user is not there"
	}
	if e.Skip == "" {
		valued(s, &e, secret)
	}
	if e.Skip != "" {
		return e
	}
	if !active {
		e.Notes = append(e.Notes, "it is archived there, and disabled here")
	}
	if e.UserInactive && !r.UserCounts {
		e.Notes = append(e.Notes, "there the key of an archived user passes")
	}
	if slug := auth.Slug(r.Name); r.TechName != "" && r.TechName != slug {
		e.Notes = append(e.Notes, fmt.Sprintf("its tech name there is %q and its slug here %s: rename sections of the tech name", r.TechName, slug))
	}
	return e
}

// fromSections are the entries of sections without a database: all that is known of a key is there.
func fromSections(s *admin.Service, keys []odoo.ConfigKey, user string) []admin.Entry {
	entries := make([]admin.Entry, len(keys))
	for i, k := range keys {
		login := k.Login
		if login == "" {
			login = user
		}
		e := admin.Entry{Place: k.At, Name: k.Name, Skip: k.Why}
		e.Apply = func(to *auth.Record) { to.User = login }
		if e.Skip == "" && login == "" {
			e.Skip = errNoUser.Error()
		}
		if e.Skip == "" {
			valued(s, &e, k.Secret)
		}
		entries[i] = e
	}
	return entries
}

var errNoUser = errors.New("it names no user: give --user, or import the database beside it")
