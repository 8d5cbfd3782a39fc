package main

import (
	"bufio"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

// exposed are the metrics of a page, with the labels that a series of each has.
func exposed(t *testing.T, page string) map[string]string {
	t.Helper()
	all, name := map[string]string{}, ""
	label := regexp.MustCompile(`([a-z_]+)="`)
	for lines := bufio.NewScanner(strings.NewReader(page)); lines.Scan(); {
		line := lines.Text()
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, _, _ = strings.Cut(rest, " ")
			all[name] = ""
		}
		if strings.HasPrefix(line, "#") || !strings.HasPrefix(line, name) {
			continue
		}
		var labels []string
		for _, m := range label.FindAllStringSubmatch(line, -1) {
			if m[1] != "le" {
				labels = append(labels, m[1])
			}
		}
		slices.Sort(labels)
		all[name] = strings.Join(labels, ",")
	}
	return all
}

var documentedMetric = regexp.MustCompile("(?m)^\\| `([a-z_]+\\*?)(?:\\{([a-z_,]+)\\})?` \\| [^|]+ \\| [^|]+ \\|$")

// documented are the metrics of docs/metrics.md.
func documented(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, m := range documentedMetric.FindAllStringSubmatch(string(text), -1) {
		labels := strings.Split(m[2], ",")
		slices.Sort(labels)
		all[m[1]] = strings.Join(labels, ",")
	}
	return all
}

// A running server's metrics and docs/metrics.md agree both ways, labels and
// all; and the linter has nothing to say.
func TestMetricsAreDocumented(t *testing.T) {
	p := newPlace(t)
	d := p.serve()
	key := p.must("keys", "create", "Partner", "--user", "u", "-q")
	d.want(200, "/verify", key)
	page := d.metricsPage()
	on, in := exposed(t, page), documented(t)
	groups := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(on)) {
		if group, _, _ := strings.Cut(name, "_"); group != "authd" {
			groups[group+"_*"] = true
			continue
		}
		if labels, ok := in[name]; !ok || labels != on[name] {
			t.Errorf("%s{%s} is not in docs/metrics.md, or with other labels: %q", name, on[name], labels)
		}
	}
	for name := range in {
		if _, ok := on[name]; !ok && !groups[name] {
			t.Errorf("docs/metrics.md tells of %s, which the server does not have", name)
		}
	}
	for group := range groups {
		if _, ok := in[group]; !ok {
			t.Errorf("%s is not in docs/metrics.md", group)
		}
	}
	problems, err := promlint.New(strings.NewReader(page)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// A change is timed by the server, whoever made it.
func TestConfirmationsAreMeasured(t *testing.T) {
	p := newPlace(t)
	d := p.serve()
	p.must("keys", "create", "Partner", "--user", "u", "-q")
	p.must("keys", "revoke", "Partner", "-q")
	p.await("two confirmations", func() bool { return strings.Contains(d.metricsPage(), "authd_change_confirm_seconds_count 2\n") })
}
