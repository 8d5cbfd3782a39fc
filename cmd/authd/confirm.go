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

// waitTime is how long a change is waited for by default: longer than a lease.
const waitTime = 45 * time.Second

func (a *app) waitFlag(cmd *cobra.Command) *cobra.Command {
	a.wait = span(waitTime)
	cmd.Flags().Var(&a.wait, "wait", "how long to wait until every replica follows")
	return cmd
}

// confirmation is what -o json tells of the replicas.
type confirmation struct {
	Seq          int64     `json:"seq"`
	Confirmed    bool      `json:"confirmed"`
	Replicas     int       `json:"replicas"`
	Acknowledged int       `json:"acknowledged"`
	Stopped      int       `json:"stopped"`
	Timed        int       `json:"timed"`
	Pending      []pending `json:"pending"`
	TookMS       int64     `json:"took_ms"`
	Error        string    `json:"error,omitempty"`
}

type pending struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Applied int64     `json:"applied"`
	Until   time.Time `json:"until"`
}

// confirm waits until every replica follows a change, and says how that went.
// The error is nil or errUnconfirmed.
func (a *app) confirm(ctx context.Context, s *session, change auth.Change) (confirmation, error) {
	c, err := admin.Confirm(ctx, s.store, change, time.Duration(a.wait))
	out := confirmation{
		Seq: change.Seq, Confirmed: c.Confirmed(),
		Replicas: c.Replicas, Acknowledged: c.Acknowledged, Stopped: c.Stopped, Timed: c.Timed,
		Pending: make([]pending, 0, len(c.Pending)), TookMS: c.Took.Milliseconds(),
	}
	for _, p := range c.Pending {
		out.Pending = append(out.Pending, pending(p))
	}
	if c.Confirmed() {
		a.say("%s", confirmedText(&c))
		return out, nil
	}
	a.warn("The change is made, but it is NOT confirmed.")
	if err != nil {
		out.Error = err.Error()
		a.warn("The replicas could not be asked: %v", err)
	}
	for _, p := range c.Pending {
		a.warn("Replica %s (%s) has not followed; it may answer from the old state until %s.",
			visible(p.Name), p.ID, instant(p.Until))
	}
	return out, errUnconfirmed
}

func confirmedText(c *admin.Confirmation) string {
	if c.Replicas == 0 {
		return "No replica is running, so there is nothing to wait for."
	}
	text := fmt.Sprintf("Confirmed by %d of %s", c.Acknowledged, count(c.Replicas, "replica", "replicas"))
	var rest []string
	if c.Stopped > 0 {
		rest = append(rest, fmt.Sprintf("%d stopped meanwhile", c.Stopped))
	}
	if c.Timed > 0 {
		rest = append(rest, fmt.Sprintf("%d by time: silent for so long that it can't answer", c.Timed))
	}
	if len(rest) > 0 {
		text += " (" + strings.Join(rest, ", ") + ")"
	}
	return fmt.Sprintf("%s in %d ms.", text, c.Took.Milliseconds())
}
