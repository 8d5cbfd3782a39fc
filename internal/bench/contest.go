package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
	beside []*proc.Process // what authd works with, and is measured apart
	asks   string          // the series of authd that every request must raise; empty: none
}

// loaded loads a server for a time.
type loaded func(time.Duration) (*load.Result, error)

// rival is something that authd is compared with: another program, or authd
// itself with other settings.
type rival struct {
	title    string
	launch   launch
	settings []string // of the environment, for authd on the same data
	field    *field   // for authd on other data, which is asked other questions
	atMost   float64  // the ratio to reach; zero where there is none
}

// on is how the rival is started, and what it is asked.
func (r rival) on(f *field) (launch, *field) {
	switch {
	case r.field != nil:
		return r.field.authd, r.field
	case r.settings != nil:
		return f.authd.with(r.settings...), f
	}
	bare := *f
	bare.asks = ""
	return r.launch, &bare
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
	for _, p := range f.beside {
		defer func() { err = errors.Join(err, p.Stop()) }()
	}
	servers := append([]rival{{title: "authd", field: f}}, c.references...)
	turns := make([][]turn, len(servers))
	for round := range b.rounds {
		for i, s := range servers {
			launch, asked := s.on(f)
			t, err := b.turn(ctx, launch, asked, c.fresh)
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
	if t, err = b.measure(load, f.besides, s.PID()); err != nil {
		return t, err
	}
	return t, f.check(ctx, s.at)
}

// mostly is what part of the requests must have raised the series that all should: some warm the server up.
const mostly = 0.95

// check fails where authd did not do for its requests what is to be measured.
func (f *field) check(ctx context.Context, at addresses) error {
	if f.asks == "" {
		return nil
	}
	all, err := scrape(ctx, at.metrics)
	if err != nil {
		return err
	}
	requests := 0.0
	for series, n := range all {
		if strings.HasPrefix(series, "authd_verify_total{") {
			requests += n
		}
	}
	if all[f.asks] < mostly*requests {
		return fmt.Errorf("%s is %.0f after %.0f requests: what was measured is something else", f.asks, all[f.asks], requests)
	}
	return nil
}

// measure loads what some processes answer together. Between the two readings of their
// time they answer the requests that are counted and no others. besides are the processes that they work with.
func (b *bench) measure(load loaded, besides func() (usedBy, error), pids ...int) (t turn, err error) {
	if _, err := load(b.warmup); err != nil {
		return t, err
	}
	time.Sleep(settle)
	before, err := total(pids, proc.CPU)
	if err != nil {
		return t, err
	}
	besideBefore, err := besides()
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
	besideAfter, err := besides()
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
		Beside:    micros(besideAfter.since(besideBefore)) / float64(res.Requests),
	}, nil
}

// usedBy is the processor time of processes, by their number.
type usedBy map[int]time.Duration

// besides tells of the processes that authd works with, and of their children. Children come and go: one that
// ends while it is asked about is left out.
func (f *field) besides() (usedBy, error) {
	used := usedBy{}
	for _, p := range f.beside {
		own, err := proc.CPU(p.PID())
		if err != nil {
			return nil, err
		}
		used[p.PID()] = own
		children, err := proc.Children(p.PID())
		if err != nil {
			return nil, err
		}
		for _, pid := range children {
			if own, err := proc.CPU(pid); err == nil {
				used[pid] = own
			}
		}
	}
	return used, nil
}

// since is what was used since an earlier reading, but for what has ended since: nobody can tell that any more.
func (u usedBy) since(before usedBy) (sum time.Duration) {
	for pid, used := range u {
		sum += used - before[pid]
	}
	return sum
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
