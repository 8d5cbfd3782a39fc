package limit

import (
	"hash/maphash"

	"github.com/prometheus/client_golang/prometheus"
)

// Shards lets tests fill one.
const Shards = shards

// NewLocalOf is NewLocal with another bound.
func NewLocalOf(reg prometheus.Registerer, most int) *Local { return newLocal(reg, most) }

// ShardOf tells which keys are bounded together.
func (l *Local) ShardOf(id string) uint64 { return maphash.String(l.seed, id) % shards }

// Counted is how many keys are remembered.
func (l *Local) Counted() (n int) {
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		n += len(s.entries)
		if len(s.queue) != len(s.entries) {
			panic("an entry is not in the queue, or a queue holds one that is gone")
		}
		s.mu.Unlock()
	}
	return n
}
