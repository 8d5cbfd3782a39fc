package monitor

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// dashboard is what the tests read of one of deploy/grafana/dashboards.
type dashboard struct {
	UID, Title string
	Templating struct {
		List []struct {
			Name, Type string
			Query      any
			Datasource source
		}
	}
	Panels []panel
}

type source struct{ UID string }

type panel struct {
	ID                       int
	Type, Title, Description string
	Datasource               source
	GridPos                  struct{ X, Y, W, H int }
	Targets                  []struct {
		Expr       string
		Datasource source
	}
}

func dashboards(t *testing.T) map[string]dashboard {
	t.Helper()
	paths, err := filepath.Glob("../grafana/dashboards/*.json")
	if err != nil || len(paths) != 2 {
		t.Fatalf("dashboards %q, %v", paths, err)
	}
	all := map[string]dashboard{}
	for _, path := range paths {
		var d dashboard
		if err := json.Unmarshal(read(t, path), &d); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all[d.UID] = d
	}
	return all
}

// What is imported names no data source of ours, tells what it shows, and has its panels side by side.
func TestDashboards(t *testing.T) {
	for uid, d := range dashboards(t) {
		if len(d.Templating.List) < 3 || d.Templating.List[0].Type != "datasource" || d.Templating.List[0].Name != "datasource" {
			t.Errorf("%s: the data source is no variable", uid)
		}
		ids, taken := map[int]bool{}, map[[2]int]string{}
		for _, p := range d.Panels {
			if ids[p.ID] {
				t.Errorf("%s: two panels are %d", uid, p.ID)
			}
			ids[p.ID] = true
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
					if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
						t.Fatalf("%s: %s lies over %q, or beside the page", uid, p.Title, other)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
			if p.Type == "row" {
				continue
			}
			if p.Description == "" || len(p.Targets) == 0 || p.Datasource.UID != "${datasource}" {
				t.Errorf("%s: %s has no description, no expression, or a data source of its own", uid, p.Title)
			}
			for _, target := range p.Targets {
				if target.Datasource.UID != "${datasource}" {
					t.Errorf("%s: %s: data source %q", uid, p.Title, target.Datasource.UID)
				}
			}
		}
	}
}

// The compose file gives Grafana the dashboards and Prometheus the rules, where each looks for them.
func TestCompose(t *testing.T) {
	var compose struct {
		Services map[string]struct{ Volumes []string }
	}
	if err := yaml.Unmarshal(read(t, "../../docker-compose.yml"), &compose); err != nil {
		t.Fatal(err)
	}
	var provider struct {
		Providers []struct{ Options struct{ Path string } }
	}
	if err := yaml.Unmarshal(read(t, "../grafana/provisioning/dashboards/authd.yml"), &provider); err != nil {
		t.Fatal(err)
	}
	for service, volume := range map[string]string{
		"grafana":    "./deploy/grafana/dashboards:" + provider.Providers[0].Options.Path + ":ro",
		"prometheus": "./deploy/prometheus:/etc/prometheus:ro",
	} {
		if !slices.Contains(compose.Services[service].Volumes, volume) {
			t.Errorf("%s has no volume %s", service, volume)
		}
	}
}

var (
	labelValues = regexp.MustCompile(`^label_values\((.+), [a-z_]+\)$`)
	variable    = regexp.MustCompile(`\$[a-z_]+`)
)

// asked is an expression with what Grafana puts for its variables where everything is chosen.
func asked(expr string) string {
	expr = strings.NewReplacer("$__rate_interval", "1m", "$__range", "5m").Replace(expr)
	return variable.ReplaceAllString(expr, ".*")
}

// expressions are all that rules and dashboards ask, by where they stand.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, r := range rules(t) {
		all[r.name()] = r.Expr
	}
	for uid, d := range dashboards(t) {
		for _, v := range d.Templating.List {
			if v.Type != "query" {
				continue
			}
			m := labelValues.FindStringSubmatch(v.Query.(map[string]any)["query"].(string))
			if m == nil {
				t.Fatalf("%s: the variable %s asks %v", uid, v.Name, v.Query)
			}
			all[uid+" $"+v.Name] = asked(m[1])
		}
		for _, p := range d.Panels {
			for i, target := range p.Targets {
				all[fmt.Sprintf("%s, %s, %d", uid, p.Title, i)] = asked(target.Expr)
			}
		}
	}
	return all
}

// What is put for variables leaves nothing over.
func TestAsked(t *testing.T) {
	got := asked(`sum(rate(m{job=~"$job", key=~"$key"}[$__rate_interval]))`)
	if diff := cmp.Diff(`sum(rate(m{job=~".*", key=~".*"}[1m]))`, got); diff != "" {
		t.Error(diff)
	}
}
