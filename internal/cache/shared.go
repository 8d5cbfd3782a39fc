package cache

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/sony/gobreaker/v2"

	"authd/internal/auth"
)

// SharedOptions are how a Shared is made.
type SharedOptions struct {
	URL      string        // see CheckRedis
	Timeout  time.Duration // of everything that is asked of Redis
	Pepper   auth.Pepper   // what entries are authenticated under; the zero one is a checksum alone
	Database string        // names the store whose answers these are: others in the same Redis have another name
	Metrics  *Metrics
	Log      *slog.Logger
}

const (
	// maxWrites bounds the writes to Redis that are under way; beyond it an answer is not shared.
	maxWrites = 64
	// tripAfter is how many requests in a row Redis may fail before it is no longer asked.
	tripAfter = 5
	// probeEvery is how often one request is tried while Redis is not asked.
	probeEvery = time.Second
)

// Shared is a cache in Redis, which replicas share. It is no auth.Finder: what it
// holds says nothing without its stamp, and Local judges that. Redis may lose,
// delay, bring back or make up what it likes; none of it is an answer then, and
// neither is that it does not answer.
type Shared struct {
	client  redis.UniversalClient
	timeout time.Duration
	sealer  *sealer
	breaker *gobreaker.CircuitBreaker[[]byte]
	writes  chan struct{}
	closing sync.Once
	failure atomic.Pointer[error] // the last one, for the log

	hit, miss, stale, invalid, failed, skipped prometheus.Counter

	up               prometheus.Gauge
	getTook, setTook prometheus.Observer
}

// NewShared connects to nothing yet: Redis may come later.
func NewShared(o SharedOptions) (*Shared, error) {
	options, err := redisOptions(o.URL, o.Timeout)
	if err != nil {
		return nil, err
	}
	seal, err := newSealer(o.Pepper, o.Database)
	if err != nil {
		return nil, err
	}
	outcome := func(name string) prometheus.Counter { return o.Metrics.lookups.WithLabelValues("redis", name) }
	up, op := backendMetrics("redis", o.Metrics.reg)
	s := &Shared{
		client: redis.NewUniversalClient(options), timeout: o.Timeout, sealer: seal, writes: make(chan struct{}, maxWrites),
		hit: outcome("hit"), miss: outcome("miss"), stale: outcome("stale"),
		invalid: outcome("invalid"), failed: outcome("error"), skipped: outcome("skipped"),
		up: up, getTook: op("get"), setTook: op("set"),
	}
	s.breaker = gobreaker.NewCircuitBreaker[[]byte](gobreaker.Settings{
		Timeout:       probeEvery,
		ReadyToTrip:   func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= tripAfter },
		IsSuccessful:  answered,
		OnStateChange: func(_ string, from, to gobreaker.State) { s.tell(o.Log, from, to) },
	})
	return s, nil
}

// tell logs when Redis goes away and comes back, and not each probe between.
func (s *Shared) tell(log *slog.Logger, from, to gobreaker.State) {
	switch {
	case from == gobreaker.StateClosed:
		log.Warn("Redis does not answer: the database is asked instead, until it does", "err", *s.failure.Load())
	case to == gobreaker.StateClosed:
		log.Info("Redis answers again")
	}
}

// answered reports whether Redis has answered the question: that there is nothing, or
// something of another type, is an answer; that it is loading, or full, is none.
func answered(err error) bool {
	return err == nil || errors.Is(err, redis.Nil) || wrongType(err)
}

func wrongType(err error) bool {
	var said redis.Error
	return errors.As(err, &said) && strings.HasPrefix(said.Error(), "WRONGTYPE")
}

// ask does one request, in time, unless Redis has failed too often of late.
func (s *Shared) ask(ctx context.Context, took prometheus.Observer, request func(context.Context) ([]byte, error)) ([]byte, error) {
	return s.breaker.Execute(func() ([]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, s.timeout)
		defer cancel()
		began := time.Now()
		value, err := request(ctx)
		took.Observe(time.Since(began).Seconds())
		if answered(err) {
			s.up.Set(1)
		} else {
			s.up.Set(0)
			s.failure.Store(&err)
		}
		return value, err
	})
}

// get returns the entry of a digest if it is authentic and usable, or else nil.
func (s *Shared) get(ctx context.Context, d auth.Digest, usable func(*entry) bool) *entry {
	value, err := s.ask(ctx, s.getTook, func(ctx context.Context) ([]byte, error) {
		return s.client.Get(ctx, s.sealer.name(d)).Bytes()
	})
	switch {
	case err == nil:
		return s.judge(d, value, usable)
	case errors.Is(err, redis.Nil):
		s.miss.Inc()
	case wrongType(err):
		s.invalid.Inc()
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
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
		_, _ = s.ask(context.Background(), s.setTook, func(ctx context.Context) ([]byte, error) { // counted, and told by the breaker
			return nil, s.client.Set(ctx, s.sealer.name(d), value, left.Truncate(time.Millisecond)).Err()
		})
	}()
}

// Close waits for the writes under way, and gives back the connections. What is put later is
// dropped. A nil Shared has nothing to close.
func (s *Shared) Close() (err error) {
	if s == nil {
		return nil
	}
	s.closing.Do(func() {
		for range maxWrites {
			s.writes <- struct{}{}
		}
		err = s.client.Close()
	})
	return err
}
