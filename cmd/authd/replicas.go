package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"authd/internal/auth"
)

func (a *app) replicasCommand() *cobra.Command {
	cmd := a.group(&cobra.Command{
		Use:     "replicas",
		Short:   "The processes that follow the change log",
		Example: "  authd replicas list",
	})
	cmd.AddCommand(&cobra.Command{
		Use:   "list",
		Short: "List who follows the change log, and how far",
		Long: `List who follows the change log, and how far. LAG is how many changes a replica has
yet to apply; LEASE is how long it answers without having read the log; MODE is what
it does then (cache.outage).`,
		Example: "  authd replicas list\n  authd replicas list -o json",
		Args:    cobra.NoArgs,
		RunE:    a.withStore(a.listReplicas),
	})
	return cmd
}

type replicaView struct {
	auth.Replica
	Lease    string `json:"lease"`
	MaxStale string `json:"max_stale"`
	Silent   string `json:"silent"`
	Lag      int64  `json:"lag"`
}

func (a *app) listReplicas(ctx context.Context, s *session, _ []string) error {
	last, err := s.store.LastChange(ctx)
	if err != nil {
		return err
	}
	replicas, err := s.store.ListReplicas(ctx)
	if err != nil {
		return err
	}
	views := make([]replicaView, len(replicas))
	rows := make([][]string, len(replicas))
	names := make([]string, len(replicas))
	for i, r := range replicas {
		lag := max(0, last-r.Applied)
		views[i] = replicaView{r, r.Lease.String(), r.MaxStale.String(), r.Silent.String(), lag}
		rows[i] = []string{
			r.Name, r.ID, r.Version, strconv.FormatInt(r.Applied, 10), strconv.FormatInt(lag, 10),
			r.Lease.String(), r.Outage, instant(r.SeenAt),
		}
		names[i] = r.Name
	}
	switch {
	case a.format == formatJSON:
		return a.printJSON(views)
	case a.quiet:
		return a.printLines(names)
	}
	return a.printTable([]string{"NAME", "ID", "VERSION", "APPLIED", "LAG", "LEASE", "MODE", "SEEN"}, rows)
}
