package monitor

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"
)

const (
	rulesFile = "../prometheus/rules/authd.yml"
	install   = "apt-get install prometheus"
)

// rule is one of deploy/prometheus/rules.
type rule struct {
	Record, Alert, Expr string
	Labels, Annotations map[string]string
}

func (r rule) name() string { return r.Record + r.Alert }

func rules(t *testing.T) (all []rule) {
	t.Helper()
	var file struct {
		Groups []struct{ Rules []rule }
	}
	if err := yaml.Unmarshal(read(t, rulesFile), &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	if len(all) < 20 {
		t.Fatalf("%d rules", len(all))
	}
	return all
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// tool is the path of a program of Debian's package prometheus.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing: %s", name, install)
	}
	return path
}

// promtool has its say on the rules, and runs their cases.
func TestRules(t *testing.T) {
	cases, err := filepath.Glob("../prometheus/tests/*.yml")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases, %v", err)
	}
	for _, args := range [][]string{
		{"check", "config", "../prometheus/prometheus.yml"},
		{"check", "rules", "--lint-fatal", rulesFile},
		append([]string{"test", "rules"}, cases...),
	} {
		if out, err := exec.CommandContext(t.Context(), tool(t, "promtool"), args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// Each alert has a case in which it fires, and one in which it does not.
func TestEveryAlertHasCases(t *testing.T) {
	fires, quiet := map[string]bool{}, map[string]bool{}
	cases, err := filepath.Glob("../prometheus/tests/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range cases {
		var file struct {
			Tests []struct {
				Alerts []struct {
					Name string      `yaml:"alertname"`
					Exp  []yaml.Node `yaml:"exp_alerts"`
				} `yaml:"alert_rule_test"`
			}
		}
		if err := yaml.Unmarshal(read(t, path), &file); err != nil {
			t.Fatal(err)
		}
		for _, c := range file.Tests {
			for _, a := range c.Alerts {
				if len(a.Exp) > 0 {
					fires[a.Name] = true
				} else {
					quiet[a.Name] = true
				}
			}
		}
	}
	for _, r := range rules(t) {
		if r.Alert != "" && (!fires[r.Alert] || !quiet[r.Alert]) {
			t.Errorf("%s: fires in a case: %v, keeps quiet in one: %v", r.Alert, fires[r.Alert], quiet[r.Alert])
		}
	}
}

var heading = regexp.MustCompile(`(?m)^### (Authd[A-Za-z]+)$`)

// Each alert names a heading of docs/failures.md, and each heading there is an alert's.
func TestRunbooks(t *testing.T) {
	var want, have []string
	for _, m := range heading.FindAllStringSubmatch(string(read(t, "../../docs/failures.md")), -1) {
		want = append(want, m[1])
	}
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		have = append(have, r.Alert)
		if url := r.Annotations["runbook_url"]; url != "docs/failures.md#"+strings.ToLower(r.Alert) {
			t.Errorf("%s: runbook_url %q", r.Alert, url)
		}
		if !slices.Contains([]string{"critical", "warning", "info"}, r.Labels["severity"]) || r.Annotations["summary"] == "" {
			t.Errorf("%s: no severity, or no summary", r.Alert)
		}
	}
	slices.Sort(want)
	slices.Sort(have)
	if !slices.Equal(want, have) {
		t.Errorf("headings %q\nalerts %q", want, have)
	}
}

// What Helm and kustomize ship are the same rules.
func TestCopies(t *testing.T) {
	_, want, _ := strings.Cut(string(read(t, rulesFile)), "groups:")
	_, chart, _ := strings.Cut(string(read(t, "../helm/authd/files/rules.yaml")), "groups:")
	if chart != want {
		t.Error("the chart's rules are others: make docs")
	}
	_, overlay, _ := strings.Cut(string(read(t, "../k8s/components/monitoring/prometheusrule.yaml")), "  groups:")
	if strings.ReplaceAll(overlay, "\n  ", "\n") != want {
		t.Error("the overlay's rules are others: make docs")
	}
}

var documentedMetric = regexp.MustCompile("(?m)^\\| `(authd_[a-z_]+)[{`]")

// Rules and dashboards ask for nothing but what docs/metrics.md has, what is recorded, up, and the process's own.
func TestOnlyMetricsThatAreDocumented(t *testing.T) {
	known := map[string]bool{"up": true, "process_cpu_seconds_total": true, "process_resident_memory_bytes": true, "process_start_time_seconds": true, "go_goroutines": true}
	for _, m := range documentedMetric.FindAllStringSubmatch(string(read(t, "../../docs/metrics.md")), -1) {
		known[m[1]] = true
	}
	for _, r := range rules(t) {
		known[r.Record] = true
	}
	for name, expr := range expressions(t) {
		for _, metric := range metrics(t, expr) {
			base := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(metric, "_bucket"), "_count"), "_sum")
			if !known[metric] && !known[base] {
				t.Errorf("%s asks for %q, which docs/metrics.md does not have", name, metric)
			}
		}
	}
}

// metrics are the names that an expression selects.
func metrics(t *testing.T, expr string) (names []string) {
	t.Helper()
	parser.Inspect(parse(t, expr), func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok {
			names = append(names, v.Name)
		}
		return nil
	})
	return names
}
