package soak

import (
	"math/rand/v2"
	"time"
)

// schedule strikes with faults and mends them again, several at a time but one
// at each target, on the goroutine that calls run.
type schedule struct {
	field   *field
	journal *journal
	rng     *rand.Rand
	faults  []fault
	first   []int           // of the faults: those that have not struck yet, in their order
	mends   map[int]mending // by target
}

func newSchedule(seed uint64, f *field, j *journal, table []fault) *schedule {
	for i := range table {
		j.faults[table[i].name] = 0 // so that what never struck is told as well
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	return &schedule{field: f, journal: j, rng: rng, faults: table, first: rng.Perm(len(table)), mends: map[int]mending{}}
}

type mending struct {
	due  time.Time
	mend func()
}

const (
	// longestCalm is the longest time between two faults, but for the pauses in which all heals.
	longestCalm = 1500 * time.Millisecond
	// pauseEvery is one in how many faults waits until all is mended, and for pauseTime.
	pauseEvery = 12
	pauseTime  = 3 * time.Second
	// shortest is how long a fault lasts at least.
	shortest = 100 * time.Millisecond
)

// run goes on until end and until everything has struck once, or until something is wrong, and mends all.
func (s *schedule) run(end time.Time) {
	for next := time.Now(); (time.Now().Before(end) || len(s.first) > 0) && !s.journal.broken(); time.Sleep(5 * time.Millisecond) {
		s.mend(false)
		if time.Now().Before(next) {
			continue
		}
		calm := time.Duration(s.rng.Int64N(int64(longestCalm)))
		if s.rng.IntN(pauseEvery) == 0 {
			s.mend(true)
			calm += pauseTime
		}
		s.strike()
		next = time.Now().Add(calm)
	}
	s.mend(true)
}

// strike draws a fault. Where its target has one already, or a third of all
// targets have, nothing happens, but the draws are the same; what has never struck is made room for.
func (s *schedule) strike() {
	f, first := s.next()
	targets := f.at(s.field)
	target := targets[s.rng.IntN(len(targets))]
	lasts := shortest + time.Duration(s.rng.Int64N(int64(max(f.longest, 1))))
	own := rand.New(rand.NewPCG(s.rng.Uint64(), 0)) // so that what it draws is drawn whether it strikes or not
	if _, taken := s.mends[target]; taken || len(s.mends) > s.field.targets()/3 {
		if !first {
			return
		}
		s.mend(true)
	}
	s.journal.count(s.journal.faults, f.name)
	mend := f.strike(s.field, target, own)
	s.mends[target] = mending{time.Now().Add(lasts), mend}
}

// next is a fault that has not struck yet, as long as there is any, and then one that is drawn.
func (s *schedule) next() (f *fault, first bool) {
	if len(s.first) == 0 {
		return s.draw(), false
	}
	f = &s.faults[s.first[0]]
	s.first = s.first[1:]
	return f, true
}

// draw takes a fault, the more often the more it weighs.
func (s *schedule) draw() *fault {
	var bag []*fault
	for i := range s.faults {
		for range s.faults[i].weight {
			bag = append(bag, &s.faults[i])
		}
	}
	return bag[s.rng.IntN(len(bag))]
}

// mend mends what is due, or all.
func (s *schedule) mend(all bool) {
	for target := range s.field.targets() {
		m, broken := s.mends[target]
		if broken && (all || !time.Now().Before(m.due)) {
			m.mend()
			delete(s.mends, target)
		}
	}
}
