package main

import (
	"encoding/json"
	"os"
	"runtime"
	"strings"
	"time"
)

// report is everything that was measured, for docs and for comparing runs.
type report struct {
	At        time.Time   `json:"at"`
	Machine   machine     `json:"machine"`
	Rounds    int         `json:"rounds"`
	Span      string      `json:"span"`
	Conns     int         `json:"connections"`
	Contests  []result    `json:"contests,omitempty"`
	Memory    *memory     `json:"memory,omitempty"`
	Ready     *ready      `json:"ready,omitempty"`
	Confirm   []confirmed `json:"confirm,omitempty"`
	Idle      *idle       `json:"idle,omitempty"`
	Flood     []flooded   `json:"flood,omitempty"`
	InProcess []inner     `json:"in_process,omitempty"`
}

// machine is what it was measured on.
type machine struct {
	Go     string `json:"go"`
	System string `json:"system"`
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
}

func newReport(o options) report {
	return report{
		At: time.Now().UTC().Truncate(time.Second), Rounds: o.rounds, Span: o.span.String(), Conns: o.conns,
		Machine: machine{
			Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH,
			CPU: cpuModel(), Cores: runtime.NumCPU(),
		},
	}
}

// cpuModel is empty where the system does not tell.
func cpuModel() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (r *report) write(file string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}
