// Command copies writes the rules of deploy/prometheus to where Helm and kustomize take them from: neither reads a
// file that is not below its own folder.
package main

import (
	"log"
	"os"
	"strings"
)

//go:generate go run .

const from = "../../prometheus/rules/authd.yml"

const overlay = `# Made from deploy/prometheus/rules/authd.yml by "make docs".
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: authd
  namespace: authd
  labels:
    app.kubernetes.io/name: authd
spec:
`

func main() {
	text, err := os.ReadFile(from)
	if err != nil {
		log.Fatal(err)
	}
	rules := string(text[strings.Index(string(text), "groups:"):])
	write("../../helm/authd/files/rules.yaml", "# Made from deploy/prometheus/rules/authd.yml by \"make docs\".\n"+rules)
	write("../../k8s/components/monitoring/prometheusrule.yaml", overlay+indented(rules))
}

func write(path, text string) {
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		log.Fatal(err)
	}
}

func indented(text string) string {
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		if strings.TrimSpace(line) != "" {
			lines[i] = "  " + line
		}
	}
	return strings.Join(lines, "")
}
