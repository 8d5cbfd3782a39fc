package soak

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// struck is what a schedule of this seed strikes with, mended after every third draw.
func struck(t *testing.T, seed uint64) (list []string) {
	t.Helper()
	broken := map[int]bool{}
	strike := func(name string) func(*field, int, *rand.Rand) func() {
		return func(_ *field, target int, rng *rand.Rand) func() {
			if broken[target] {
				t.Errorf("target %d is struck twice", target)
			}
			broken[target] = true
			list = append(list, fmt.Sprint(name, target, rng.Uint64()))
			return func() { broken[target] = false }
		}
	}
	f := &field{replicas: make([]*replica, 5)}
	s := newSchedule(seed, f, newJournal(), []fault{
		{"one", 3, 10, strike("one"), (*field).ways},
		{"other", 1, 0, strike("other"), (*field).storeOnly},
		{"third", 2, 10, strike("third"), (*field).cacheWays},
	})
	for draw := range 300 {
		s.strike()
		if draw%3 == 2 {
			s.mend(true)
			for target, still := range broken {
				if still {
					t.Errorf("target %d was not mended", target)
				}
			}
		}
	}
	return list
}

func TestSeedReplays(t *testing.T) {
	one := struck(t, 7)
	if again := struck(t, 7); !slices.Equal(one, again) {
		t.Error("the same seed strikes otherwise")
	}
	if other := struck(t, 8); slices.Equal(one, other) {
		t.Error("another seed strikes the same")
	}
	if len(one) < 200 {
		t.Errorf("%d of 300 draws have struck", len(one))
	}
}

// Every kind of fault is drawn, and each knows what it can strike at.
func TestFaultsAreDrawn(t *testing.T) {
	f := &field{replicas: make([]*replica, 3)}
	s := newSchedule(1, f, newJournal(), faults)
	drawn := map[string]bool{}
	for range 1000 {
		drawn[s.draw().name] = true
	}
	for _, f2 := range faults {
		if !drawn[f2.name] {
			t.Errorf("%s is never drawn", f2.name)
		}
		for _, target := range f2.at(f) {
			if target < 0 || target >= f.targets() {
				t.Errorf("%s strikes at %d", f2.name, target)
			}
		}
	}
}

// However short a run is, everything strikes once, and is told by its name.
func TestEverythingStrikes(t *testing.T) {
	f := &field{replicas: make([]*replica, 3)}
	table := slices.Clone(faults)
	for i := range table {
		table[i].strike = func(*field, int, *rand.Rand) func() { return func() {} }
	}
	j := newJournal()
	s := newSchedule(1, f, j, table)
	for range len(table) {
		s.strike()
	}
	if len(j.faults) != len(table) {
		t.Errorf("%d of %d faults are told", len(j.faults), len(table))
	}
	for name, n := range j.faults {
		if n != 1 {
			t.Errorf("%s has struck %d times", name, n)
		}
	}
}
