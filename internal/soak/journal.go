package soak

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"authd/internal/admin"
	"authd/internal/auth"
)

// journal is the one record of a run. Each time in it is taken under its lock,
// so whoever judges a request after its end sees every change that began before that.
type journal struct {
	began time.Time
	leaks *leaks

	mu         sync.Mutex
	violations []string // the first ones
	wrong      int      // how many there were
	first      moment   // of the violations
	statuses   map[int]int
	changes    map[string]int
	faults     map[string]int
	outcomes   map[string]int
	acked      []time.Duration // of confirmations by acknowledgement alone
	timed      []time.Duration
}

// The outcomes of a change.
const (
	byAck       = "confirmed by acknowledgement"
	byTime      = "confirmed by time"
	unconfirmed = "not confirmed"
	unknown     = "failed, or unknown"
)

func newJournal() *journal {
	return &journal{
		began: time.Now(), leaks: newLeaks(), statuses: map[int]int{},
		changes: map[string]int{}, faults: map[string]int{}, outcomes: map[string]int{},
	}
}

func (j *journal) now() moment { return time.Since(j.began) }

// effect is what a change does to a gate.
type effect struct {
	gate  *gate
	open  bool
	after time.Duration
}

// begin notes that a change is about to be asked for.
func (j *journal) begin(kind, of string, effects ...effect) *change {
	j.mu.Lock()
	defer j.mu.Unlock()
	c := &change{kind: kind, of: of, began: j.now(), answered: never, confirmed: never}
	for _, e := range effects {
		e.gate.turned(e.open, c, 0)
	}
	j.changes[kind]++
	return c
}

// answered notes that a change was made, and when what it does takes effect at the latest.
func (j *journal) answered(c *change, effects ...effect) {
	j.mu.Lock()
	defer j.mu.Unlock()
	c.answered = j.now()
	for _, e := range effects {
		if e.after > 0 {
			e.gate.turns[len(e.gate.turns)-1].from = c.answered + e.after
		}
	}
}

// failed notes that nobody knows what became of a change. Only an outage may do that.
func (j *journal) failed(c *change, err error) {
	j.count(j.outcomes, unknown)
	if !errors.Is(err, auth.ErrUnavailable) {
		j.violate("%s of %s failed, and not for an outage: %v", c.kind, c.of, err)
	}
}

// confirmed notes what became of the confirmation.
func (j *journal) confirmed(c *change, got admin.Confirmation) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case !got.Confirmed():
		j.outcomes[unconfirmed]++
		return
	case got.Timed > 0:
		j.outcomes[byTime]++
		j.timed = append(j.timed, got.Took)
	default:
		j.outcomes[byAck]++
		j.acked = append(j.acked, got.Took)
	}
	c.confirmed = j.now()
}

// asked judges a request that has ended.
func (j *journal) asked(r request) {
	j.mu.Lock()
	j.statuses[r.status]++
	wrong := r.judge()
	j.mu.Unlock()
	if wrong != "" {
		j.violate("%s", wrong)
	}
}

// settled is what a credential must be answered in the end.
func (j *journal) settled(c *credential, members bool) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return c.settled(members)
}

func (j *journal) count(what map[string]int, kind string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	what[kind]++
}

// most is how many violations are told: one mistake may make thousands.
const most = 10

func (j *journal) violate(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.wrong++; j.wrong == 1 {
		j.first = j.now()
	}
	text := fmt.Sprintf("after %s: ", at(j.now())) + fmt.Sprintf(format, args...)
	if j.leaks.in(text) {
		text = "what would be told here holds a raw key"
	}
	if len(j.violations) < most {
		j.violations = append(j.violations, text)
	}
}

// broken reports whether anything was wrong.
func (j *journal) broken() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.wrong > 0
}
