package observe

import (
	"strings"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"authd/internal/answer"
	"authd/internal/auth"
)

// otherKeys is the label of all keys beyond the bound.
const otherKeys = "other"

// perKey counts by key, in a bounded number of series. What is counted
// already is found without a lock.
type perKey struct {
	vec   *prometheus.CounterVec
	byID  sync.Map // key id -> *keyCounters
	full  atomic.Bool
	other [answer.Results]prometheus.Counter

	mu   sync.Mutex // guards what follows, and storing into byID
	room int        // for further series
}

// keyCounters are those of one key under one name and user. A renamed key gets new ones.
type keyCounters struct {
	name, user string
	byResult   [answer.Results]atomic.Pointer[prometheus.Counter]
}

func newPerKey(vec *prometheus.CounterVec, most int) *perKey {
	p := &perKey{vec: vec, room: most}
	p.full.Store(most <= 0)
	for r := range answer.Results {
		p.other[r] = vec.WithLabelValues(otherKeys, otherKeys, r.String())
	}
	return p
}

// of finds the counter of the key and the result.
func (p *perKey) of(k *auth.Key, r answer.Result) prometheus.Counter {
	if v, ok := p.byID.Load(k.ID); ok {
		kc := v.(*keyCounters)
		if c := kc.byResult[r].Load(); c != nil && kc.name == k.Name && kc.user == k.User {
			return *c
		}
	}
	if p.full.Load() {
		return p.other[r]
	}
	return p.add(k, r)
}

// add makes the counter, while there is room.
func (p *perKey) add(k *auth.Key, r answer.Result) prometheus.Counter {
	p.mu.Lock()
	defer p.mu.Unlock()
	var kc *keyCounters
	if v, ok := p.byID.Load(k.ID); ok {
		kc = v.(*keyCounters)
	}
	if kc == nil || kc.name != k.Name || kc.user != k.User {
		kc = &keyCounters{name: k.Name, user: k.User}
	} else if c := kc.byResult[r].Load(); c != nil {
		return *c
	}
	if p.room <= 0 {
		return p.other[r]
	}
	p.room--
	p.full.Store(p.room == 0)
	// A label that is not UTF-8 would panic.
	c := p.vec.WithLabelValues(strings.ToValidUTF8(k.Name, "?"), strings.ToValidUTF8(k.User, "?"), r.String())
	kc.byResult[r].Store(&c)
	p.byID.Store(k.ID, kc)
	return c
}
