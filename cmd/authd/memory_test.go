package main

import "testing"

func TestGrowth(t *testing.T) {
	for live, want := range map[uint64]int{
		0: mostGrowth, 1 << 20: mostGrowth, 3 << 20: mostGrowth, 12 << 20: 100, 16 << 20: 75, 24 << 20: leastGrowth, 1 << 40: leastGrowth,
	} {
		if got := growth(live); got != want {
			t.Errorf("%d bytes live: %d %%, want %d", live, got, want)
		}
	}
}
