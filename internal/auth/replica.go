package auth

import "time"

// What a replica does when its lease has run out, see cache.outage.
const (
	OutageServe = "serve"
	OutageDeny  = "deny"
)

// Replica is a running process that follows the change log.
type Replica struct {
	ID        string        `json:"id"`   // of the incarnation: a new one at each start
	Name      string        `json:"name"` // for people: the host, or the pod
	Version   string        `json:"version"`
	Lease     time.Duration `json:"lease"`
	Outage    string        `json:"outage"`
	MaxStale  time.Duration `json:"max_stale"`
	Applied   int64         `json:"applied"`    // it answers from no state older than this
	StartedAt time.Time     `json:"started_at"` // by the store's clock
	SeenAt    time.Time     `json:"seen_at"`    // by the store's clock
	Silent    time.Duration `json:"silent"`     // since SeenAt, by the store's clock
}

// ClockMargin is added wherever time stands in for an acknowledgement.
const ClockMargin = 2 * time.Second

// StopsAfter is how long after its last word the replica may still answer
// from old state, if it is cut off rather than dead. A mode that is not known
// here counts as the longer one.
func (r *Replica) StopsAfter() time.Duration {
	d := r.Lease + ClockMargin
	if r.Outage != OutageDeny {
		d += r.MaxStale
	}
	return d
}
