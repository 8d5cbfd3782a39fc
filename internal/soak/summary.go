package soak

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// summary tells what a run came to, in lines.
func (j *journal) summary() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	requests := 0
	statuses := map[string]int{}
	for status, n := range j.statuses {
		requests += n
		name := fmt.Sprint(status)
		if status == 0 {
			name = "no answer"
		}
		statuses[name] = n
	}
	lines := []string{
		"faults: " + tally(j.faults),
		"changes: " + tally(j.changes),
		"their outcomes: " + tally(j.outcomes),
		fmt.Sprintf("requests: %d, of which %s", requests, tally(statuses)),
		"confirmed by acknowledgement in " + spread(j.acked),
		"confirmed by time in " + spread(j.timed),
		fmt.Sprintf("violations: %d", j.wrong),
	}
	if j.wrong > 0 {
		lines = append(lines, "the first after "+at(j.first))
	}
	return lines
}

// tally lists what was counted, by name, and the sum.
func tally(counts map[string]int) string {
	var parts []string
	sum := 0
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		sum += counts[name]
		parts = append(parts, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return strings.Join(append(parts, fmt.Sprintf("in all %d", sum)), ", ")
}

// spread tells how long things took.
func spread(took []time.Duration) string {
	if len(took) == 0 {
		return "no case"
	}
	slices.Sort(took)
	quantile := func(q float64) time.Duration {
		return took[int(q*float64(len(took)-1))].Round(100 * time.Microsecond)
	}
	return fmt.Sprintf("p50 %s, p99 %s, at most %s", quantile(.5), quantile(.99), quantile(1))
}
