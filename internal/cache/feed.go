package cache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"authd/internal/auth"
)

// Log is what the feed needs of the store. Its contract is that of repo.Log and repo.Replicas.
type Log interface {
	Changes(ctx context.Context, after int64, limit int) ([]auth.Change, error)
	LastChange(ctx context.Context) (int64, error)
	Woken() <-chan struct{}
	Register(ctx context.Context, r auth.Replica) error
	Acknowledge(ctx context.Context, id string, applied int64) (bool, error)
	Unregister(ctx context.Context, id string) error
}

// batch is how many changes a poll reads at once.
const batch = 500

// Feed follows the change log of the store as one replica. Run does all of
// its writing; everything else may be called from anywhere.
type Feed struct {
	log   Log
	slog  *slog.Logger
	lease *lease
	known *known
	kick  chan struct{} // a request found the lease run out

	started time.Time

	applied atomic.Int64 // no answer is older than this
	floor   atomic.Int64 // no entry stamped below it is ever served
	ready   atomic.Bool  // a first poll was complete

	// Owned by Run.
	replica   auth.Replica
	fresh     bool                // nothing of the log is known: the next poll begins at its end
	down      bool                // the last poll failed, and that was logged
	applying  []time.Time         // when the changes were logged that are applied and not acknowledged yet
	confirmed func(time.Duration) // told of each how long that took; set before Run
}

// mostApplying bounds those that are told of: an outage may end with very many.
const mostApplying = 10_000

// NewFeed makes a feed for the replica: Name, Version, Lease, Outage and MaxStale
// are taken from it, the rest is the feed's.
func NewFeed(l Log, r auth.Replica, logger *slog.Logger) *Feed {
	return &Feed{
		log: l, slog: logger, replica: r, lease: newLease(r),
		known: newKnown(), kick: make(chan struct{}, 1), started: time.Now(),
		confirmed: func(time.Duration) {},
	}
}

// Ready reports whether the log was followed to its end once. An outage later does not take that back.
func (f *Feed) Ready() bool { return f.ready.Load() }

// Standing tells what may be answered now, which the caller has just read off
// the clock. Whoever answers asks first, looks up then, and asks Current last (rule 13).
func (f *Feed) Standing(now time.Time) Standing {
	s := f.lease.standing(now)
	if s != Following {
		wake(f.kick)
	}
	return s
}

// Applied is the stamp of what is read from the store from now on (rule 14).
func (f *Feed) Applied() int64 { return f.applied.Load() }

// Current reports whether an answer for this digest, read under this stamp,
// still holds. The order of the two reads does not matter, because known never
// forgets: if it did, the floor would have to be read last.
func (f *Feed) Current(d auth.Digest, stamp int64) bool {
	return stamp >= f.floor.Load() && stamp >= f.known.digest(d).Load()
}

// CurrentName is Current for an answer by name or slug.
func (f *Feed) CurrentName(name string, stamp int64) bool {
	return stamp >= f.floor.Load() && stamp >= f.known.name(name).Load()
}

// Run follows the log until ctx ends. On the way out it gives up the lease,
// so that nothing is answered any more, and then, last of all, its row (rule 5).
func (f *Feed) Run(ctx context.Context) error {
	f.begin()
	defer f.end(context.WithoutCancel(ctx))
	woken := f.log.Woken()
	due := time.NewTimer(0) // of the next poll that writes its row, whatever else wakes us
	defer due.Stop()
	for {
		complete := true
		select {
		case <-ctx.Done():
			return nil
		case _, open := <-woken:
			if complete = false; !open {
				woken = nil
			}
		case <-f.kick:
		case <-due.C:
		}
		extended, err := f.follow(ctx, complete)
		switch {
		case err != nil:
			// Spread out, so that replicas that lost the store together don't come back as
			// one; and waited for, so that requests that kick don't make it a busy loop.
			pause(ctx, retryAfter/2+rand.N(retryAfter))
			due.Reset(0)
		case extended:
			due.Reset(f.replica.Lease / 3)
		}
	}
}

// follow polls once, within a deadline, and says in the log when following ends and begins again.
func (f *Feed) follow(ctx context.Context, complete bool) (extended bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, max(time.Second, f.replica.Lease/3))
	defer cancel()
	extended, err = f.poll(ctx, complete || f.lease.from.Load() == nil)
	if errors.Is(err, auth.ErrStoreReplaced) {
		f.lease.drop() // whoever writes to the other one does not know of us
		f.begin()
	}
	switch {
	case err == nil && f.down:
		f.down = false
		f.slog.Info("the change log is followed again", "applied", f.Applied())
	case err != nil && !f.down && !errors.Is(ctx.Err(), context.Canceled):
		f.down = true
		f.slog.Error("the change log can't be followed", "err", err, "lease_left", f.lease.remaining(time.Now()).Round(time.Millisecond).String())
	}
	return extended, err
}

const retryAfter = 500 * time.Millisecond

// begin takes a new incarnation; its row is not written yet.
func (f *Feed) begin() {
	f.replica.ID = uuid.Must(uuid.NewV7()).String()
	f.replica.Applied = 0
	f.fresh = true
	f.applying = nil
}

// poll follows the log to its present end, and reports whether that extended
// the lease. One runs at a time (rule 6). Woken for nothing, it writes
// nothing, or else replicas on a store that wakes at every write would wake each
// other for good; that is not a poll then, and does not put off the next.
func (f *Feed) poll(ctx context.Context, complete bool) (extended bool, err error) {
	t0 := time.Now() // rule 7: before anything is read
	if f.fresh {
		if err := f.register(ctx); err != nil {
			return false, err
		}
		complete = true
	}
	n, err := f.apply(ctx)
	if err != nil || n == 0 && !complete {
		return false, err
	}
	ok, err := f.log.Acknowledge(ctx, f.replica.ID, f.applied.Load())
	if err != nil {
		return false, fmt.Errorf("acknowledge: %w", err)
	}
	if !ok {
		return false, f.givenUp()
	}
	f.lease.extend(t0) // rule 12: after the acknowledgement, from before the read
	f.ready.Store(true)
	for _, at := range f.applying {
		f.confirmed(time.Since(at))
	}
	f.applying = nil
	return true, nil
}

// register commits the row before the read that founds the first lease
// (rule 2), and begins at the end of the log: nothing older is in any cache of
// ours, and the floor sees to it that nothing older comes in (rule 10).
func (f *Feed) register(ctx context.Context) error {
	if err := f.log.Register(ctx, f.replica); err != nil {
		f.abandon(ctx)
		return fmt.Errorf("register: %w", err)
	}
	last, err := f.log.LastChange(ctx) // rule 9: from the rows
	if err != nil {
		return fmt.Errorf("read the end of the change log: %w", err)
	}
	raise(&f.floor, last)
	raise(&f.applied, last)
	f.fresh = false
	return nil
}

// abandon takes another id. A row whose writing was not heard of may come to be
// later still, from wherever it is held up: under an id that is in use it would
// hide that this replica was given up meanwhile (rule 4). One that is there
// already is taken away, or else writers would wait for nobody.
func (f *Feed) abandon(ctx context.Context) {
	_ = f.log.Unregister(ctx, f.replica.ID)
	f.begin()
}

// apply reads all changes after applied, to the end (rule 8), and makes them known before applied says so.
func (f *Feed) apply(ctx context.Context) (n int, err error) {
	for {
		changes, err := f.log.Changes(ctx, f.applied.Load(), batch)
		if err != nil {
			return n, fmt.Errorf("read the change log: %w", err)
		}
		for _, c := range changes {
			if epoch := auth.EpochOf(c.Seq); epoch != auth.EpochOf(f.applied.Load()) {
				raise(&f.floor, auth.EpochStart(epoch)) // rule 22: what was read before may never have been kept
			}
			f.known.learn(c)
			raise(&f.applied, c.Seq)
			if len(f.applying) < mostApplying {
				f.applying = append(f.applying, c.At)
			}
		}
		n += len(changes)
		if len(changes) < batch {
			return n, nil
		}
	}
}

var errGivenUp = errors.New("this replica's row was removed: it was taken for dead; it registers anew")

// givenUp is what a replica does whose row is gone: writers no longer wait for
// it, so it has no lease and no memory until it has registered as another (rule 4).
func (f *Feed) givenUp() error {
	f.lease.drop()
	f.begin()
	return errGivenUp
}

// end gives up the lease, then the row, which is the very last thing (rule 5).
func (f *Feed) end(ctx context.Context) {
	f.lease.drop()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := f.log.Unregister(ctx, f.replica.ID); err != nil {
		f.slog.Warn("this replica's row could not be removed; writers wait for it until its time is over", "err", err)
	}
}

// wake sends without blocking: one waiting signal is as good as many.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// pause waits, or less where ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// sinceFollowed is the time since the last complete poll, or since the start where there was none.
func (f *Feed) sinceFollowed() time.Duration {
	t0 := f.started
	if p := f.lease.from.Load(); p != nil {
		t0 = *p
	}
	return age(t0, time.Now())
}
