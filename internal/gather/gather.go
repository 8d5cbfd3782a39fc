// Package gather has questions that are asked at the same time travel
// together: what is asked while a round trip to a server is under way goes with the
// next. A question that is asked alone goes alone, and at once.
package gather

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Size bounds how many questions travel together.
const Size = 128

// patience is how long a batch waits for one that is under way, at most. It is long beside a round trip to a
// server nearby, so that one batch at a time carries all there is: the more go together, the less each costs,
// here and on the server. It is short beside what a server takes that is far away or slow, so that several go then.
const patience = 5 * time.Millisecond

// Group gathers questions of type Q, whose answers are of type A. It is safe
// for concurrent use.
type Group[Q, A any] struct {
	ask      func([]Q) []A
	carriers int // batches under way at once, at most

	pending atomic.Int64

	mu      sync.Mutex
	busy    int            // batches that are under way
	waiting []*batch[Q, A] // all but the last are full
}

type batch[Q, A any] struct {
	questions []Q
	answers   []A
	done      chan struct{} // closed when answers are there
	overdue   *time.Timer   // ends its patience; nil where it goes at once
	hasty     bool          // its patience is over
}

// New makes a group. ask gets at most Size questions, and gives the answer of
// each in its place; it runs at most carriers times at once, and must end by
// itself.
func New[Q, A any](carriers int, ask func([]Q) []A) *Group[Q, A] {
	return &Group[Q, A]{ask: ask, carriers: carriers}
}

// Ask asks one question, after the call and not before. It ends early, with
// the context's error, when ctx does, which disturbs none of the others of the
// batch. Where ctx has ended before, nothing is asked.
func (g *Group[Q, A]) Ask(ctx context.Context, question Q) (answer A, err error) {
	if err := ctx.Err(); err != nil {
		return answer, err
	}
	b, place := g.join(question)
	select {
	case <-b.done:
		return b.answers[place], nil
	case <-ctx.Done():
		return answer, ctx.Err()
	}
}

// join puts a question into the batch that fills, and sees that somebody carries it.
func (g *Group[Q, A]) join(question Q) (b *batch[Q, A], place int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n := len(g.waiting); n > 0 && len(g.waiting[n-1].questions) < Size {
		b = g.waiting[n-1]
	} else {
		b = &batch[Q, A]{done: make(chan struct{})}
		g.waiting = append(g.waiting, b)
		if g.busy > 0 {
			b.overdue = time.AfterFunc(patience, func() { g.hasten(b) })
		}
	}
	b.questions = append(b.questions, question)
	g.pending.Add(1)
	if g.busy == 0 || len(b.questions) == Size {
		g.send()
	}
	return b, len(b.questions) - 1
}

// hasten sends for a batch that has waited for long.
func (g *Group[Q, A]) hasten(b *batch[Q, A]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	b.hasty = true
	if slices.Contains(g.waiting, b) {
		g.send()
	}
}

// send sends a carrier for the first batch that waits, if there is one left.
func (g *Group[Q, A]) send() {
	if g.busy < g.carriers {
		g.busy++
		go g.carry()
	}
}

// Pending is how many questions have no answer yet. Tests wait by it until all are asked.
func (g *Group[Q, A]) Pending() int { return int(g.pending.Load()) }

// carry asks batch after batch until none waits that needs it.
func (g *Group[Q, A]) carry() {
	for b := g.next(); b != nil; b = g.next() {
		b.answers = g.ask(b.questions)
		g.pending.Add(-int64(len(b.questions)))
		close(b.done)
	}
}

func (g *Group[Q, A]) next() *batch[Q, A] {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) == 0 || g.busy > 1 && !g.waiting[0].due() {
		g.busy--
		return nil
	}
	b := g.waiting[0]
	g.waiting[0] = nil
	g.waiting = g.waiting[1:]
	if b.overdue != nil {
		b.overdue.Stop()
	}
	return b
}

// due tells whether a batch goes beside others: it is full, or has waited for long.
func (b *batch[Q, A]) due() bool { return b.hasty || len(b.questions) == Size }
