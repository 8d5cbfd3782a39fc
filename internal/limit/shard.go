package limit

import (
	"container/heap"
	"errors"
	"sync"
	"time"
)

// errFull says that a key can't be counted, since too many others are.
var errFull = errors.New("more keys or users with limits are in use than can be counted: give limits to fewer, or quotas of shorter windows")

const (
	// sweep is how many entries a request looks at that may be at rest. More
	// than the one that it may add: what is at rest becomes less with every request.
	sweep = 2
	// linger is how much longer than it must an entry stays, so that one of a
	// key in steady use is not looked at with every request.
	linger = int64(time.Second)
)

// shard holds the entries of some keys, or of some users.
type shard struct {
	mu      sync.Mutex
	most    int
	entries map[string]*entry // by the key's id, or the login; guarded by mu
	queue   byDue             // the same entries; guarded by mu
	repeats repeats           // of requests of these keys; guarded by mu
}

// entryLocked is the one of an id, made where there is none.
func (s *shard) entryLocked(id string, at int64) (*entry, error) {
	s.dropLocked(at, sweep)
	e := s.entries[id]
	if e == nil {
		if len(s.entries) >= s.most {
			s.dropLocked(at, len(s.entries))
		}
		if len(s.entries) >= s.most {
			return nil, errFull
		}
		e = newEntry(id, at)
		s.entries[id] = e
		heap.Push(&s.queue, e)
	}
	return e, nil
}

// dropLocked looks at entries that may be at rest, the longest overdue first, and drops those that are.
func (s *shard) dropLocked(now int64, most int) {
	for range most {
		if len(s.queue) == 0 || s.queue[0].due > now {
			return
		}
		e := s.queue[0]
		if e.rest+linger > now {
			e.due = e.rest + linger
			heap.Fix(&s.queue, 0)
			continue
		}
		heap.Pop(&s.queue)
		delete(s.entries, e.id)
	}
}

// byDue is a heap of entries, the one that is due first on top.
type byDue []*entry

func (q byDue) Len() int           { return len(q) }
func (q byDue) Less(i, j int) bool { return q[i].due < q[j].due }
func (q byDue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *byDue) Push(e any)        { *q = append(*q, e.(*entry)) }

func (q *byDue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = nil // nothing holds on to an entry that is gone
	*q = (*q)[:last]
	return e
}
