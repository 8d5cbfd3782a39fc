// Package redisconn is the way to Redis: what its URL means, one pool of
// connections for all that authd asks of it, and when it is left alone. What
// is asked, and what is done where no answer comes, is its callers'.
package redisconn

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/sony/gobreaker/v2"
)

// Options are how a Conn is made.
type Options struct {
	URL     string           // see Check
	Timeout time.Duration    // of everything that is asked, connecting included
	Up      prometheus.Gauge // 1 when the last request was answered, 0 when it was not
	Log     *slog.Logger
}

const (
	// TripAfter is how many requests in a row Redis may fail before it is no longer asked.
	TripAfter = 5
	// probeEvery is how often one request is tried while Redis is not asked.
	probeEvery = time.Second
)

// ErrSkipped says that Redis was not asked, since it did not answer of late.
var ErrSkipped = errors.New("not asked, since Redis has not answered of late")

// Conn is a Redis: a server, what Sentinels say, or a cluster. It is safe for concurrent use.
type Conn struct {
	client  redis.UniversalClient
	timeout time.Duration
	breaker *gobreaker.CircuitBreaker[struct{}]
	up      prometheus.Gauge
	failure atomic.Pointer[error] // the last one, for the log
}

// New connects to nothing yet: Redis may come later.
func New(o Options) (*Conn, error) {
	parsed, err := options(o.URL, o.Timeout)
	if err != nil {
		return nil, err
	}
	c := &Conn{client: redis.NewUniversalClient(parsed), timeout: o.Timeout, up: o.Up}
	c.breaker = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Timeout:       probeEvery,
		ReadyToTrip:   func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= TripAfter },
		IsSuccessful:  Answered,
		OnStateChange: func(_ string, from, to gobreaker.State) { c.tell(o.Log, from, to) },
	})
	return c, nil
}

// tell logs when Redis goes away and comes back, and not each probe between.
func (c *Conn) tell(log *slog.Logger, from, to gobreaker.State) {
	switch {
	case from == gobreaker.StateClosed:
		log.Warn("Redis does not answer: until it does, the database is asked instead, and limits are counted as limits.fail says", "err", *c.failure.Load())
	case to == gobreaker.StateClosed:
		log.Info("Redis answers again")
	}
}

// Answered reports whether Redis has answered the question: that there is nothing, or
// something of another type, is an answer; that it is loading, or full, is none.
func Answered(err error) bool {
	return err == nil || errors.Is(err, redis.Nil) || WrongType(err)
}

// WrongType reports that what stands under the name is nothing that authd has put there.
func WrongType(err error) bool {
	var said redis.Error
	return errors.As(err, &said) && strings.HasPrefix(said.Error(), "WRONGTYPE")
}

// Ask does one request, in time, unless Redis has failed too often of late: that is ErrSkipped.
func (c *Conn) Ask(ctx context.Context, took prometheus.Observer, request func(context.Context, redis.UniversalClient) error) error {
	_, err := c.breaker.Execute(func() (struct{}, error) {
		ctx, cancel := context.WithTimeout(ctx, c.timeout)
		defer cancel()
		began := time.Now()
		err := request(ctx, c.client)
		took.Observe(time.Since(began).Seconds())
		if Answered(err) {
			c.up.Set(1)
		} else {
			c.up.Set(0)
			c.failure.Store(&err)
		}
		return struct{}{}, err
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return ErrSkipped
	}
	return err
}

// Close gives back the connections. A nil Conn has none.
func (c *Conn) Close() error {
	if c == nil {
		return nil
	}
	return c.client.Close()
}
