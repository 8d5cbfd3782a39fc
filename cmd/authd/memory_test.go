package main

import (
	"context"
	"os"
	"runtime"
	"testing"
	"time"
)

func TestGrowth(t *testing.T) {
	for live, want := range map[uint64]int{
		0: mostGrowth, 1 << 20: mostGrowth, 3 << 20: mostGrowth, 12 << 20: 100, 16 << 20: 75, 24 << 20: leastGrowth, 1 << 40: leastGrowth,
	} {
		if got := growth(live); got != want {
			t.Errorf("%d bytes live: %d %%, want %d", live, got, want)
		}
	}
}

// Memory is given back when nothing was collected for a while and there is something to give, and only then.
func TestRest(t *testing.T) {
	start := time.Now()
	var r rest
	for _, step := range []struct {
		what string
		at   time.Duration
		heap heap
		want bool
	}{
		{"the first look", 0, heap{collections: 7, free: 2 * spare}, false},
		{"too early", calm - 1, heap{collections: 7, free: 2 * spare}, false},
		{"calm", calm, heap{collections: 7, free: 2 * spare}, true},
		{"given back, which was a collection", calm + 1, heap{collections: 8, free: 0}, false},
		{"little to give", 3 * calm, heap{collections: 8, free: spare}, false},
		{"a collection, with much freed", 4 * calm, heap{collections: 9, free: 3 * spare}, false},
		{"busy", 5*calm - 1, heap{collections: 10, free: 3 * spare}, false},
		{"calm again", 6*calm - 1, heap{collections: 10, free: 3 * spare}, true},
	} {
		if got := r.over(step.heap, start.Add(step.at)); got != step.want {
			t.Errorf("%s: %v", step.what, got)
		}
	}
}

// What a burst took goes back to the system.
func TestPaceGivesBack(t *testing.T) {
	t.Setenv("GOGC", "") // restored after the test
	if err := os.Unsetenv("GOGC"); err != nil {
		t.Fatal(err)
	}
	func() {
		burst := make([][]byte, 64)
		for i := range burst {
			burst[i] = make([]byte, 1<<20)
		}
		runtime.KeepAlive(burst)
	}()
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); pace(ctx) }()
	// The runtime gives back a part by itself, but forces no collection for it.
	for end := time.Now().Add(time.Minute); after.NumForcedGC == before.NumForcedGC || readHeap().free > spare; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d bytes are still held", readHeap().free)
		}
		runtime.ReadMemStats(&after)
	}
	cancel()
	<-done
}
