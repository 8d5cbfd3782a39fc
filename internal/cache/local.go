package cache

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/singleflight"

	"authd/internal/auth"
)

// Options of a Local.
type Options struct {
	MaxEntries int           // known keys, at most; unknown ones have a space of their own
	TTL        time.Duration // of an entry: a safety net for what is changed past the change log
	Metrics    *Metrics
	Shared     *Shared // asked before the store; may be nil
}

const (
	// fillTimeout bounds a look-up in the store, and so what a request waits for.
	fillTimeout = time.Second
	// maxRefreshes bounds the look-ups that refresh entries before their lifetime ends.
	maxRefreshes = 16
	// absentShare is what part of MaxEntries unknown keys may have, at least minAbsent.
	absentShare = 8
	minAbsent   = 1024
	maxNames    = 10_000
	// attempts is how often an answer that a change overtook is read again.
	attempts = 3
)

// Local answers from memory, and asks next where it can't. It is an
// auth.Finder; the keys it answers are shared, and stay the same pointer while
// they are in use.
type Local struct {
	feed  *Feed
	next  auth.Finder
	ttl   time.Duration
	early int64 // milliseconds before the end of its lifetime, from when on an entry is read anew

	known  packed
	used   *otter.Cache[auth.Digest, *entry] // those of known that are in use
	absent *otter.Cache[auth.Digest, *entry] // a flood of unknown keys evicts no known one
	names  *otter.Cache[string, *entry]

	fills     singleflight.Group
	refreshes chan struct{}
	metrics   *Metrics
	shared    *Shared // nil: none
}

// entry is an answer and the stamp that it was read under. It is immutable but for refreshing.
type entry struct {
	key        *auth.Key // nil: there is none
	stamp      int64
	expiresAt  int64 // Unix milliseconds
	refreshing atomic.Bool
}

// NewLocal puts a cache before next, under the lease of feed.
func NewLocal(feed *Feed, next auth.Finder, o Options) *Local {
	absent := max(minAbsent, o.MaxEntries/absentShare)
	l := &Local{
		feed: feed, next: next, shared: o.Shared, ttl: o.TTL, early: (o.TTL / 5).Milliseconds(), metrics: o.Metrics,
		known:     newPacked(o.MaxEntries),
		used:      otter.Must(&otter.Options[auth.Digest, *entry]{MaximumSize: min(o.MaxEntries, unpackedKeys)}),
		absent:    otter.Must(&otter.Options[auth.Digest, *entry]{MaximumSize: absent}),
		names:     otter.Must(&otter.Options[string, *entry]{MaximumSize: min(o.MaxEntries, maxNames)}),
		refreshes: make(chan struct{}, maxRefreshes),
	}
	o.Metrics.watch(l)
	return l
}

// ByDigest answers the key, auth.ErrKeyNotFound, or an auth.ErrUnavailable.
func (l *Local) ByDigest(ctx context.Context, d auth.Digest) (*auth.Key, error) {
	now := time.Now()
	standing := l.feed.Standing(now) // rule 13: the lease first
	if standing == Lost {
		return nil, auth.ErrLeaseLost
	}
	e, ok := l.used.GetIfPresent(d)
	if !ok {
		e, ok = l.unpack(d)
	}
	if ok && l.feed.Current(d, e.stamp) { // rule 13: what is known last
		if key, err, done := l.answer(e, standing, now, func() { l.refresh(d, e) }); done {
			return key, err
		}
	}
	return l.look(ctx, standing, e, l.digestLookup(d))
}

// unpack looks where keys are that have not been in use, and where those are that don't exist.
func (l *Local) unpack(d auth.Digest) (*entry, bool) {
	if e := l.known.get(d); e != nil {
		l.used.Set(d, e)
		return e, true
	}
	return l.absent.GetIfPresent(d)
}

// digestLookup stands apart so that a warm look-up does not pay for it.
func (l *Local) digestLookup(d auth.Digest) lookup {
	q := lookup{
		flight: string(d[:]),
		read:   func(ctx context.Context) (*auth.Key, error) { return l.next.ByDigest(ctx, d) },
		store:  func(e *entry) { l.keep(d, e) },
		holds:  func(e *entry) bool { return l.feed.Current(d, e.stamp) },
	}
	if l.shared != nil {
		q.copied = func(ctx context.Context) *entry { return l.shared.get(ctx, d, l.usable(d)) }
		q.share = func(e *entry) { l.shared.put(d, e) }
	}
	return q
}

// usable judges a copy, which has the stamp that it was made under (rule 16) and
// the lifetime that it was given then. A stamp that this replica has not reached is
// that of one that is ahead, or of a log that a restored backup has cut off: not to
// be told apart, so the store is asked. So it is where the lifetime is nearly
// over, or else a refresh would bring back what is to be refreshed.
func (l *Local) usable(d auth.Digest) func(*entry) bool {
	return func(e *entry) bool {
		left := e.expiresAt - time.Now().UnixMilli()
		return left > l.early && left <= l.ttl.Milliseconds() && e.stamp <= l.feed.Applied() && l.feed.Current(d, e.stamp)
	}
}

// ByName is ByDigest for the name or the slug of a record.
func (l *Local) ByName(ctx context.Context, name string) (*auth.Key, error) {
	now := time.Now()
	standing := l.feed.Standing(now)
	if standing == Lost {
		return nil, auth.ErrLeaseLost
	}
	e, ok := l.names.GetIfPresent(name)
	if ok && l.feed.CurrentName(name, e.stamp) {
		if key, err, done := l.answer(e, standing, now, nil); done {
			return key, err
		}
	}
	return l.look(ctx, standing, e, lookup{
		flight: "name:" + name,
		read:   func(ctx context.Context) (*auth.Key, error) { return l.next.ByName(ctx, name) },
		store:  func(e *entry) { l.names.Set(name, e) },
		holds:  func(e *entry) bool { return l.feed.CurrentName(name, e.stamp) },
	})
}

// answer tells what an entry that still holds says, if its lifetime lets it.
func (l *Local) answer(e *entry, s Standing, now time.Time, refresh func()) (*auth.Key, error, bool) {
	if s == Stale {
		return l.answerStale(e)
	}
	ms := now.UnixMilli()
	if ms >= e.expiresAt {
		return nil, nil, false
	}
	if ms >= e.expiresAt-l.early && refresh != nil && e.key != nil {
		refresh()
	}
	if e.key == nil {
		l.metrics.negative.Inc()
		return nil, auth.ErrKeyNotFound, true
	}
	l.metrics.hit.Inc()
	return e.key, nil, true
}

// answerStale tells what an entry says while the store is away: of keys that are known, whatever
// their lifetime; that a key is unknown can't be told now.
func (l *Local) answerStale(e *entry) (*auth.Key, error, bool) {
	if e.key == nil {
		return nil, nil, false
	}
	l.metrics.stale.Inc()
	return e.key, nil, true
}

// lookup is how an answer is read that memory can't give.
type lookup struct {
	flight string
	read   func(context.Context) (*auth.Key, error)
	store  func(*entry)
	holds  func(*entry) bool
	copied func(context.Context) *entry // from the shared cache, nil where it has none; nil without one
	share  func(*entry)                 // gives it to the shared cache, without waiting; nil without one
}

// look asks next. Requests for the same answer share one look-up, which goes on when the
// one that began it is cancelled; what it brings is judged like any entry by
// each of them (rule 17), and read again where a change has overtaken it. old
// is an entry whose lifetime is over, or that no longer holds, or nil.
func (l *Local) look(ctx context.Context, s Standing, old *entry, q lookup) (*auth.Key, error) {
	l.metrics.miss.Inc()
	for range attempts {
		e, err := l.fill(ctx, q)
		switch {
		case err != nil && old != nil && old.key != nil && s == Following && q.holds(old):
			// Its lifetime is over, but the lease says that no change has touched it.
			l.metrics.stale.Inc()
			return old.key, nil
		case err != nil:
			return nil, err
		case !q.holds(e):
			continue
		case e.key == nil:
			return nil, auth.ErrKeyNotFound
		}
		return e.key, nil
	}
	return nil, fmt.Errorf("%w: it changes faster than it can be read", auth.ErrUnavailable)
}

// fill gets an answer, and keeps it. Whoever asks first does it for all, and to its end: a goroutine
// of its own would cost more than what is saved where a client has left, and fillTimeout bounds the wait.
func (l *Local) fill(ctx context.Context, q lookup) (*entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, unavailable(err)
	}
	e, err, _ := l.fills.Do(q.flight, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fillTimeout)
		defer cancel()
		if q.copied != nil {
			if e := q.copied(ctx); e != nil {
				q.store(e)
				return e, nil
			}
		}
		return l.read(ctx, q)
	})
	if err != nil {
		return nil, err
	}
	return e.(*entry), nil
}

// read reads an answer from the store under the stamp of before the read (rule 14). Keys that are found
// are shared; unknown ones are not, or a flood of them would fill what is shared.
func (l *Local) read(ctx context.Context, q lookup) (any, error) {
	stamp := l.feed.Applied()
	key, err := q.read(ctx)
	if err != nil && !errors.Is(err, auth.ErrKeyNotFound) {
		return nil, unavailable(err)
	}
	e := l.entry(key, stamp)
	q.store(e)
	if key != nil && q.share != nil {
		q.share(e)
	}
	return e, nil
}

// unavailable makes an ErrUnavailable of whatever kept the source from answering.
func unavailable(err error) error {
	if errors.Is(err, auth.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", auth.ErrUnavailable, err)
}

// entry gives an answer its lifetime, spread by a tenth so that what was
// read together is not refreshed together.
func (l *Local) entry(key *auth.Key, stamp int64) *entry {
	now := time.Now()
	ttl := l.ttl - rand.N(l.ttl/10+1)
	return &entry{key: key, stamp: stamp, expiresAt: now.Add(ttl).UnixMilli()}
}

// keep puts an answer where its kind belongs, and nowhere else.
func (l *Local) keep(d auth.Digest, e *entry) {
	if e.key == nil {
		l.used.Invalidate(d)
		l.known.invalidate(d)
		l.absent.Set(d, e)
		return
	}
	l.absent.Invalidate(d)
	l.known.set(d, e)
	l.used.Invalidate(d) // it is unpacked when it is asked for again: many are asked for once
}

// refresh reads an entry anew in the background, so that a key in use never waits. It
// is left to a later request where enough are under way.
func (l *Local) refresh(d auth.Digest, e *entry) {
	if !e.refreshing.CompareAndSwap(false, true) {
		return
	}
	select {
	case l.refreshes <- struct{}{}:
	default:
		e.refreshing.Store(false)
		return
	}
	go func() {
		defer func() { <-l.refreshes }()
		if _, err := l.fill(context.Background(), l.digestLookup(d)); err != nil {
			e.refreshing.Store(false)
		}
	}()
}

// size is the number of entries, known and unknown.
func (l *Local) size() (found, absent int) {
	return l.known.size(), l.absent.EstimatedSize()
}
