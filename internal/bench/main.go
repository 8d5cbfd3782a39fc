// Bench measures authd beside what it could cost at least, and prints the
// figures of docs/performance.md. Run it with make bench, on Linux.
//
// What it prints first is the server's processor time for a request, as a
// ratio: of all figures that one holds on a noisy machine.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	rounds     int
	span       time.Duration
	warmup     time.Duration
	conns      int
	keys       int
	many       int
	starts     int
	only, json string
	timeout    time.Duration
}

func main() {
	var o options
	flag.IntVar(&o.rounds, "rounds", 5, "how often each server has its turn")
	flag.DurationVar(&o.span, "time", 5*time.Second, "how long a turn is measured")
	flag.DurationVar(&o.warmup, "warmup", time.Second, "how long it is loaded before")
	flag.IntVar(&o.conns, "conns", 32, "connections at once")
	flag.IntVar(&o.keys, "keys", 100_000, "keys in the database, for memory and ready")
	flag.IntVar(&o.many, "many", 1_000_000, "keys in Postgres, where they are many")
	flag.IntVar(&o.starts, "starts", 5, "how often the start is measured")
	flag.StringVar(&o.only, "only", "", "what to run, by comma, instead of all: "+strings.Join(partNames(), ", "))
	flag.StringVar(&o.json, "json", "", "a file to write the figures to, as well")
	flag.DurationVar(&o.timeout, "timeout", 20*time.Minute, "end in any case after this")
	flag.Parse()
	if err := run(o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// part is one thing to measure. It prints its figures, and puts them into the report.
type part struct {
	name string
	run  func(context.Context, *bench) error
}

// parts are all there is, in the order of their importance.
func parts() []part {
	var all []part
	for _, c := range contests {
		all = append(all, part{c.name, c.run})
	}
	return append(all,
		part{"dialects", measureDialects},
		part{"grpc", measureGRPC},
		part{"nginx", measureNginx},
		part{"both", measureBoth},
		part{"redis", measureRedis},
		part{"postgres", measurePostgres},
		part{"confirm", measureConfirm},
		part{"idle", measureIdle},
		part{"flood", measureFlood},
		part{"memory", measureMemory},
		part{"ready", measureReady},
		part{"inprocess", measureInProcess},
	)
}

func partNames() []string {
	var names []string
	for _, p := range parts() {
		names = append(names, p.name)
	}
	return slices.Compact(names) // one name may be of several
}

// bench is what the parts share.
type bench struct {
	options
	dir      string // of everything that is built and written; removed at the end
	programs map[string]string
	out      io.Writer
	report   report
	filled   *filled
}

func run(o options, out io.Writer) (err error) {
	chosen, err := choose(o.only)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	dir, err := os.MkdirTemp("", "authd-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{options: o, dir: dir, programs: map[string]string{}, out: out, report: newReport(o)}
	for _, p := range chosen {
		if err := p.run(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	if o.json == "" {
		return nil
	}
	return b.report.write(o.json)
}

// choose finds the parts of a list of names; all of them where it is empty.
func choose(only string) ([]part, error) {
	all := parts()
	if only == "" {
		return all, nil
	}
	names := strings.Split(only, ",")
	for _, n := range names {
		if !slices.ContainsFunc(all, func(p part) bool { return p.name == n }) {
			return nil, fmt.Errorf("-only %q: there are %s", n, strings.Join(partNames(), ", "))
		}
	}
	return slices.DeleteFunc(all, func(p part) bool { return !slices.Contains(names, p.name) }), nil
}

// path is a place for a file of this run.
func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

func (b *bench) printf(format string, args ...any) { _, _ = fmt.Fprintf(b.out, format, args...) }
