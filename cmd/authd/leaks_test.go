package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"authd/internal/auth"
)

// gitleaks is what gitleaks reads of its configuration.
type gitleaks struct {
	Rules []struct {
		ID, Description, Regex string
		SecretGroup            int
		Keywords               []string
	}
}

// The rule is read and applied as gitleaks does: RE2, on texts that hold a
// keyword in whatever case, and the group is the secret.
func TestScannersFindKeys(t *testing.T) {
	for _, prefix := range []string{"ak", "AcmeKey1"} {
		var out bytes.Buffer
		a := &app{out: &out, format: formatText}
		if err := a.printRule(scanRule(prefix), rulesGitleaks); err != nil {
			t.Fatal(err)
		}
		var config gitleaks
		if err := toml.Unmarshal(out.Bytes(), &config); err != nil || len(config.Rules) != 1 {
			t.Fatalf("%v: %s", err, out.String())
		}
		rule := config.Rules[0]
		re, err := regexp.Compile(rule.Regex)
		if err != nil || rule.ID == "" || rule.Description == "" || rule.SecretGroup != 1 || len(rule.Keywords) != 1 {
			t.Fatalf("the rule is %+v, %v", rule, err)
		}
		for range 100 {
			key := auth.NewSecret(prefix).Reveal()
			if auth.RawSecret(key).Acceptable(prefix) != nil {
				t.Fatal("a sample has a wrong checksum")
			}
			for _, around := range []string{"%", "API-KEY: %", "key='%'", "key=%&x=1", "https://u:%@host/", "\n%\n", "x_%_x", "é%é"} {
				text := strings.ReplaceAll(around, "%", key)
				found := re.FindStringSubmatch(text)
				if len(found) != 2 || found[1] != key || !strings.Contains(strings.ToLower(text), rule.Keywords[0]) {
					t.Errorf("in %q, the rule finds %d groups", around, len(found))
				}
			}
			for what, text := range map[string]string{
				"cut": key[:len(key)-1], "longer": key + "0", "another prefix": "x" + key, "no prefix": key[len(prefix):],
				"a character that is none of them": key[:len(key)-1] + "-",
			} {
				if re.MatchString(text) {
					t.Errorf("%s is found as a key", what)
				}
			}
		}
	}
}

func TestGitHubsPattern(t *testing.T) {
	r := scanRule("ak")
	re := regexp.MustCompile("(?:" + r.Before + ")(" + r.Pattern + ")(?:" + r.After + ")")
	key := auth.NewSecret("ak").Reveal()
	if found := re.FindStringSubmatch("token: " + key + "\n"); len(found) != 2 || found[1] != key {
		t.Errorf("it finds %d groups", len(found))
	}
}
