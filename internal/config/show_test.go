package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMasked(t *testing.T) {
	for url, want := range map[string]string{
		"":                                       "",
		"sqlite:authd.db":                        "sqlite:authd.db",
		"postgres://authd@db/authd":              "postgres://***@db/authd",
		"postgres://authd:hunter2@db/authd":      "postgres://***@db/authd",
		"postgres://authd:hun@ter/2@db/authd":    "postgres://***@db/authd",
		"postgres://db/authd?password=hunter2&x": "postgres://db/authd?password=***&x",
		"postgres:///authd?x=1;sslpassword=hunt": "postgres:///authd?x=1;sslpassword=***",
		"redis://a:1,redis://:hunter2@b:2":       "redis://***@b:2",
		"redis:hunter2":                          "redis:***",
		"host=db password=hunter2":               "***",
		"user=a:b password=hunter2":              "***",
		"hunter2@db:5432":                        "***",
	} {
		if got := masked(url); got != want {
			t.Errorf("%s is shown as %s, want %s", url, got, want)
		}
	}
	l, _ := Load(Source{Environ: environ("AUTHD_STORE_URL=postgres://a:hunter2@db/x", "AUTHD_REDIS_URL=redis://:hunter2@redis")})
	for _, s := range l.Settings() {
		if strings.Contains(s.String(), "hunter2") {
			t.Error(s)
		}
	}
}

// What is shown is a configuration, and the same one.
func TestSettingsAreReadAgain(t *testing.T) {
	l, err := Load(Source{Files: []string{"testdata/sample.yaml"}, Environ: environ(
		"AUTHD_VERIFY_REALM=\"a\\b\" é <&>\t'", "AUTHD_CACHE_TTL=1w", "AUTHD_VERIFY_TRUSTED_PROXIES=", "AUTHD_LOG_LEVEL=warn")})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, s := range l.Settings() {
		text.WriteString(s.String() + " # " + s.Origin + "\n")
	}
	again, err := loadText(t, "shown.toml", text.String())
	if err != nil {
		t.Fatalf("%v\n%s", err, text.String())
	}
	if diff := cmp.Diff(l.Config, again.Config); diff != "" {
		t.Error(diff)
	}
}
