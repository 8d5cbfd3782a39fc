package observe

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"authd/internal/auth"
)

const (
	// electEvery is how often series may change hands, at a scrape.
	electEvery = 30 * time.Second
	// sampleEvery is how many requests without a series of their own one stands for in the crowd.
	sampleEvery = 16
	// busier is how much busier a key must be than one that has a series, to take it over: two that are alike would take turns.
	busier = 2
	// fewest are the samples that a key must have, for one says too little.
	fewest = 2
	// changing is what part of the series may change hands in one election: each change is a new series to Prometheus.
	changing = 10
)

// crowd knows the busiest of the keys without a series, in bounded memory (Misra and Gries): a key that
// makes more than one in len requests of the crowd is in it, whatever else comes.
type crowd struct {
	most int
	seen map[string]*candidate // by key id
}

// candidate is a key as it was seen last, and how often, at the least.
type candidate struct {
	id, name, user string
	samples        uint64
}

func newCrowd(most int) crowd { return crowd{most: max(1024, most), seen: map[string]*candidate{}} }

// chosen reports whether this request is one of those that are looked at.
func (c *crowd) chosen() bool { return rand.Uint32()%sampleEvery == 0 }

// note counts a sample.
func (c *crowd) note(k *auth.Key) {
	if s := c.seen[k.ID]; s != nil {
		s.name, s.user = k.Name, k.User
		s.samples++
		return
	}
	if len(c.seen) < c.most {
		c.seen[k.ID] = &candidate{id: k.ID, name: k.Name, user: k.User, samples: 1}
		return
	}
	for id, s := range c.seen {
		if s.samples--; s.samples == 0 {
			delete(c.seen, id)
		}
	}
}

// take is who was seen since the last time, the busiest first.
func (c *crowd) take() []*candidate {
	all := slices.SortedFunc(maps.Values(c.seen), func(a, b *candidate) int { return cmp.Compare(b.samples, a.samples) })
	clear(c.seen)
	return all
}

// holder is a key with series, and how busy it was since the last election.
type holder struct {
	kc      *keyCounters
	counted uint64
}

// elect lets the busiest of the crowd take over from keys that have done least since the last election.
// The caller holds mu.
func (p *perKey) elect() {
	holders, promised := p.holders()
	left, lost := max(1, p.most/changing), false
	for _, c := range p.crowd.take() {
		kc := p.find(&auth.Key{ID: c.id, Name: c.name, User: c.user}) // it may want another series, for another result
		if p.room <= promised {
			if len(holders) == 0 || left == 0 || c.samples < fewest || c.samples*sampleEvery <= busier*holders[0].counted {
				break
			}
			if holders[0].kc == kc {
				continue
			}
			if p.dismiss(holders[0].kc) == 0 {
				promised--
			}
			holders, lost = holders[1:], true
			left--
		}
		promised++
		if kc == nil {
			p.admit(c.id, c.name, c.user)
		}
	}
	if lost {
		p.changes++
	}
}

// holders are the keys that have series, the least busy first, and how many of them have only been promised
// one: those have not come again since, and their room is not another's as well.
func (p *perKey) holders() (all []holder, promised int) {
	all = make([]holder, 0, len(p.named))
	for kc := range p.named {
		var sum uint64
		given := false
		for r := range kc.byResult {
			sum += kc.byResult[r].n.Load()
			given = given || kc.byResult[r].given.Load()
		}
		if !given {
			promised++
		}
		all = append(all, holder{kc, sum - kc.seen})
		kc.seen = sum
	}
	slices.SortFunc(all, func(a, b holder) int { return cmp.Compare(a.counted, b.counted) })
	return all, promised
}

// dismiss takes a key's series away, and returns how many it had. What they counted is kept as that of former keys, under a label of its
// own: added to other, it would be a step that rate() takes for requests of this moment. A series that appears with a number is none.
func (p *perKey) dismiss(kc *keyCounters) (had int) {
	delete(p.named, kc)
	p.byID.CompareAndDelete(kc.id, kc)
	for r := range kc.byResult {
		if c := &kc.byResult[r]; c.given.Load() {
			p.former[r] += c.n.Swap(sealed)
			p.room++
			had++
		}
	}
	return had
}
