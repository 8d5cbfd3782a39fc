package cache

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"authd/internal/auth"
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

// Shared is a cache in Redis, which replicas share. It is no auth.Finder: what it
// holds says nothing without its stamp, and Local judges that. Redis may lose,
// delay, bring back or make up what it likes; none of it is an answer then, and
// neither is that it does not answer.
type Shared struct {
	conn    *redisconn.Conn
	sealer  *sealer
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
	return &Shared{
		conn: o.Redis, sealer: seal, writes: make(chan struct{}, maxWrites),
		hit: outcome("hit"), miss: outcome("miss"), stale: outcome("stale"),
		invalid: outcome("invalid"), failed: outcome("error"), skipped: outcome("skipped"),
		getTook: op("get"), setTook: op("set"),
	}, nil
}

// get returns the entry of a digest if it is authentic and usable, or else nil.
func (s *Shared) get(ctx context.Context, d auth.Digest, usable func(*entry) bool) *entry {
	var value []byte
	ctx, end := tracing.Step(ctx, "redis lookup")
	err := s.conn.Ask(ctx, s.getTook, func(ctx context.Context, c redis.UniversalClient) (err error) {
		value, err = c.Get(ctx, s.sealer.name(d)).Bytes()
		return err
	})
	if errors.Is(err, redis.Nil) {
		end(auth.ErrKeyNotFound)
	} else {
		end(err)
	}
	switch {
	case err == nil:
		return s.judge(d, value, usable)
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
