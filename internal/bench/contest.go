package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"authd/internal/bench/load"
	"authd/internal/bench/proc"
)

// A contest compares authd with references, all under the same requests, in
// turn: A B C, A B C, and so on.
type contest struct {
	name, title string
	fresh       bool // a new connection for each request
	set         func(context.Context, *bench) (*field, error)
	references  []rival
}

// field is what a contest is held on: authd with its data, and the requests.
type field struct {
	authd  launch
	source load.Source // of HTTP
	// dial is how a server is loaded by something else than HTTP, and how to end that.
	dial   func(context.Context, *bench, addresses) (loaded, func() error, error)
	beside *proc.Process // what authd works with, and is measured apart; nil: nothing
}

// loaded loads a server for a time.
type loaded func(time.Duration) (*load.Result, error)

// rival is something that authd is compared with: another program, or authd
// itself with other settings.
type rival struct {
	title    string
	launch   launch
	settings []string // of the environment, for authd on the same data
	atMost   float64  // the ratio to reach; zero where there is none
}

// on is how the rival is started.
func (r rival) on(f *field) launch {
	if r.settings == nil {
		return r.launch
	}
	l := f.authd
	l.env = func(at addresses) []string { return append(f.authd.env(at), r.settings...) }
	return l
}

// turn is what one server did in one round.
type turn struct {
	CPU       float64 `json:"cpu_us"` // for a request
	PerSecond float64 `json:"requests_per_second"`
	P50       float64 `json:"p50_us"`
	P99       float64 `json:"p99_us"`
	RSS       float64 `json:"rss_mb"`
	Beside    float64 `json:"beside_cpu_us,omitempty"` // for a request, in what authd works with
}

func (c contest) run(ctx context.Context, b *bench) (err error) {
	f, err := c.set(ctx, b)
	if err != nil {
		return err
	}
	if f.beside != nil {
		defer func() { err = errors.Join(err, f.beside.Stop()) }()
	}
	servers := append([]rival{{title: "authd", launch: f.authd}}, c.references...)
	turns := make([][]turn, len(servers))
	for round := range b.rounds {
		for i, s := range servers {
			t, err := b.turn(ctx, s.on(f), f, c.fresh)
			if err != nil {
				return fmt.Errorf("round %d, %s: %w", round+1, s.title, err)
			}
			turns[i] = append(turns[i], t)
		}
	}
	r := newResult(c, servers, turns)
	r.print(b)
	b.report.Contests = append(b.report.Contests, r)
	return nil
}

// settle is what a server is given to come to rest before its clock is read.
const settle = 20 * time.Millisecond

// turn measures a server of its own, warm.
func (b *bench) turn(ctx context.Context, l launch, f *field, fresh bool) (t turn, err error) {
	s, err := b.start(ctx, l)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	dial := f.dial
	if dial == nil {
		dial = func(ctx context.Context, b *bench, at addresses) (loaded, func() error, error) {
			return b.loader(ctx, at.verify, f.source, fresh)
		}
	}
	load, done, err := dial(ctx, b, s.at)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, done()) }()
	return b.measure(load, f.besides(), s.PID())
}

// measure loads what some processes answer together. Between the two readings of their
// time they answer the requests that are counted and no others. beside are the processes that they work with.
func (b *bench) measure(load loaded, beside []int, pids ...int) (t turn, err error) {
	if _, err := load(b.warmup); err != nil {
		return t, err
	}
	time.Sleep(settle)
	before, err := total(pids, proc.CPU)
	if err != nil {
		return t, err
	}
	besideBefore, err := total(beside, proc.CPU)
	if err != nil {
		return t, err
	}
	res, err := load(b.span)
	if err != nil {
		return t, err
	}
	time.Sleep(settle)
	after, err := total(pids, proc.CPU)
	if err != nil {
		return t, err
	}
	besideAfter, err := total(beside, proc.CPU)
	if err != nil {
		return t, err
	}
	rss, err := total(pids, proc.RSS)
	if err != nil {
		return t, err
	}
	if res.Requests == 0 {
		return t, errors.New("no request was answered")
	}
	return turn{
		CPU:       micros(after-before) / float64(res.Requests),
		PerSecond: res.PerSecond(),
		P50:       micros(res.Latency.Quantile(0.50)),
		P99:       micros(res.Latency.Quantile(0.99)),
		RSS:       megabytes(rss),
		Beside:    micros(besideAfter-besideBefore) / float64(res.Requests),
	}, nil
}

// besides are the processes that authd works with; none where there is nothing.
func (f *field) besides() []int {
	if f.beside == nil {
		return nil
	}
	return []int{f.beside.PID()}
}

// total adds up what several processes use.
func total[T ~int64](pids []int, of func(pid int) (T, error)) (sum T, err error) {
	for _, pid := range pids {
		n, err := of(pid)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// loader returns how to load the server for a time, and how to end that.
func (b *bench) loader(ctx context.Context, addr string, src load.Source, fresh bool) (
	run loaded, done func() error, err error,
) {
	if fresh {
		return func(d time.Duration) (*load.Result, error) {
			return load.Fresh(ctx, addr, b.conns, load.Bounds{For: d}, src)
		}, func() error { return nil }, nil
	}
	pool, err := load.Dial(ctx, addr, b.conns)
	if err != nil {
		return nil, nil, err
	}
	return func(d time.Duration) (*load.Result, error) {
		return pool.Run(ctx, load.Bounds{For: d}, src)
	}, pool.Close, nil
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// megabytes are of 1,000,000 bytes.
func megabytes(n int64) float64 { return float64(n) / 1e6 }
