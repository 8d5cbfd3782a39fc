package config

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Later sources win, setting by setting, and each value knows where it comes from.
func TestWhatWins(t *testing.T) {
	place(t, map[string]string{
		"1.yaml": "log: {level: debug, format: text}\ncache: {ttl: 1m, lease: 10s, max_stale: 2h}\nverify: {trusted_proxies: [10.0.0.1, 10.0.0.2]}\n" +
			"policies:\n  p: {groups: [a], scopes: [x], rules: [{paths: [/a/]}, {}]}\n  q: {}\n",
		"2.ini":  "[cache]\nttl = 2m\nlease = 20s\n[verify]\ntrusted_proxies = 10.0.0.3\n",
		"3.json": `{"policies": {"p": {"groups": [], "rules": [{"methods": ["GET"]}]}}}`,
	})
	l, err := Load(Source{
		Files:   []string{"1.yaml", "2.ini", "3.json"},
		Environ: environ("AUTHD_CACHE_LEASE=25s", "AUTHD_LOG_FORMAT=json", "AUTHD_LOG_LEVEL=warn", "AUTHD_STORE_URL=sqlite:env.db"),
		Flags:   flags(t, "--log-level", "error", "-o", "json"),
	})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, s := range l.Settings() {
		if s.Origin != "default" {
			got[s.String()] = s.Origin
		}
	}
	want := map[string]string{
		`store.url = "sqlite:env.db"`:              "AUTHD_STORE_URL",
		`cache.ttl = "2m"`:                         "2.ini:2",
		`cache.lease = "25s"`:                      "AUTHD_CACHE_LEASE",
		`cache.max_stale = "2h"`:                   "1.yaml:2",
		`verify.trusted_proxies = ["10.0.0.3"]`:    "2.ini:5",
		`policies.p.groups = []`:                   "3.json:1",
		`policies.p.scopes = ["x"]`:                "1.yaml:5",
		`policies.p.rules = [{methods = ["GET"]}]`: "3.json:1",
		`policies.q = {}`:                          "1.yaml:6",
		`log.level = "error"`:                      "--log-level",
		`log.format = "json"`:                      "AUTHD_LOG_FORMAT",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if l.Config.Cache.Lease != 25*time.Second || len(l.Config.Policies["p"].Rules) != 1 || l.Config.Policies["p"].Groups == nil {
		t.Errorf("%+v", l.Config)
	}
}

// A flag that has its default value wins as well, where it was given.
func TestFlagsWinWithTheirDefault(t *testing.T) {
	l, err := Load(Source{Environ: environ("AUTHD_LOG_LEVEL=debug"), Flags: flags(t, "--log-level", "info")})
	if err != nil || l.Config.Log.Level != 0 || origins(l)["log.level"] != "--log-level" {
		t.Errorf("%v, %v", l.Config.Log.Level, err)
	}
}

func TestEveryFlag(t *testing.T) {
	var args []string
	want := map[string]string{}
	for i := range settings {
		if f := &settings[i]; f.flagHelp() != "" {
			args = append(args, "--"+f.flag(), example(f))
			want[f.path] = "--" + f.flag()
		}
	}
	if len(args) < 4 {
		t.Fatalf("only %q", args)
	}
	l, err := Load(Source{Environ: environ(), Flags: flags(t, args...)})
	if err != nil {
		t.Fatal(err)
	}
	got := origins(l)
	for path, origin := range want {
		if got[path] != origin {
			t.Errorf("%s comes from %s", path, got[path])
		}
	}
}

// example is a value that a setting may have, and that is not its default.
func example(f *field) string {
	switch {
	case len(f.enum()) > 0:
		return f.enum()[len(f.enum())-1]
	case strings.HasPrefix(f.path, "listen."):
		return "127.0.0.1:0"
	case f.Type == durationType:
		return "2s"
	case f.Type.Kind() == reflect.Int:
		return "17"
	case f.Type.Kind() == reflect.Bool:
		return "off"
	case f.path == "verify.trusted_proxies":
		return "loopback"
	case f.path == "credentials.pepper_file":
		return "pepper"
	}
	return "x1"
}

// Each setting has a variable of its own, which sets it and nothing else.
func TestEveryVariable(t *testing.T) {
	place(t, map[string]string{"pepper": "0123456789abcdef"})
	seen := map[string]string{}
	for i := range settings {
		f := &settings[i]
		name := f.variable()
		if other := seen[name]; other != "" {
			t.Errorf("%s is %s as well as %s", name, f.path, other)
		}
		seen[name] = f.path
		if ofKubernetes(name, "tcp://10.0.0.1:80") {
			t.Errorf("%s would be taken for one of Kubernetes'", name)
		}
		l, err := Load(Source{Environ: environ(name + "=" + example(f))})
		for path, origin := range origins(l) {
			if want := map[bool]string{true: name, false: "default"}[path == f.path]; origin != want {
				t.Errorf("%s: %s comes from %s", name, path, origin)
			}
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if seen["AUTHD_CACHE_MAX_ENTRIES"] != "cache.max_entries" || len(seen) < 30 {
		t.Errorf("%d variables: %v", len(seen), seen)
	}
}

func TestVariablesThatAreNoSettings(t *testing.T) {
	place(t, map[string]string{"x.yaml": "api_key_A: {key_env: AUTHD_PARTNER_KEY}\n"})
	l, err := Load(Source{Files: []string{"x.yaml"}, Environ: environ(
		// What Kubernetes makes of Services called authd and authd-admin.
		"AUTHD_SERVICE_HOST=10.0.0.1", "AUTHD_SERVICE_PORT=8080", "AUTHD_SERVICE_PORT_VERIFY=8080", "AUTHD_PORT=tcp://10.0.0.1:8080",
		"AUTHD_PORT_8080_TCP=tcp://10.0.0.1:8080", "AUTHD_PORT_8080_TCP_PROTO=tcp", "AUTHD_PORT_8080_TCP_PORT=8080", "AUTHD_PORT_8080_TCP_ADDR=10.0.0.1",
		"AUTHD_PORT_53_UDP_ADDR=10.0.0.1", "AUTHD_ADMIN_SERVICE_HOST=10.0.0.1", "AUTHD_ADMIN_PORT=tcp://10.0.0.1:8081",
		"AUTHD_PARTNER_KEY=what the section takes", "AUTHD=1", "XAUTHD_X=1", "authd_x=1",
	)})
	if err != nil {
		t.Error(err)
	}
	for path, origin := range origins(l) {
		if origin != "default" {
			t.Errorf("%s comes from %s", path, origin)
		}
	}
	_, err = Load(Source{Environ: environ("AUTHD_PORT=8080", "AUTHD_PORT_8080=1", "AUTHD_PARTNER_KEY=secret-value", "AUTHD_POLICIES_P_GROUPS=a", "AUTHD_LISTEN_VERIFI=:1")})
	wantFaults(t, err,
		"AUTHD_PORT: no setting has this name; all names are in docs/configuration.md",
		"AUTHD_PORT_8080: no setting has this name; all names are in docs/configuration.md",
		"AUTHD_PARTNER_KEY: no setting has this name; all names are in docs/configuration.md",
		"AUTHD_POLICIES_P_GROUPS: policies can't be given by the environment: write them into a file",
		"AUTHD_LISTEN_VERIFI: no setting has this name: did you mean AUTHD_LISTEN_VERIFY?",
	)
}

// A variable that is set to nothing sets the setting to nothing.
func TestEmptyVariable(t *testing.T) {
	l, err := Load(Source{Environ: environ("AUTHD_LISTEN_METRICS=", "AUTHD_VERIFY_TRUSTED_PROXIES=", "AUTHD_REDIS_URL=")})
	if err != nil || l.Config.Listen.Metrics != "" || len(l.Trusted) != 0 {
		t.Errorf("%+v, %v", l.Config, err)
	}
	_, err = Load(Source{Environ: environ("AUTHD_STORE_MIGRATE=")})
	wantFaults(t, err, `AUTHD_STORE_MIGRATE: "" is neither true nor false (yes, no, on, off, 1, 0 will do as well)`)
}

// Without Environ it is the process's own environment.
func TestEnvironmentOfTheProcess(t *testing.T) {
	t.Setenv("AUTHD_VERIFY_REALM", "here")
	l, err := Load(Source{})
	if err != nil || l.Config.Verify.Realm != "here" {
		t.Errorf("%q, %v", l.Config.Verify.Realm, err)
	}
}
