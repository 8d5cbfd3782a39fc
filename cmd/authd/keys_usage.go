package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"authd/internal/auth"
)

func (a *app) keysUsage() *cobra.Command {
	since := span(7 * 24 * time.Hour)
	cmd := &cobra.Command{
		Use:   "usage [NAME]",
		Short: "Show what keys were used for, and which of their secrets",
		Long: `Show what keys were used for: all that were, or one of them with its secrets, by
hours, days or weeks. DENIED are requests with a key that was known. What came within
the last usage.flush (5s) may be missing. On a terminal and with -o text it is a
table; in a pipe it is JSON, where every hour has its numbers.`,
		Example: `  authd keys usage
  authd keys usage "Partner sync" --since 30d
  authd keys usage partner_sync --since 1d -o json`,
		Args: cobra.MaximumNArgs(1),
	}
	cmd.RunE = a.withStore(func(ctx context.Context, s *session, args []string) error {
		if !cmd.Flags().Changed("output") && !a.quiet && !isTerminal(a.out) {
			a.format = formatJSON
		}
		if s.loaded.Config.Usage.Keep == 0 {
			a.warn("Usage is not counted (usage.keep is 0): this is what was counted before.")
		}
		begin := time.Now().UTC().Add(-time.Duration(since))
		if len(args) == 1 {
			return a.usageOf(ctx, s, args[0], begin)
		}
		return a.usageOfAll(ctx, s, begin)
	})
	cmd.Flags().Var(&since, "since", "how far back: 12h, 7d, 8w")
	return cmd
}

// usedKey is a key in the list of all that were used.
type usedKey struct {
	Name     string    `json:"name"` // the id where there is no record: of a standalone override section
	ID       string    `json:"id"`
	User     string    `json:"user"`
	LastUsed time.Time `json:"last_used,omitzero"`
	auth.UsageCounts
}

func (a *app) usageOfAll(ctx context.Context, s *session, begin time.Time) error {
	list, err := usedKeys(ctx, s, begin)
	if err != nil {
		return err
	}
	rows, names, totals := make([][]string, len(list)), make([]string, len(list)), make([]int64, len(list))
	for i, k := range list {
		names[i], totals[i] = k.Name, k.Total()
		rows[i] = append([]string{k.Name, k.User}, append(shownCounts(k.UsageCounts), instant(k.LastUsed))...)
	}
	switch {
	case a.format == formatJSON:
		return a.printJSON(list)
	case a.quiet:
		return a.printLines(names)
	}
	return a.printTable([]string{"NAME", "USER", "ALLOWED", "LIMITED", "DENIED", "LAST USED", "SHARE"}, withBars(rows, totals))
}

// usedKeys are the keys that were used since begin, the busiest first.
func usedKeys(ctx context.Context, s *session, begin time.Time) ([]usedKey, error) {
	totals, err := s.store.UsageTotals(ctx, begin)
	if err != nil {
		return nil, err
	}
	u, err := readUses(ctx, s, "")
	if err != nil {
		return nil, err
	}
	records, err := s.store.ListKeys(ctx, auth.KeyFilter{Now: time.Now()})
	if err != nil {
		return nil, err
	}
	byID := map[string]*auth.Record{}
	for i := range records {
		byID[records[i].ID] = &records[i]
	}
	list := []usedKey{}
	for id, counts := range totals {
		k := usedKey{Name: id, ID: id, LastUsed: u.last(id), UsageCounts: counts}
		if r := byID[id]; r != nil {
			k.Name, k.User = r.Name, r.User
		}
		list = append(list, k)
	}
	slices.SortFunc(list, func(a, b usedKey) int {
		return cmp.Or(cmp.Compare(b.Total(), a.Total()), cmp.Compare(a.Name, b.Name))
	})
	return list, nil
}

// usageView is what -o json prints of one key.
type usageView struct {
	Name         string           `json:"name"`
	ID           string           `json:"id"`
	Since        time.Time        `json:"since"`
	LastUsed     time.Time        `json:"last_used,omitzero"`
	Total        auth.UsageCounts `json:"total"`
	Hours        []auth.UsageHour `json:"hours"`
	Secrets      []secretView     `json:"secrets"`
	OverrideUses []auth.SecretUse `json:"override_uses,omitempty"`
}

func (a *app) usageOf(ctx context.Context, s *session, ref string, begin time.Time) error {
	r, err := s.store.Key(ctx, ref)
	if err != nil {
		return s.nearKey(ctx, ref, fmt.Errorf("key %q: %w", ref, err))
	}
	hours, err := s.store.UsageHours(ctx, r.ID, begin)
	if err != nil {
		return err
	}
	u, err := readUses(ctx, s, r.ID)
	if err != nil {
		return err
	}
	k := viewKey(r, u)
	v := usageView{
		Name: r.Name, ID: r.ID, Since: begin.Truncate(time.Second), LastUsed: k.LastUsed, Hours: hours, Secrets: k.Secrets, OverrideUses: k.OverrideUses,
	}
	for _, h := range hours {
		v.Total = v.Total.Sum(h.UsageCounts)
	}
	switch {
	case a.format == formatJSON:
		return a.printJSON(v)
	case a.quiet:
		return a.printLines([]string{strconv.FormatInt(v.Total.Total(), 10)})
	}
	if err := a.printPeriods(hours, begin); err != nil {
		return err
	}
	return a.print("\n" + describeUses(&k))
}

func (a *app) printPeriods(hours []auth.UsageHour, begin time.Time) error {
	list := periods(hours, begin, time.Now().UTC())
	rows, totals := make([][]string, len(list)), make([]int64, len(list))
	for i, p := range list {
		totals[i] = p.Total()
		rows[i] = append([]string{instant(p.Hour)}, shownCounts(p.UsageCounts)...)
	}
	return a.printTable([]string{"FROM", "ALLOWED", "LIMITED", "DENIED", "SHARE"}, withBars(rows, totals))
}

// periods sums hours up to what fits a screen: hours, days, or weeks. Those
// without any use are there as well.
func periods(hours []auth.UsageHour, begin, now time.Time) (list []auth.UsageHour) {
	length := time.Hour
	switch span := now.Sub(begin); {
	case span > 60*24*time.Hour:
		length = 7 * 24 * time.Hour
	case span > 2*24*time.Hour:
		length = 24 * time.Hour
	}
	for at := begin.Truncate(length); !at.After(now); at = at.Add(length) {
		list = append(list, auth.UsageHour{Hour: at})
	}
	for _, h := range hours {
		if i := int(h.Hour.Sub(list[0].Hour) / length); i >= 0 && i < len(list) {
			list[i].UsageCounts = list[i].Sum(h.UsageCounts)
		}
	}
	return list
}

func shownCounts(c auth.UsageCounts) []string {
	var cells []string
	for _, n := range []int64{c.Allowed, c.Limited, c.Denied()} {
		cells = append(cells, strconv.FormatInt(n, 10))
	}
	return cells
}

// barLength is that of the longest bar, in characters.
const barLength = 30

// withBars adds a bar to each row. What is not nothing has one that can be seen.
func withBars(rows [][]string, values []int64) [][]string {
	most := int64(1)
	for _, v := range values {
		most = max(most, v)
	}
	eighths := []rune("▏▎▍▌▋▊▉█")
	for i, v := range values {
		bar := " "
		if v > 0 {
			n := max(1, int(float64(v)/float64(most)*barLength*8))
			bar = strings.Repeat("█", n/8)
			if n%8 > 0 {
				bar += string(eighths[n%8-1])
			}
		}
		rows[i] = append(rows[i], bar)
	}
	return rows
}
