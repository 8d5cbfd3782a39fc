package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"authd/internal/auth"
)

func (a *app) auditCommand() *cobra.Command {
	f := auditFlags{since: since{now: time.Now}}
	cmd := a.group(&cobra.Command{
		Use:   "audit",
		Short: "Who changed what, and when",
		Long: `Who changed what, and when: every change to a key or a user, and every reload of
override sections that changed something, the oldest first. No secret is in it; of
override sections, the names of fields alone.

With -f it goes on with what is changed from now on, until it is interrupted. With
-o json it prints a list; with -f as well, a line for each row.`,
		Example: `  authd audit --key "Partner sync" --since 7d
  authd audit --action keys.revoke -o json
  authd audit -f
  authd audit verify`,
	})
	cmd.RunE = a.withStore(func(ctx context.Context, s *session, _ []string) error { return a.printAudit(ctx, s, &f) })
	flags := cmd.Flags()
	flags.StringVar(&f.Key, "key", "", "only what was done to this `key`: a name that it has or had, a slug or an id")
	flags.StringVar(&f.User, "user", "", "only what was done to this `login` and its keys")
	flags.StringVar(&f.Action, "action", "", "only this `action`: keys.revoke, or keys for all of them")
	flags.Var(&f.since, "since", "only what was done within this time (7d), or since this instant")
	flags.BoolVarP(&a.endless, "follow", "f", false, "go on with what is changed from now on")
	cmd.AddCommand(a.auditVerify())
	return cmd
}

// auditFlags narrow what is printed.
type auditFlags struct {
	auth.AuditFilter
	since since
}

// auditPage is how many rows are read at once.
const auditPage = 1000

// auditPoll is how often -f looks, where nothing tells of a commit.
const auditPoll = time.Second

func (a *app) printAudit(ctx context.Context, s *session, f *auditFlags) error {
	f.Since = f.since.Time
	if err := f.findKey(ctx, s); err != nil {
		return err
	}
	views := []auditView{}
	each := func(e *auth.AuditEntry) error {
		switch {
		case !f.Matches(e):
			return nil
		case a.format == formatJSON && !a.endless:
			views = append(views, viewAudit(e))
			return nil
		case a.format == formatJSON:
			return a.printJSONLine(viewAudit(e))
		}
		return a.print(auditText(e))
	}
	last, err := eachAudit(ctx, s, 0, each)
	if err != nil {
		return err
	}
	if !a.endless {
		if a.format == formatJSON {
			return a.printJSON(views)
		}
		return nil
	}
	return followAudit(ctx, s, last, each)
}

// findKey finds the id of the key that is meant: by what it is called now, or
// else by what the last one was called that was renamed or deleted.
func (f *auditFlags) findKey(ctx context.Context, s *session) error {
	if f.Key == "" {
		return nil
	}
	k, err := s.store.Key(ctx, f.Key)
	switch {
	case err == nil:
		f.KeyID = k.ID
		return nil
	case !errors.Is(err, auth.ErrKeyNotFound):
		return err
	}
	named := auth.AuditFilter{Key: f.Key}
	_, err = eachAudit(ctx, s, 0, func(e *auth.AuditEntry) error {
		if e.KeyID != "" && named.Matches(e) {
			f.KeyID = e.KeyID
		}
		return nil
	})
	return err
}

// eachAudit reads all rows after a number, and returns the number of the last.
func eachAudit(ctx context.Context, s *session, after int64, each func(*auth.AuditEntry) error) (int64, error) {
	for {
		rows, err := auditRows(ctx, s, after)
		if err != nil {
			return after, err
		}
		for i := range rows {
			if err := each(&rows[i]); err != nil {
				return after, err
			}
			after = rows[i].N
		}
		if len(rows) < auditPage {
			return after, nil
		}
	}
}

// auditRows reads a page, within a time of its own: -f has none.
func auditRows(ctx context.Context, s *session, after int64) ([]auth.AuditEntry, error) {
	ctx, cancel := context.WithTimeout(ctx, workTime)
	defer cancel()
	return s.store.AuditEntries(ctx, after, auditPage)
}

// followAudit prints what comes, until ctx ends, which is no failure. A store that is away is asked again.
func followAudit(ctx context.Context, s *session, last int64, each func(*auth.AuditEntry) error) error {
	poll := time.NewTicker(auditPoll)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.store.Woken():
		case <-poll.C:
		}
		var err error
		if last, err = eachAudit(ctx, s, last, each); err != nil && ctx.Err() == nil && !errors.Is(err, auth.ErrUnavailable) {
			return err
		}
	}
}

// auditView is a row as -o json prints it.
type auditView struct {
	N       int64              `json:"n"`
	At      time.Time          `json:"at"`
	Actor   string             `json:"actor"`
	Action  string             `json:"action"`
	Key     string             `json:"key,omitempty"`
	KeyID   string             `json:"key_id,omitempty"`
	User    string             `json:"user,omitempty"`
	Changes []auth.FieldChange `json:"changes"`
	Damaged bool               `json:"damaged,omitempty"` // what was changed can't be read: see authd audit verify
	Hash    auth.ChainHash     `json:"hash"`
}

func viewAudit(e *auth.AuditEntry) auditView {
	changes, err := e.Changes()
	if changes == nil {
		changes = []auth.FieldChange{}
	}
	return auditView{
		N: e.N, At: e.At, Actor: e.Actor, Action: e.Action, Key: e.Key, KeyID: e.KeyID, User: e.User,
		Changes: changes, Damaged: err != nil, Hash: e.Hash,
	}
}

// auditText is a row for people: a line of who and what, and one for each field.
func auditText(e *auth.AuditEntry) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d  %s  %s  %s", e.N, instant(e.At), visible(e.Actor), visible(e.Action))
	if e.Key != "" {
		fmt.Fprintf(&b, "  key %q", e.Key)
	}
	if e.User != "" {
		fmt.Fprintf(&b, "  user %q", e.User)
	}
	b.WriteString("\n")
	changes, err := e.Changes()
	if err != nil {
		b.WriteString("    this row is damaged: run authd audit verify\n")
	}
	for _, c := range changes {
		fmt.Fprintf(&b, "    %s: %s -> %s\n", visible(c.Field), side(c.Before), side(c.After))
	}
	return plain(b.String())
}

// side is a field on one side of a change.
func side(v json.RawMessage) string {
	if len(v) == 0 {
		return "-"
	}
	return string(v)
}
