package main

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want spread
	}{
		{[]float64{3}, spread{3, 3, 3}},
		{[]float64{3, 1}, spread{2, 1, 3}},
		{[]float64{9, 1, 2}, spread{2, 1, 9}},
		{[]float64{4, 9, 1, 2}, spread{3, 1, 9}},
	} {
		given := append([]float64(nil), c.in...)
		if got := newSpread(c.in); got != c.want {
			t.Errorf("spread of %v is %+v", c.in, got)
		}
		if !cmp.Equal(given, c.in) {
			t.Errorf("%v was reordered", given)
		}
	}
	if !math.IsNaN(newSpread(nil).Median) {
		t.Error("nothing has a median")
	}
}

// A round in which everything costs three times as much does not move the ratio.
func TestRatioIsTakenWithinARound(t *testing.T) {
	c := contest{name: "n", title: "Title", references: []rival{{title: "empty", atMost: 1.50}, {title: "constant", atMost: 1.20}}}
	servers := append([]rival{{title: "authd"}}, c.references...)
	r := newResult(c, servers, [][]turn{
		{{CPU: 14, P99: 5}, {CPU: 42, P99: 7}, {CPU: 13, P99: 6}},
		{{CPU: 10}, {CPU: 30}, {CPU: 10}},
		{{CPU: 11}, {CPU: 33}, {CPU: 10}},
	})
	want := []ratio{
		{To: "empty", spread: spread{1.4, 1.3, 1.4}, AtMost: 1.5},
		{To: "constant", spread: spread{14.0 / 11, 14.0 / 11, 1.3}, AtMost: 1.2},
	}
	near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-9 })
	if diff := cmp.Diff(want, r.Ratios, near, cmp.AllowUnexported(ratio{})); diff != "" {
		t.Error(diff)
	}
	if got := r.Servers[0]; got.CPU != (spread{14, 13, 42}) || got.Turn.P99 != 6 || len(got.Turns) != 3 {
		t.Errorf("authd's turns came to %+v", got)
	}

	var out bytes.Buffer
	r.print(&bench{out: &out})
	first, rest, _ := strings.Cut(strings.TrimSpace(out.String()), "\n")
	if !strings.Contains(first, "CPU per request, as a ratio") ||
		!strings.Contains(rest, "<= 1.50 ok") || !strings.Contains(rest, "<= 1.20 over") {
		t.Errorf("printed:\n%s", out.String())
	}
}

func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		figure, atMost float64
		want           string
	}{
		{1.5, 1.5, "<= 1.50 ok"},
		{1.51, 1.5, "<= 1.50 over"},
		{math.NaN(), 1.5, "<= 1.50 over"},
		{7, 0, ""},
	} {
		if got := verdict(c.figure, c.atMost, "%.2f"); got != c.want {
			t.Errorf("verdict on %v, at most %v: %q", c.figure, c.atMost, got)
		}
	}
}
