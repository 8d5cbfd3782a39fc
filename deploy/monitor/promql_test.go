package monitor

import (
	"slices"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
)

func parse(t *testing.T, expr string) parser.Expr {
	t.Helper()
	e, err := parser.ParseExpr(expr)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	return e
}

// operands are the parts of an expression that must answer on a sound system, where it does not as a whole: an
// alert's comparison holds only when something is wrong. They are what stands on the sides of comparisons and set operators, as of now.
func operands(t *testing.T, expr string) (parts []string) {
	t.Helper()
	var walk func(e parser.Expr)
	walk = func(e parser.Expr) {
		switch e := e.(type) {
		case *parser.ParenExpr:
			walk(e.Expr)
			return
		case *parser.BinaryExpr:
			if e.Op.IsComparisonOperator() || e.Op.IsSetOperator() {
				walk(e.LHS)
				walk(e.RHS)
				return
			}
		}
		if e.Type() == parser.ValueTypeVector {
			parts = append(parts, e.String())
		}
	}
	e := parse(t, expr)
	asOfNow(e)
	walk(e)
	return parts
}

// asOfNow takes offsets away: a Prometheus of a minute's age has nothing from before.
func asOfNow(e parser.Expr) {
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok {
			v.OriginalOffset = 0
		}
		return nil
	})
}

func TestOperands(t *testing.T) {
	for expr, want := range map[string][]string{
		`a > 1`:                                     {"a"},
		`sum(rate(a{b="c"}[5m])) / sum(a)`:          {`sum(rate(a{b="c"}[5m])) / sum(a)`},
		`(a > 1 and on (b) c < 2) unless d`:         {"a", "c", "d"},
		`a < on (b) group_left () max(a offset 1m)`: {"a", "max(a)"},
		`a < 0.3 * max_over_time(a[1h] offset 1d)`:  {"a", "0.3 * max_over_time(a[1h])"},
	} {
		if got := operands(t, expr); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", expr, got, want)
		}
	}
}
