package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"authd/internal/auth"
)

// verifyView is what audit verify prints for programs.
type verifyView struct {
	Rows   int64          `json:"rows"`
	Head   auth.AuditHead `json:"head"`
	Faults []string       `json:"faults"`
}

func (a *app) auditVerify() *cobra.Command {
	var noted chainHash
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Find rows of the audit that were altered, removed or inserted",
		Long: `Find rows of the audit that were altered, removed or inserted, and name them; exit
code 1 says that there are any. It prints the head: the hash of the last row, which
stands for all rows up to it.

Who can write to the database and knows the format can write the whole audit anew.
Keep a head elsewhere, and compare with --head: that finds this, too.`,
		Example: "  authd audit verify\n  authd audit verify -q > /elsewhere/audit-head\n  authd audit verify --head $(cat /elsewhere/audit-head)",
		Args:    cobra.NoArgs,
		RunE: a.withStore(func(ctx context.Context, s *session, _ []string) error {
			return a.verifyAudit(ctx, s, &noted)
		}),
	}
	cmd.Flags().Var(&noted, "head", "a `hash` that was printed before: it is to be that of a row")
	return cmd
}

func (a *app) verifyAudit(ctx context.Context, s *session, noted *chainHash) error {
	// The head is read first: rows that are written meanwhile are after it.
	head, err := s.store.AuditHead(ctx)
	if err != nil {
		return err
	}
	check := auth.NewAuditCheck(noted.hash)
	last, err := eachAudit(ctx, s, beforeAll, func(e *auth.AuditEntry) error {
		if e.N <= head.N {
			check.Next(e)
		}
		return nil
	})
	if err != nil {
		return err
	}
	now, err := s.store.AuditHead(ctx)
	if err != nil {
		return err
	}
	check.End(head)
	faults := check.Faults
	if last > now.N {
		faults = append(faults, fmt.Sprintf("row %d was inserted: the last one that was written is %d", last, now.N))
	}
	if n, ok := check.At(noted.hash); noted.given && !ok {
		faults = append(faults, "no row has the hash "+noted.hash.String()+": rows up to it were removed, or the audit was written anew")
	} else if noted.given {
		a.say("The hash that you gave is that of row %d.", n)
	}
	return a.tellVerified(verifyView{Rows: check.Rows, Head: head, Faults: append([]string{}, faults...)})
}

// beforeAll is below every number that a row may have been given.
const beforeAll = -1 << 62

func (a *app) tellVerified(v verifyView) error {
	for _, f := range v.Faults {
		a.warn("%s", f)
	}
	switch {
	case a.format == formatJSON:
		if err := a.printJSON(v); err != nil {
			return err
		}
	case len(v.Faults) > 0:
	case a.quiet:
		if err := a.print(v.Head.Hash.String() + "\n"); err != nil {
			return err
		}
	default:
		if err := a.print("rows " + count(int(v.Rows), "row", "rows") + "\nhead " + v.Head.Hash.String() + "\n"); err != nil {
			return err
		}
	}
	if len(v.Faults) > 0 {
		a.warn("The audit is NOT as it was written.")
		return errFailed
	}
	a.say("The audit is as it was written.")
	return nil
}

// chainHash is a flag that holds a hash of the audit.
type chainHash struct {
	hash  auth.ChainHash
	given bool
}

// Set reads a hash.
func (h *chainHash) Set(v string) (err error) {
	h.hash, err = auth.ParseChainHash(v)
	h.given = true
	return err
}

// String is empty: there is no default.
func (h *chainHash) String() string { return "" }

// Type names the value in the help.
func (h *chainHash) Type() string { return "hash" }
