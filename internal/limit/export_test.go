package limit

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Shards lets tests fill one.
const Shards = shards

// NewLocalOf is NewLocal with another bound.
func NewLocalOf(reg prometheus.Registerer, most int) *Local { return newLocal(newDecisions(reg), most) }

// ShardOf tells which keys are bounded together.
func (l *Local) ShardOf(id string) uint64 { return l.place(id) }

// Counted is how many keys and users are remembered.
func (l *Local) Counted() (n int) {
	for i := range shards {
		for _, s := range []*shard{&l.keys[i], &l.users[i]} {
			s.mu.Lock()
			n += len(s.entries)
			if len(s.queue) != len(s.entries) {
				panic("an entry is not in the queue, or a queue holds one that is gone")
			}
			if len(s.repeats.known) != len(s.repeats.ring) || len(s.repeats.ring) > maxRequests {
				panic("a request is remembered that nothing will forget")
			}
			s.mu.Unlock()
		}
	}
	return n
}

// SetClock gives the moments at which requests are counted, in place of Redis' clock.
func (s *Shared) SetClock(now func() time.Time) { s.now = now }

// SetRemember sets how long a request's id is known.
func (s *Shared) SetRemember(d time.Duration) { s.remember = d }
