package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"authd/internal/admin"
	"authd/internal/auth"
)

func (a *app) keysImport() *cobra.Command {
	cmd := a.group(&cobra.Command{
		Use:   "import",
		Short: "Bring keys along that work elsewhere today",
		Long: `Bring keys along that work elsewhere today, with their values. A value is digested
when it is read, and kept nowhere. All keys are stored in one transaction. What cannot
be imported is told, with its place and why, and keeps nothing else from being imported:
the command then ends with exit code 1.

A second import changes what has changed there since, of those keys alone that came by an
import from there. It never enables a key or a user, and revives nothing.`,
		Example: `  authd keys import odoo --database postgres://odoo@db/production --dry-run
  authd keys import csv keys.csv
  authd keys import jsonl - < keys.jsonl`,
	})
	cmd.AddCommand(a.importOdoo(), a.importCSV(), a.importJSONL())
	return cmd
}

// importing makes the RunE of an import: read gives its entries, and from names where they are from.
func (a *app) importing(from string, dryRun *bool, read func(ctx context.Context, s *session, args []string) ([]admin.Entry, error)) func(*cobra.Command, []string) error {
	run := a.withStore(func(ctx context.Context, s *session, args []string) error {
		entries, err := read(ctx, s, args)
		if err != nil {
			return err
		}
		p := progress{a: a, shown: isTerminal(a.err) && !a.quiet}
		done, err := s.admin.Import(ctx, from, entries, *dryRun, p.show)
		p.end()
		if err != nil {
			return err
		}
		return a.tellImport(ctx, s, &done, *dryRun)
	})
	return func(cmd *cobra.Command, args []string) error {
		a.work = importTime
		return run(cmd, args)
	}
}

func importFlags(cmd *cobra.Command, dryRun *bool) *cobra.Command {
	cmd.Flags().BoolVar(dryRun, "dry-run", false, "change nothing; print what would become of each key")
	return cmd
}

// progress is a line of stderr that is written over and over, on a terminal alone.
type progress struct {
	a     *app
	shown bool
	any   bool
	last  time.Time
}

const progressEvery = 100 * time.Millisecond

func (p *progress) show(made, of int) {
	if !p.shown || made < of && time.Since(p.last) < progressEvery {
		return
	}
	p.any, p.last = true, time.Now()
	_, _ = fmt.Fprintf(p.a.err, "\r%d of %d keys (%d%%)", made, of, 100*made/max(of, 1))
}

func (p *progress) end() {
	if p.any {
		_, _ = fmt.Fprintln(p.a.err)
	}
}

// importView is what an import came to, as -o json prints it.
type importView struct {
	DryRun       bool                  `json:"dry_run"`
	Counts       map[admin.Outcome]int `json:"counts"`
	Keys         []admin.Line          `json:"keys"`
	Confirmation *confirmation         `json:"confirmation,omitempty"`
}

// tellImport prints what became of the keys, waits until all replicas follow, and fails where
// some could not be imported.
func (a *app) tellImport(ctx context.Context, s *session, done *admin.Imported, dryRun bool) error {
	counts := done.Count()
	view := importView{DryRun: dryRun, Counts: counts, Keys: done.Lines}
	var unconfirmed error
	if a.format == formatText {
		if err := a.printLinesOf(done.Lines, dryRun); err != nil {
			return err
		}
	}
	a.say("%s", importedText(counts, dryRun))
	if !dryRun {
		var c confirmation
		c, unconfirmed = a.confirm(ctx, s, done.Change)
		view.Confirmation = &c
	}
	if a.format == formatJSON {
		if err := a.printJSON(view); err != nil {
			return err
		}
	}
	if unconfirmed != nil {
		return unconfirmed
	}
	if bad := counts[admin.Conflict] + counts[admin.Invalid]; bad > 0 {
		a.warn("%s could not be imported; what became of the others is told above.", count(bad, "key", "keys"))
		return errFailed
	}
	return nil
}

func importedText(counts map[admin.Outcome]int, dryRun bool) string {
	var parts []string
	for _, o := range admin.Outcomes {
		parts = append(parts, fmt.Sprintf("%d %s", counts[o], o))
	}
	text := strings.Join(parts, ", ") + "."
	if dryRun {
		return "Nothing was changed. An import would come to: " + text
	}
	return "The import came to: " + text
}

// printLinesOf prints every line of a dry run; of an import, what somebody should look at.
func (a *app) printLinesOf(lines []admin.Line, dryRun bool) error {
	var rows [][]string
	for i := range lines {
		l := &lines[i]
		plain := (l.Outcome == admin.Created || l.Outcome == admin.Unchanged) && len(l.Notes) == 0
		if plain && (!dryRun || a.quiet) {
			continue
		}
		why := l.Notes
		if l.Why != "" {
			why = append([]string{l.Why}, l.Notes...)
		}
		rows = append(rows, []string{string(l.Outcome), l.Name, l.Place, strings.Join(why, "; ")})
	}
	if len(rows) == 0 {
		return nil
	}
	return a.printTable([]string{"OUTCOME", "NAME", "PLACE", "WHY"}, rows)
}

// valued gives an entry its value, or says why it can't have one.
func valued(s *admin.Service, e *admin.Entry, secret auth.Secret) {
	var err error
	if e.Value, err = s.Digest(secret); err != nil {
		e.Skip = err.Error()
	}
}
