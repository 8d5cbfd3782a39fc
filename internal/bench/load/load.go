// Package load is a generator of HTTP/1.1 load that costs little itself: it
// shares the machine with the server that it measures.
//
// Each of its connections sends a request, reads the answer, and only then
// sends the next one. Every run is bounded by time, and by count where wanted.
package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Source gives the bytes of request number n, counted from zero. It may append
// them to buf, which is empty and belongs to the connection. It is called from
// several goroutines.
type Source func(n int64, buf []byte) []byte

// Always is the Source of one request.
func Always(request []byte) Source {
	return func(int64, []byte) []byte { return request }
}

// Bounds end a run: whichever comes first.
type Bounds struct {
	For      time.Duration
	Requests int64 // zero: no bound
	Status   int   // that every answer must have; zero: 200
}

// status is what is expected.
func (b Bounds) status() int {
	if b.Status == 0 {
		return 200
	}
	return b.Status
}

// Result is what a run has seen.
type Result struct {
	Requests int64 // answered as was expected
	Elapsed  time.Duration
	Latency  Histogram
}

// PerSecond is the throughput.
func (r *Result) PerSecond() float64 { return float64(r.Requests) / r.Elapsed.Seconds() }

const (
	dialTimeout = 5 * time.Second
	answerGrace = 10 * time.Second // that an answer may take beyond the end of a run
	bufferSize  = 4 << 10
)

// run is the state that the workers of one run share.
type run struct {
	bounds Bounds
	source Source
	start  time.Time
	next   atomic.Int64
	failed atomic.Bool
}

// begin gives the number of the next request, or false where the run is over.
func (r *run) begin(now time.Time) (int64, bool) {
	if r.failed.Load() || now.Sub(r.start) >= r.bounds.For {
		return 0, false
	}
	n := r.next.Add(1) - 1
	return n, r.bounds.Requests == 0 || n < r.bounds.Requests
}

// StatusError is an answer other than was expected: what was measured then is not what
// was meant, so it ends the run.
type StatusError struct {
	Status  int
	Request int64
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("request %d was answered with status %d", e.Request, e.Status)
}

// workers runs work n times at once, and puts together what they have seen.
// The first error ends them all.
func workers(ctx context.Context, n int, b Bounds, src Source, work func(*run, int, *Histogram) error) (*Result, error) {
	r := &run{bounds: b, source: src, start: time.Now()}
	stop := context.AfterFunc(ctx, func() { r.failed.Store(true) })
	defer stop()
	seen := make([]Histogram, n)
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if errs[i] = work(r, i, &seen[i]); errs[i] != nil {
				r.failed.Store(true)
			}
		})
	}
	wg.Wait()
	res := &Result{Elapsed: time.Since(r.start)}
	for i := range n {
		if errs[i] != nil {
			return nil, errs[i]
		}
		res.Latency.Merge(&seen[i])
	}
	res.Requests = res.Latency.total
	return res, ctx.Err()
}

// Fresh runs the load over a new connection for each request, from n workers.
// Each of them has a loopback address of its own, so that closed connections
// that still hold their ports don't run them short.
func Fresh(ctx context.Context, addr string, n int, b Bounds, src Source) (*Result, error) {
	return workers(ctx, n, b, src, func(r *run, i int, seen *Histogram) error {
		from := net.Dialer{Timeout: dialTimeout, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1, byte(i>>8), byte(i))}}
		in, buf := newReader(nil), make([]byte, 0, bufferSize)
		start := r.start
		for {
			num, ok := r.begin(start)
			if !ok {
				return nil
			}
			c, err := from.DialContext(ctx, "tcp", addr)
			if err != nil {
				return err
			}
			_ = c.SetDeadline(start.Add(answerGrace))
			in.src = c
			if err = errors.Join(ask(c, in, r.source(num, buf), num, b.status()), c.Close()); err != nil {
				return err
			}
			now := time.Now()
			seen.Add(now.Sub(start))
			start = now
		}
	})
}
