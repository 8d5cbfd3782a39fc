package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// benchmarked are the packages whose benchmarks belong to the figures.
var benchmarked = []string{"authd/internal/auth", "authd/internal/cache", "authd/internal/limit", "authd/internal/usage", "authd/internal/api"}

// inner is one benchmark, inside one process.
type inner struct {
	Name   string  `json:"name"` // with its package's
	Nanos  float64 `json:"ns"`
	Bytes  float64 `json:"bytes"`
	Allocs float64 `json:"allocations"`
}

// innerBounds is what is to be reached, by the beginning of the name.
var innerBounds = map[string]inner{
	"auth.CheckWarm": {Nanos: 1000, Allocs: 1},
}

func measureInProcess(ctx context.Context, b *bench) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-run", "^$", "-bench", ".", "-benchmem"}, benchmarked...)...)
	cmd.Env = os.Environ()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	all, err := parseBenchmarks(out)
	if err != nil {
		return err
	}
	for name := range innerBounds {
		if !slices.ContainsFunc(all, func(r inner) bool { return strings.HasPrefix(r.Name, name) }) {
			return fmt.Errorf("no benchmark has a name that begins with %s", name)
		}
	}
	b.printf("\nIn process, for an operation\n")
	for _, r := range all {
		b.printf("  %-48s %9.0f ns %7.0f B %5.0f allocations  %s\n", r.Name, r.Nanos, r.Bytes, r.Allocs, r.verdict())
	}
	b.report.InProcess = all
	return nil
}

func (r inner) verdict() string {
	for name, bound := range innerBounds {
		if strings.HasPrefix(r.Name, name) {
			return verdict(r.Nanos, bound.Nanos, "%.0f ns") + ", " + verdict(r.Allocs, bound.Allocs, "%.0f")
		}
	}
	return ""
}

// parseBenchmarks reads what go test -bench -benchmem prints.
func parseBenchmarks(out []byte) ([]inner, error) {
	var all []inner
	pkg := ""
	for line := range bytes.Lines(out) {
		words := strings.Fields(string(line))
		if len(words) == 2 && words[0] == "pkg:" {
			pkg = words[1][strings.LastIndexByte(words[1], '/')+1:]
		}
		if len(words) < 4 || !strings.HasPrefix(words[0], "Benchmark") {
			continue
		}
		r := inner{Name: pkg + "." + withoutCores(strings.TrimPrefix(words[0], "Benchmark"))}
		for i := 2; i+1 < len(words); i += 2 {
			value, err := strconv.ParseFloat(words[i], 64)
			if err != nil {
				return nil, fmt.Errorf("not a benchmark: %q: %w", line, err)
			}
			switch words[i+1] {
			case "ns/op":
				r.Nanos = value
			case "B/op":
				r.Bytes = value
			case "allocs/op":
				r.Allocs = value
			}
		}
		all = append(all, r)
	}
	return all, nil
}

// withoutCores cuts the number of cores off a benchmark's name; where there is one core, there is none.
func withoutCores(name string) string {
	if cut := strings.LastIndexByte(name, '-'); cut > 0 {
		if _, err := strconv.Atoi(name[cut+1:]); err == nil {
			return name[:cut]
		}
	}
	return name
}
