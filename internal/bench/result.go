package main

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// spread is the middle of several figures, and their ends.
type spread struct {
	Median float64 `json:"median"`
	Least  float64 `json:"least"`
	Most   float64 `json:"most"`
}

func newSpread(figures []float64) spread {
	s := slices.Sorted(slices.Values(figures))
	n := len(s)
	if n == 0 {
		return spread{math.NaN(), math.NaN(), math.NaN()}
	}
	return spread{Median: (s[(n-1)/2] + s[n/2]) / 2, Least: s[0], Most: s[n-1]}
}

// result is what a contest came to.
type result struct {
	Name    string   `json:"name"`
	Title   string   `json:"title"`
	Ratios  []ratio  `json:"cpu_ratios"`
	Servers []served `json:"servers"`
}

// ratio is authd's processor time for a request over that of a rival. It is
// taken within each round, so that what slows a whole round down cancels out.
type ratio struct {
	To string `json:"to"`
	spread
	AtMost float64 `json:"to_reach,omitempty"`
}

// served is what a server did over all rounds: the middle of each figure.
type served struct {
	Title string `json:"title"`
	CPU   spread `json:"cpu_us"`
	Turn  turn   `json:"median"`
	Turns []turn `json:"rounds"`
}

// newResult takes the turns of each server, authd's first.
func newResult(c contest, servers []rival, turns [][]turn) result {
	r := result{Name: c.name, Title: c.title}
	for i, s := range servers {
		column := func(of func(turn) float64) spread {
			var figures []float64
			for _, t := range turns[i] {
				figures = append(figures, of(t))
			}
			return newSpread(figures)
		}
		cpu := column(func(t turn) float64 { return t.CPU })
		r.Servers = append(r.Servers, served{Title: s.title, CPU: cpu, Turns: turns[i], Turn: turn{
			CPU:       cpu.Median,
			PerSecond: column(func(t turn) float64 { return t.PerSecond }).Median,
			P50:       column(func(t turn) float64 { return t.P50 }).Median,
			P99:       column(func(t turn) float64 { return t.P99 }).Median,
			RSS:       column(func(t turn) float64 { return t.RSS }).Median,
			Beside:    column(func(t turn) float64 { return t.Beside }).Median,
		}})
		if i == 0 {
			continue
		}
		var ratios []float64
		for round, t := range turns[i] {
			ratios = append(ratios, turns[0][round].CPU/t.CPU)
		}
		r.Ratios = append(r.Ratios, ratio{To: s.title, spread: newSpread(ratios), AtMost: s.atMost})
	}
	return r
}

func (r result) print(b *bench) {
	b.printf("\n%s: server CPU per request, as a ratio\n", r.Title)
	b.printf("  %-32s %7s  %-13s %s\n", "", "median", "least..most", "to reach")
	for _, t := range r.Ratios {
		b.printf("  %-32s %7.2f  %-13s %s\n", "authd / "+t.To, t.Median,
			fmt.Sprintf("%.2f..%.2f", t.Least, t.Most), verdict(t.Median, t.AtMost, "%.2f"))
	}
	b.printf("  %-24s %11s %-13s %11s %9s %9s %8s\n", "", "CPU/request", "least..most", "requests/s", "p50", "p99", "RSS")
	for _, s := range r.Servers {
		b.printf("  %-24s %8.2f µs %-13s %11.0f %6.0f µs %6.0f µs %5.1f MB\n", s.Title, s.CPU.Median,
			fmt.Sprintf("%.2f..%.2f", s.CPU.Least, s.CPU.Most), s.Turn.PerSecond, s.Turn.P50, s.Turn.P99, s.Turn.RSS)
	}
	if beside := r.Servers[0].Turn.Beside; beside > 0 {
		b.printf("  %-24s %8.2f µs, not counted above\n", "beside authd, for each", beside)
	}
}

// verdict says how a figure stands to the one to reach. It is told and not
// enforced: machines differ, and are busy.
func verdict(figure, atMost float64, format string) string {
	if atMost == 0 {
		return ""
	}
	word := "ok"
	if !(figure <= atMost) {
		word = "over"
	}
	return "<= " + fmt.Sprintf(format, atMost) + " " + word
}

// quantile is in ms, and the most for 1.
func quantile(took []time.Duration, q float64) float64 {
	sorted := slices.Sorted(slices.Values(took))
	return float64(sorted[int(q*float64(len(sorted)-1))]) / float64(time.Millisecond)
}
