package config

import "testing"

func TestAPolicyMayShadow(t *testing.T) {
	l, err := loadText(t, "authd.yaml", "policies:\n  new: {groups: [a], shadow: true}\n  old: {groups: [a]}\n")
	if err != nil {
		t.Fatal(err)
	}
	if !l.Policies["new"].Shadows() || l.Policies["old"].Shadows() {
		t.Error("shadow: true makes a policy shadow, and nothing else does")
	}
	if got := origins(l)["policies.new.shadow"]; got != "authd.yaml:2" {
		t.Errorf("the setting is shown as from %q", got)
	}
}
