package cache

import (
	"context"
	"encoding/binary"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"authd/internal/auth"
)

// TestKnownForgetsNothing: whatever has been learnt since, a digest and a name are never known
// to have been touched by less than the last change that touched them (rules 6 and 11).
func TestKnownForgetsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := newKnown()
		digests, names := map[auth.Digest]int64{}, map[string]int64{}
		changes := rapid.SliceOfN(rapid.Custom(anyChange), 1, 200).Draw(t, "changes")
		for _, c := range changes {
			k.learn(c)
			for _, d := range c.Digests {
				digests[d] = max(digests[d], c.Seq)
			}
			for _, n := range c.Names {
				names[n] = max(names[n], c.Seq)
			}
		}
		for d, seq := range digests {
			if got := k.digest(d).Load(); got < seq {
				t.Fatalf("a digest is known to have been touched by %d, and was by %d", got, seq)
			}
		}
		for n, seq := range names {
			if got := k.name(n).Load(); got < seq {
				t.Fatalf("%q is known to have been touched by %d, and was by %d", n, got, seq)
			}
		}
	})
}

// anyChange comes in any order, and often of digests that share a bucket.
func anyChange(t *rapid.T) auth.Change {
	c := auth.Change{Seq: rapid.Int64Range(1, 1000).Draw(t, "seq")}
	for _, n := range rapid.SliceOfN(rapid.Uint32Range(0, 1<<20), 0, 4).Draw(t, "digests") {
		var d auth.Digest
		binary.LittleEndian.PutUint32(d[:], n)
		c.Digests = append(c.Digests, d)
	}
	c.Names = rapid.SliceOfN(rapid.StringN(0, 3, -1), 0, 4).Draw(t, "names")
	return c
}

// TestOnePollAtATime: whatever wakes a replica while it polls waits for that poll's end (rule 6).
func TestOnePollAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		var under, polls, most atomic.Int32
		s.onPoll = func() {
			most.Store(max(most.Load(), under.Add(1)))
			polls.Add(1)
			time.Sleep(testLease / 10)
			under.Add(-1)
		}
		f := newTestFeed(s, auth.OutageServe)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- f.Run(ctx) }()
		for range 50 {
			time.Sleep(testLease / 50)
			wake(s.woken)
			f.Standing(time.Now().Add(2 * testLease)) // as a request whose lease has run out does
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if most.Load() != 1 || polls.Load() < 5 {
			t.Errorf("%d polls, %d of them at once", polls.Load(), most.Load())
		}
	})
}
