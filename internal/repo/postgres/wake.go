package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// lookEvery is how often the end of the log is read where nobody tells of commits.
	lookEvery = 250 * time.Millisecond
	// checkEvery is how long a silent connection is believed to be one.
	checkEvery = 30 * time.Second
	// askTime is how long one question to the server may take here.
	askTime = 5 * time.Second

	firstRetry = 100 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// listen wakes after each commit, until ctx ends, by a connection of its own,
// and connects again whenever that is lost.
func (s *Store) listen(ctx context.Context) {
	for retry := firstRetry; ; retry = min(2*retry, lastRetry) {
		if s.hear(ctx) {
			retry = firstRetry
		}
		if !pause(ctx, spread(retry)) {
			return
		}
	}
}

// spread is d, or less by up to a half: replicas that lost a server together
// don't come back as one.
func spread(d time.Duration) time.Duration { return d/2 + rand.N(d/2) }

// hear listens until the connection is lost, and reports whether there was
// one. What was committed before it began was told to nobody: so it wakes first.
func (s *Store) hear(ctx context.Context) bool {
	asking, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	c, err := pgx.ConnectConfig(asking, s.cfg)
	if err != nil {
		return false
	}
	defer closeConn(c)
	if _, err := c.Exec(asking, `LISTEN `+channel); err != nil {
		return false
	}
	s.wake()
	for {
		err := await(ctx, c)
		switch {
		case ctx.Err() != nil:
			return true
		case err == nil:
			s.wake()
		case !errors.Is(err, context.DeadlineExceeded):
			return true
		default:
			if ask(ctx, c) != nil {
				return true
			}
		}
	}
}

// await waits for a notification, for checkEvery at most.
func await(ctx context.Context, c *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, checkEvery)
	defer cancel()
	_, err := c.WaitForNotification(ctx)
	return err
}

// ask finds out whether the server is still there: what has vanished without a word sends none.
func ask(ctx context.Context, c *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	return c.Ping(ctx)
}

// look wakes after each commit, until ctx ends, by looking at the end of the log.
func (s *Store) look(ctx context.Context) {
	seen := int64(-1)
	for retry := firstRetry; ; {
		last, err := s.lastChange(ctx)
		next := lookEvery
		if err != nil {
			next = spread(max(retry, lookEvery))
			retry = min(2*retry, lastRetry)
		} else {
			retry = firstRetry
			if last != seen {
				seen = last
				s.wake()
			}
		}
		if !pause(ctx, next) {
			return
		}
	}
}

func (s *Store) lastChange(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	return s.LastChange(ctx)
}

// wake sends without blocking: one waiting signal is as good as many.
func (s *Store) wake() {
	select {
	case s.woken <- struct{}{}:
	default:
	}
}
