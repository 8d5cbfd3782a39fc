package cache

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"authd/internal/auth"
	"authd/internal/gather"
	"authd/internal/redisconn"
	"authd/internal/tracing"
)

// SharedOptions are how a Shared is made.
type SharedOptions struct {
	Redis    *redisconn.Conn // the caller's, to close after the Shared
	Pepper   auth.Pepper     // what entries are authenticated under; the zero one is a checksum alone
	Database string          // names the store whose answers these are: others in the same Redis have another name
	Metrics  *Metrics
}

// maxWrites bounds the writes to Redis that are under way; beyond it an answer is not shared.
const maxWrites = 64

// mostGets is how many round trips for entries are under way at once, at most: the next one gathers
// what is asked for meanwhile, and the more go together, the less each costs.
const mostGets = 2

// Shared is a cache in Redis, which replicas share. It is no auth.Finder: what it
// holds says nothing without its stamp, and Local judges that. Redis may lose,
// delay, bring back or make up what it likes; none of it is an answer then, and
// neither is that it does not answer.
type Shared struct {
	conn    *redisconn.Conn
	sealer  *sealer
	gets    *gather.Group[auth.Digest, got]
	writes  chan struct{}
	closing sync.Once

	hit, miss, stale, invalid, failed, skipped prometheus.Counter

	getTook, setTook prometheus.Observer
}

// NewShared asks nothing yet.
func NewShared(o SharedOptions) (*Shared, error) {
	seal, err := newSealer(o.Pepper, o.Database)
	if err != nil {
		return nil, err
	}
	outcome := func(name string) prometheus.Counter { return o.Metrics.lookups.WithLabelValues("redis", name) }
	_, op := BackendMetrics("redis", o.Metrics.reg)
	s := &Shared{
		conn: o.Redis, sealer: seal, writes: make(chan struct{}, maxWrites),
		hit: outcome("hit"), miss: outcome("miss"), stale: outcome("stale"),
		invalid: outcome("invalid"), failed: outcome("error"), skipped: outcome("skipped"),
		getTook: op("get"), setTook: op("set"),
	}
	s.gets = gather.New(mostGets, s.getAll)
	return s, nil
}

// get returns the entry of a digest if it is authentic and usable, or else nil.
func (s *Shared) get(ctx context.Context, d auth.Digest, usable func(*entry) bool) *entry {
	ctx, end := tracing.Step(ctx, "redis lookup")
	answer, err := s.gets.Ask(ctx, d)
	if err == nil {
		err = answer.err
	}
	if errors.Is(err, redis.Nil) {
		end(auth.ErrKeyNotFound)
	} else {
		end(err)
	}
	switch {
	case err == nil:
		return s.judge(d, answer.value, usable)
	case errors.Is(err, redis.Nil):
		s.miss.Inc()
	case redisconn.WrongType(err):
		s.invalid.Inc()
	case errors.Is(err, redisconn.ErrSkipped):
		s.skipped.Inc()
	default:
		s.failed.Inc()
	}
	return nil
}

// got is what Redis says to one name.
type got struct {
	value []byte
	err   error
}

// getAll asks for several entries in one round trip, or in one for each node of a cluster.
func (s *Shared) getAll(digests []auth.Digest) []got {
	answers := make([]got, len(digests))
	err := s.conn.Ask(context.Background(), s.getTook, func(ctx context.Context, c redis.UniversalClient) error {
		p := c.Pipeline()
		commands := make([]*redis.StringCmd, len(digests))
		for i, d := range digests {
			commands[i] = p.Get(ctx, s.sealer.name(d))
		}
		_, err := p.Exec(ctx)
		answered := false
		for i, c := range commands {
			answers[i] = answerTo(c, err)
			answered = answered || redisconn.Answered(answers[i].err)
		}
		if answered {
			return nil // a cluster is in use as long as one of its nodes answers
		}
		return err
	})
	if errors.Is(err, redisconn.ErrSkipped) {
		for i := range answers {
			answers[i].err = err
		}
	}
	return answers
}

// answerTo is what came of a command of a pipeline, and why nothing did: where the
// server let nobody in, the pipeline says so, and not its commands.
func answerTo(c *redis.StringCmd, pipeline error) got {
	value, err := c.Bytes()
	if err == nil && len(value) == 0 {
		err = pipeline
	}
	return got{value, err}
}

func (s *Shared) judge(d auth.Digest, value []byte, usable func(*entry) bool) *entry {
	e, ok := s.sealer.open(d, value)
	switch {
	case !ok:
		s.invalid.Inc()
	case !usable(e):
		s.stale.Inc()
	default:
		s.hit.Inc()
		return e
	}
	return nil
}

// put gives an entry to Redis in the background, with the stamp and the lifetime that it has. Where
// enough are under way it is dropped: nothing waits for Redis, and nothing depends on it.
func (s *Shared) put(d auth.Digest, e *entry) {
	select {
	case s.writes <- struct{}{}:
	default:
		return
	}
	go func() {
		defer func() { <-s.writes }()
		left := time.Until(time.UnixMilli(e.expiresAt))
		if left < time.Millisecond {
			return
		}
		value := s.sealer.seal(d, e)
		_ = s.conn.Ask(context.Background(), s.setTook, func(ctx context.Context, c redis.UniversalClient) error { // counted, and told by the breaker
			return c.Set(ctx, s.sealer.name(d), value, left.Truncate(time.Millisecond)).Err()
		})
	}()
}

// Close waits for the writes under way. What is put later is dropped. A nil Shared has nothing to close.
func (s *Shared) Close() {
	if s == nil {
		return
	}
	s.closing.Do(func() {
		for range maxWrites {
			s.writes <- struct{}{}
		}
	})
}
