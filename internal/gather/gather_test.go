package gather

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// double answers every number with its double.
func double(questions []int) []int {
	answers := make([]int, len(questions))
	for i, q := range questions {
		answers[i] = 2 * q
	}
	return answers
}

// held is a server that answers a batch when it is let.
type held struct {
	came    chan []int
	release chan struct{}
}

func newHeld() *held { return &held{make(chan []int, 100), make(chan struct{})} }

func (h *held) ask(questions []int) []int {
	h.came <- questions
	<-h.release
	return double(questions)
}

// asking asks each number in a goroutine of its own, and counts the right answers.
func asking(t *testing.T, g *Group[int, int], numbers ...int) *atomic.Int64 {
	var right atomic.Int64
	for _, n := range numbers {
		go func() {
			switch answer, err := g.Ask(context.Background(), n); {
			case err != nil || answer != 2*n:
				t.Errorf("%d was answered %d, %v", n, answer, err)
			default:
				right.Add(1)
			}
		}()
	}
	synctest.Wait()
	return &right
}

func count(from, n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = from + i
	}
	return list
}

// next is how many questions are in the batch that comes next, or zero where none is there.
func (h *held) next() int {
	synctest.Wait()
	select {
	case batch := <-h.came:
		return len(batch)
	default:
		return 0
	}
}

// What is asked alone goes at once; what is asked meanwhile goes together when that is back.
func TestTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeld()
		g := New(2, h.ask)
		first := asking(t, g, 1)
		if n := h.next(); n != 1 {
			t.Fatalf("%d questions come first", n)
		}
		others := asking(t, g, count(2, 50)...)
		if n := h.next(); n != 0 {
			t.Fatalf("%d questions go beside others that have only just gone", n)
		}
		h.release <- struct{}{}
		if n := h.next(); n != 50 {
			t.Errorf("%d questions travel together, not 50", n)
		}
		if first.Load() != 1 || g.Pending() != 50 {
			t.Errorf("%d answers, %d questions without one", first.Load(), g.Pending())
		}
		close(h.release)
		synctest.Wait()
		if others.Load() != 50 || g.Pending() != 0 {
			t.Errorf("%d answers, %d questions without one", others.Load(), g.Pending())
		}
	})
}

// Beside a batch that takes long goes another after a while, and no more than may.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeld()
		g := New(2, h.ask)
		first := asking(t, g, 1)
		h.next()
		second := asking(t, g, 2, 3)
		time.Sleep(patience)
		if n := h.next(); n != 2 {
			t.Fatalf("%d questions go when they have waited for long", n)
		}
		third := asking(t, g, 4)
		time.Sleep(2 * patience)
		if n := h.next(); n != 0 {
			t.Fatal("more batches are under way than may be")
		}
		h.release <- struct{}{}
		if n := h.next(); n != 1 {
			t.Fatalf("%d questions go when there is room again", n)
		}
		fourth := asking(t, g, 5)
		h.release <- struct{}{}
		if n := h.next(); n != 0 {
			t.Fatal("one that has only just come goes beside another")
		}
		close(h.release)
		synctest.Wait()
		if n := first.Load() + second.Load() + third.Load() + fourth.Load(); n != 5 {
			t.Errorf("%d of 5 are answered", n)
		}
	})
}

// A full batch has nothing to wait for.
func TestFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeld()
		g := New(2, h.ask)
		first := asking(t, g, 0)
		h.next()
		others := asking(t, g, count(1, Size)...)
		if n := h.next(); n != Size {
			t.Errorf("%d questions go beside the first", n)
		}
		close(h.release)
		synctest.Wait()
		if n := first.Load() + others.Load(); n != Size+1 {
			t.Errorf("%d are answered", n)
		}
	})
}

// More than Size wait in several batches, in the order in which they came.
func TestSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeld()
		g := New(1, h.ask)
		all := asking(t, g, 0)
		<-h.came
		more := asking(t, g, count(1, 2*Size+1)...)
		close(h.release)
		synctest.Wait()
		for _, want := range []int{Size, Size, 1} {
			if got := len(<-h.came); got != want {
				t.Errorf("a batch of %d, not %d", got, want)
			}
		}
		if all.Load()+more.Load() != 2*Size+2 {
			t.Errorf("%d questions are answered", all.Load()+more.Load())
		}
	})
}

// Who leaves disturbs none of the others, neither before its batch is asked nor after.
func TestLeaving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeld()
		g := New(1, h.ask)
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error, 2)
		leave := func(n int) {
			_, err := g.Ask(ctx, n)
			left <- err
		}
		go leave(1)
		<-h.came
		go leave(2)
		others := asking(t, g, 3, 4)
		cancel()
		for range 2 {
			if err := <-left; !errors.Is(err, context.Canceled) {
				t.Errorf("who left was told %v", err)
			}
		}
		close(h.release)
		synctest.Wait()
		if others.Load() != 2 {
			t.Errorf("%d of the 2 that stayed are answered", others.Load())
		}
	})
}

// Nothing is asked for whoever has left before.
func TestLeftBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	g := New(1, func(questions []int) []int {
		t.Error("it was asked")
		return double(questions)
	})
	if _, err := g.Ask(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("who had left was told %v", err)
	}
}

// Every question gets its own answer, whoever travels with it.
func TestManyAtOnce(t *testing.T) {
	var under atomic.Int64
	g := New(3, func(questions []int) []int {
		defer under.Add(-1)
		if now := under.Add(1); now > 3 {
			t.Errorf("%d batches at once", now)
		}
		return double(questions)
	})
	var all sync.WaitGroup
	for c := range 16 {
		all.Go(func() {
			for n := range 2000 {
				if answer, err := g.Ask(t.Context(), c*n); err != nil || answer != 2*c*n {
					t.Errorf("%d was answered %d, %v", c*n, answer, err)
					return
				}
			}
		})
	}
	all.Wait()
}
