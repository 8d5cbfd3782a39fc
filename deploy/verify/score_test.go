package verify

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"testing"
)

// accepted are the findings of kube-score that we know better about, each with the reason. One that
// is found no more must go from here.
var accepted = map[string]string{
	"container-resources":                 "no limit of CPU: a throttled replica makes every request behind it slow",
	"container-image-pull-policy":         "a tag is released once, and a node need not reach the registry to start another replica of it",
	"deployment-has-host-podantiaffinity": "topology spread says the same, and by zone as well",
	"ingress-targets-service":             "the example's service is the application's",
}

type scored struct {
	Name   string `json:"object_name"`
	Checks []struct {
		Check    struct{ ID string }                           `json:"check"`
		Grade    int                                           `json:"grade"`
		Skipped  bool                                          `json:"skipped"`
		Comments []struct{ Path, Summary, Description string } `json:"comments"`
	} `json:"checks"`
}

const (
	gradeOK   = 10
	kubeScore = "../../bin/kube-score-v1.20.0"
)

func TestScore(t *testing.T) {
	found := map[string]bool{}
	for source, text := range sources(t) {
		cmd := exec.CommandContext(t.Context(), kubeScore, "score", "-o", "json", "-")
		cmd.Stdin = bytes.NewReader(text)
		var faults bytes.Buffer
		cmd.Stderr = &faults
		out, _ := cmd.Output() // it fails where anything is found
		var all []scored
		if err := json.Unmarshal(out, &all); err != nil {
			t.Fatalf("kube-score (make verify builds it): %v: %s", err, faults.String())
		}
		for _, object := range all {
			for _, c := range object.Checks {
				if c.Skipped || c.Grade >= gradeOK {
					continue
				}
				found[c.Check.ID] = true
				if accepted[c.Check.ID] == "" {
					t.Errorf("%s: %s: %s: %+v", source, object.Name, c.Check.ID, c.Comments)
				}
			}
		}
	}
	for id := range accepted {
		if !found[id] {
			t.Errorf("kube-score does not find %s any more: take it from what is accepted", id)
		}
	}
}
