package observe

import (
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"authd/internal/answer"
	"authd/internal/auth"
)

const (
	// otherKeys is the label of all keys that have no series of their own.
	otherKeys = "other"
	// formerKeys is the label of what keys counted that have lost their series.
	formerKeys = "former"
)

// perKey counts by key, in a bounded number of series: the first keys have
// them, and the busiest take them over (see elect). What has a series is counted
// without a lock. The sum over all series is what was counted, always.
type perKey struct {
	desc  *prometheus.Desc
	most  int      // series with names
	byID  sync.Map // key id -> *keyCounters
	other [answer.Results]atomic.Uint64
	first atomic.Bool // there is room still, for whoever comes first

	mu      sync.Mutex // guards what follows, and writing into byID
	named   map[*keyCounters]struct{}
	room    int                    // for further series
	former  [answer.Results]uint64 // of keys that have lost their series
	changes int                    // elections after which that grew
	crowd   crowd                  // those without a series
	elected time.Time
}

// keyCounters are those of one key under one name and user. A renamed key gets new ones.
type keyCounters struct {
	id, name, user string
	byResult       [answer.Results]keyCount
	seen           uint64 // by the last election
}

// keyCount is a series, once it is given. Whoever takes it away seals it; who adds later is told so.
type keyCount struct {
	given atomic.Bool
	n     atomic.Uint64
}

const sealed = 1 << 63

// add reports whether it was counted.
func (c *keyCount) add() bool { return c.given.Load() && c.n.Add(1) < sealed }

func newPerKey(most int) *perKey {
	p := &perKey{
		desc: prometheus.NewDesc("authd_key_requests_total",
			"Requests by the key that they carried, where it is known. At most metrics.per_key series have names, those of the busiest keys; the others are counted as other, and what a key counted before it lost its series as former. A sudden deny or limited: authd keys usage NAME tells since when, and from where. A large other: raise metrics.per_key.",
			[]string{"key", "user", "result"}, nil),
		most: most, room: most,
		named: map[*keyCounters]struct{}{}, crowd: newCrowd(most), elected: time.Now(),
	}
	p.first.Store(most > 0)
	return p
}

// count counts a request.
func (p *perKey) count(k *auth.Key, r answer.Result) {
	if v, ok := p.byID.Load(k.ID); ok {
		if kc := v.(*keyCounters); kc.of(k) && kc.byResult[r].add() {
			return
		}
	}
	if p.most > 0 && p.give(k, r) {
		return
	}
	p.other[r].Add(1)
}

func (kc *keyCounters) of(k *auth.Key) bool { return kc.name == k.Name && kc.user == k.User }

// give counts in a series that the key has not had until now, if it may have one. Otherwise the key
// is remembered, now and then, as one of the crowd.
func (p *perKey) give(k *auth.Key, r answer.Result) bool {
	if p.first.Load() {
		p.mu.Lock()
	} else if !p.crowd.chosen() || !p.mu.TryLock() { // no request waits for a scrape
		return false
	}
	defer p.mu.Unlock()
	kc := p.find(k)
	if kc == nil && p.first.Load() {
		kc = p.admit(k.ID, k.Name, k.User)
	}
	if kc == nil || !kc.byResult[r].given.Load() && p.room <= 0 {
		p.crowd.note(k)
		return false
	}
	if !kc.byResult[r].given.Swap(true) {
		p.room--
		if p.room <= 0 {
			p.first.Store(false)
		}
	}
	return kc.byResult[r].add()
}

// find is nil where the key has no counters.
func (p *perKey) find(k *auth.Key) *keyCounters {
	if v, ok := p.byID.Load(k.ID); ok && v.(*keyCounters).of(k) {
		return v.(*keyCounters)
	}
	return nil
}

// admit lets a key have series from now on.
func (p *perKey) admit(id, name, user string) *keyCounters {
	kc := &keyCounters{id: id, name: name, user: user}
	p.named[kc] = struct{}{}
	p.byID.Store(id, kc)
	return kc
}

// Describe is prometheus.Collector's.
func (p *perKey) Describe(ch chan<- *prometheus.Desc) { ch <- p.desc }

// Collect is prometheus.Collector's. An election is due now and then, and this is where nobody waits for it.
func (p *perKey) Collect(ch chan<- prometheus.Metric) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := time.Now(); now.Sub(p.elected) >= electEvery {
		p.elect()
		p.elected = now
	}
	// Two keys may have one name, when one was renamed.
	type labels struct{ key, user, result string }
	all := map[labels]uint64{}
	for r := range answer.Results {
		all[labels{otherKeys, otherKeys, r.String()}] += p.other[r].Load()
		if p.changes > 0 {
			all[labels{formerKeys, strconv.Itoa(p.changes), r.String()}] += p.former[r]
		}
	}
	for kc := range p.named {
		// A label that is not UTF-8 would panic.
		key, user := strings.ToValidUTF8(kc.name, "?"), strings.ToValidUTF8(kc.user, "?")
		for r := range answer.Results {
			if c := &kc.byResult[r]; c.given.Load() {
				all[labels{key, user, r.String()}] += c.n.Load()
			}
		}
	}
	for l, n := range all {
		ch <- prometheus.MustNewConstMetric(p.desc, prometheus.CounterValue, float64(n), l.key, l.user, l.result)
	}
}
