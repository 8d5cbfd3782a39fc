package admin

import (
	"cmp"
	"context"
	"slices"
	"time"

	"authd/internal/auth"
	"authd/internal/repo"
)

// The pace at which the rows of the replicas are read again.
const (
	firstPause = 2 * time.Millisecond
	mostPause  = 25 * time.Millisecond
)

// Confirmation tells which replicas follow a change. Each that was running
// when the change was committed is counted once.
type Confirmation struct {
	Replicas     int           // that were running
	Acknowledged int           // say that they answer from no older state
	Stopped      int           // have gone away since, or are proven dead
	Timed        int           // have been silent for so long that they can't answer from older state
	Pending      []Pending     // none of this is known
	Took         time.Duration // from the commit's answer until this was known

	listed bool // the rows were read at all
}

// Pending is a replica that has not followed yet.
type Pending struct {
	ID      string
	Name    string
	Applied int64
	Until   time.Time // it may answer from older state until then, if it is cut off; by the store's clock
}

// Confirmed reports whether no replica answers from older state any more.
func (c *Confirmation) Confirmed() bool { return c.listed && len(c.Pending) == 0 }

// Confirm waits until no replica answers from a state older than the change.
// It must be called after the commit has answered (rule 18 of
// docs/revocation.md), and waits for wait at most.
//
// Those that count are the rows of its first listing (rule 19). A replica whose row
// appears later has committed it before it first reads the log, so what it
// reads holds the change. A row never comes back under its id, so one that is
// gone later has stopped, in good order or by proof.
//
// The error says that the store could not be asked, or that ctx was done; the
// Confirmation then holds what was known before.
func Confirm(ctx context.Context, store repo.Replicas, change auth.Change, wait time.Duration) (Confirmation, error) {
	w := waiter{store: store, now: time.Now, sleep: sleep}
	return w.confirm(ctx, change.Seq, wait)
}

type waiter struct {
	store repo.Replicas
	now   func() time.Time // monotonic
	sleep func(context.Context, time.Duration) error
}

func (w *waiter) confirm(ctx context.Context, seq int64, wait time.Duration) (Confirmation, error) {
	start := w.now()
	var rows roll
	var c Confirmation
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		list, err := w.list(ctx, wait-w.now().Sub(start))
		took := w.now().Sub(start)
		if err == nil {
			rows.read(list)
		}
		if rows != nil {
			c = rows.judge(seq, took)
			if c.Confirmed() {
				return c, nil
			}
		}
		if ctx.Err() != nil {
			return c, ctx.Err()
		}
		if took >= wait {
			return c, err
		}
		if err := w.sleep(ctx, min(pause, wait-took)); err != nil {
			return c, err
		}
	}
}

// listTime is the least that one reading of the rows gets, so that no wait at
// all still reads them once.
const listTime = 2 * time.Second

func (w *waiter) list(ctx context.Context, left time.Duration) ([]auth.Replica, error) {
	ctx, cancel := context.WithTimeout(ctx, max(left, listTime))
	defer cancel()
	return w.store.ListReplicas(ctx)
}

// roll is the replicas of the first listing, as they were seen last.
type roll []entry

type entry struct {
	auth.Replica
	gone bool
}

// read takes the first listing, and notes in later ones how each fares.
func (r *roll) read(list []auth.Replica) {
	if *r == nil {
		*r = make(roll, 0, len(list))
		for _, row := range list {
			*r = append(*r, entry{Replica: row})
		}
		return
	}
	for i := range *r {
		e := &(*r)[i]
		at := slices.IndexFunc(list, func(row auth.Replica) bool { return row.ID == e.ID })
		if e.gone = at < 0; !e.gone {
			e.Replica = list[at]
		}
	}
}

// judge counts, took after the commit has answered.
func (r roll) judge(seq int64, took time.Duration) Confirmation {
	c := Confirmation{Replicas: len(r), Took: took, listed: true}
	var lease time.Duration
	for i := range r {
		lease = max(lease, r[i].Lease)
	}
	for i := range r {
		e := &r[i]
		switch {
		case e.Applied >= seq:
			c.Acknowledged++
		case took > silence(&e.Replica, lease), e.gone && e.Silent >= e.StopsAfter()-auth.ClockMargin:
			c.Timed++
		case e.gone:
			c.Stopped++
		default:
			c.Pending = append(c.Pending, Pending{e.ID, e.Name, e.Applied, e.SeenAt.Add(e.StopsAfter())})
		}
	}
	slices.SortStableFunc(c.Pending, func(a, b Pending) int { return cmp.Compare(a.Name, b.Name) })
	return c
}

// silence is how long after the commit has answered a replica that has not
// followed can answer from older state. Its last lease without the change
// began before the commit; the largest lease among all stands for its own (rule 20).
func silence(r *auth.Replica, lease time.Duration) time.Duration {
	longest := *r
	longest.Lease = lease
	return longest.StopsAfter()
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
