package soak

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"authd/internal/auth"
)

// moment is the time since the run began, by the monotonic clock.
type moment = time.Duration

// never is later than all that happens.
const never = moment(math.MaxInt64)

// change is what was asked of the store. What it was answered is not in it
// until that is known, so a change that is under way and one whose outcome stays
// unknown look the same, and both may have taken effect.
type change struct {
	kind, of  string
	began     moment
	answered  moment // never: nobody knows whether it was made
	confirmed moment // never: a replica may answer from the state before it
}

// gate is a condition that a credential must pass: that its key is active, its
// user is, its secret is one that is there. Changes open and shut it, one after the other.
type gate struct {
	name  string
	born  bool // open before the first turn
	turns []turn
}

type turn struct {
	open bool
	by   *change
	from moment // when it takes effect, if that is later than the change: the end of a rotation's overlap
}

// turned notes that a change opens or shuts the gate.
func (g *gate) turned(open bool, by *change, from moment) {
	g.turns = append(g.turns, turn{open, by, from})
}

// shut reports whether no replica may have found the gate open at any time
// from start to end: it was confirmed shut before, and nothing has begun to open it.
func (g *gate) shut(start, end moment) bool {
	return g.surely(false, start, end)
}

// open reports whether every replica must have found the gate open all the time.
func (g *gate) open(start, end moment) bool {
	return g.surely(true, start, end)
}

func (g *gate) surely(open bool, start, end moment) bool {
	for i := len(g.turns) - 1; i >= 0; i-- {
		t := &g.turns[i]
		switch {
		case t.open != open && t.by.began <= end:
			return false
		case t.open == open && t.by.confirmed < start && t.from < start:
			return true
		}
	}
	return g.born == open
}

// settled reports how the gate stands, and whether that is known. It is for
// when nothing is under way any more.
func (g *gate) settled() (open, known bool) {
	if len(g.turns) == 0 {
		return g.born, true
	}
	last := g.turns[len(g.turns)-1]
	return last.open, last.by.answered != never
}

// credential is one secret of one key. It passes where all its gates are open.
type credential struct {
	name   string
	secret auth.Secret
	own    *gate // that this secret is one: opened when it is stored, shut when it is retired
	gates  []*gate
	group  *gate       // that the key is in the group that a policy asks for
	over   atomic.Bool // nothing more will be done to it
}

// request is one question to one replica and its answer. Status 0 is none.
type request struct {
	of         *credential
	replica    string
	members    bool // asked under the policy
	start, end moment
	status     int
}

// gates are all that the request must pass.
func (r *request) gates() []*gate {
	if r.members {
		return append(slices.Clone(r.of.gates), r.of.group)
	}
	return r.of.gates
}

// judge says what is wrong with an answer, or nothing. Every change that began
// before the request's end must be known by now. An outage is never wrong here:
// that it ends is found out after all faults are over.
func (r *request) judge() string {
	switch r.status {
	case 0, http.StatusServiceUnavailable:
	case http.StatusOK:
		if anyShut(r.gates(), r.start, r.end) {
			return "let in although it was confirmed that it is not: " + r.trace()
		}
	case http.StatusUnauthorized:
		if allOpen(r.of.gates, r.start, r.end) {
			return "denied although it was good throughout: " + r.trace()
		}
	case http.StatusForbidden:
		switch {
		case !r.members:
			return "forbidden where nothing is asked for but a key: " + r.trace()
		case anyShut(r.of.gates, r.start, r.end):
			return "known although it was confirmed that it is not: " + r.trace()
		case r.of.group.open(r.start, r.end):
			return "forbidden although it was a member throughout: " + r.trace()
		}
	default:
		return fmt.Sprintf("status %d, which nothing explains: %s", r.status, r.trace())
	}
	return ""
}

func anyShut(gates []*gate, start, end moment) bool {
	return slices.ContainsFunc(gates, func(g *gate) bool { return g.shut(start, end) })
}

func allOpen(gates []*gate, start, end moment) bool {
	return !slices.ContainsFunc(gates, func(g *gate) bool { return !g.open(start, end) })
}

// settled is what the credential must be answered when all is over; 0 where an
// outcome that stayed unknown decides it.
func (c *credential) settled(members bool) int {
	status := http.StatusOK
	for _, g := range c.gates {
		switch open, known := g.settled(); {
		case known && !open:
			return http.StatusUnauthorized
		case !known:
			status = 0
		}
	}
	if !members || status == 0 {
		return status
	}
	switch open, known := c.group.settled(); {
	case !known:
		return 0
	case !open:
		return http.StatusForbidden
	}
	return status
}

// traced is how many of the last turns of each gate a trace tells.
const traced = 6

// trace tells the request, and what had become of its gates.
func (r *request) trace() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s at %s, asked as a member %t: %d, from %s to %s", r.of.name, r.replica, r.members, r.status, at(r.start), at(r.end))
	for _, g := range r.gates() {
		fmt.Fprintf(&b, "\n    %s:", g.name)
		for _, t := range g.turns[max(0, len(g.turns)-traced):] {
			fmt.Fprintf(&b, "\n      %s (opens it: %t) began %s, answered %s, confirmed %s", t.by.kind, t.open, at(t.by.began), at(t.by.answered), at(t.by.confirmed))
		}
	}
	return b.String()
}

func at(m moment) string {
	if m == never {
		return "never"
	}
	return fmt.Sprintf("%.4fs", m.Seconds())
}
