package e2e

import (
	"strings"
	"testing"
)

// Where a file says which headers authd is told, the aliases of identity headers are among them: it can't refuse what it does not see.
func TestAuthdIsToldOfAliases(t *testing.T) {
	told := section[[]string](t, settingsOf(t, "istio/mesh.yaml"), "includeRequestHeadersInCheck")
	envoy := section[envoyPatterns](t, settingsOf(t, "envoy/http.yaml"), "allowed_headers")
	for _, name := range identity {
		for _, alias := range spellings(strings.ToLower(name)) {
			if !istioTells(told, alias) {
				t.Errorf("Istio does not tell authd of %s", alias)
			}
			if !envoy.match(alias) {
				t.Errorf("Envoy does not tell authd of %s", alias)
			}
		}
	}
}

// istioTells goes by Istio's rule: a name, or its beginning.
func istioTells(told []string, name string) bool {
	for _, pattern := range told {
		beginning, isPrefix := strings.CutSuffix(pattern, "*")
		if pattern == name || isPrefix && strings.HasPrefix(name, beginning) {
			return true
		}
	}
	return false
}

// spellings are a name with each of its hyphens as it is, as "_" and as ".".
func spellings(name string) []string {
	before, after, ok := strings.Cut(name, "-")
	if !ok {
		return []string{name}
	}
	var all []string
	for _, rest := range spellings(after) {
		for _, between := range []string{"-", "_", "."} {
			all = append(all, before+between+rest)
		}
	}
	return all
}
