package config

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"
	"testing"
)

// Every fault is told at once, in the order of the places, with the mend.
func TestAllFaultsAtOnce(t *testing.T) {
	place(t, map[string]string{
		"a.yaml": `
listen: {verfy: ":8080", admin: "8081"}
cahce:
  ttl: 10m
cache:
  ttl: soon
  max-entries: 10
store: sqlite:authd.db
policies:
  partners:
    gruops: [partner]
    scopes: ["a b"]
    rules:
      - {paths: [public]}
      - {method: GET}
  a.b: {}
`,
		"b.toml": `
max_stale = "1h"
[cache]
max_entries = "many"
outage = "maybe"
[verify]
trusted_proxies = ["10.0.0.0/8", "privat"]
`,
		"c.ini": "[cache]\nttl\n",
		"d.json": `{
  "api-key_Partner": {},
  "credentials": {"prefix": "a_b", "sources": ["bearer", 1]}
}`,
	})
	_, err := Load(Source{
		Files:   []string{"a.yaml", "b.toml", "c.ini", "d.json", "e.yaml"},
		Environ: environ("AUTHD_CACHE_LEASE=0", "AUTHD_CACHE_MAXENTRIES=5", "AUTHD_METRICS_PER_KEY="),
		Flags:   flags(t, "--log-level=loud", "--listen-metrics=:8080"),
	})
	wantFaults(t, err,
		`a.yaml:2: listen.verfy: unknown setting: did you mean listen.verify?`,
		`a.yaml:2: listen.admin: "8081" is no address: HOST:PORT is wanted, as in :8080, 127.0.0.1:8080 or [::1]:8080`,
		`a.yaml:3: cahce: unknown setting: did you mean cache?`,
		`a.yaml:6: cache.ttl: "soon" is no length of time: a number and its unit are wanted, as in 50ms, 30s, 10m, 12h, 7d or 1h30m`,
		`a.yaml:7: cache.max-entries: unknown setting: did you mean cache.max_entries?`,
		`a.yaml:8: store: "sqlite:authd.db" is no table of settings`,
		`a.yaml:11: policies.partners.gruops: unknown setting: did you mean policies.partners.groups?`,
		`a.yaml:12: policies.partners.scopes: scope "a b": a scope is visible ASCII without blanks, quotes and backslashes`,
		`a.yaml:14: policies.partners.rules[0].paths: path "public": a path prefix begins with '/' and is written decoded: no '%', '?', ';', '#', '\', '//' or dot segments`,
		`a.yaml:15: policies.partners.rules[1].method: unknown setting: did you mean policies.partners.rules[1].methods?`,
		`a.yaml:16: policies."a.b": policy "a.b": a name is letters, digits, '-' and '_'`,
		`b.toml:2: max_stale: unknown setting: did you mean cache.max_stale?`,
		`b.toml:4: cache.max_entries: "many" is no whole number`,
		`b.toml:5: cache.outage: "maybe" is none of serve, deny`,
		`b.toml:7: verify.trusted_proxies: "privat" is no network: private, loopback, none, a network such as 10.0.0.0/8 or an address are wanted`,
		`c.ini:2: neither a section, nor a key with its value: key = value`,
		`d.json:2: api-key_Partner: unknown setting: a section that overrides a key is named api_key_NAME`,
		`d.json:3: credentials.sources: item 2 is no text: put it in quotes`,
		`d.json:3: credentials.prefix: a prefix is 1 to 16 letters and digits (ASCII)`,
		`e.yaml: no such file or directory`,
		`AUTHD_CACHE_LEASE: 0 is less than 1s`,
		`AUTHD_CACHE_MAXENTRIES: no setting has this name: did you mean AUTHD_CACHE_MAX_ENTRIES?`,
		`AUTHD_METRICS_PER_KEY: "" is no whole number`,
		`--log-level: "loud" is none of debug, info, warn, error`,
		`--listen-metrics: port 8080 is that of listen.verify (default) as well: give it another`,
	)
}

func TestFaults(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"null", "cache:\n  ttl:\n", `x.yaml:2: cache.ttl: nothing is given: write a value, or leave the setting out for its default`},
		{"null of a policy", "policies: {p: {groups: null}}", `x.yaml:1: policies.p.groups: nothing is given: write a value, or leave the setting out for its default`},
		{"a rule that is null", "policies: {p: {rules: [null]}}", `x.yaml:1: policies.p.rules[0]: nothing is given: write a value, or leave the setting out for its default`},
		{"rules in a table", "policies: {p: {rules: {}}}", `x.yaml:1: policies.p.rules: a list of tables is wanted; INI can't hold one, but YAML, TOML and JSON can`},
		{"a rule that is text", "policies: {p: {rules: [x]}}", `x.yaml:1: policies.p.rules[0]: "x" is no table of settings`},
		{"no paths", "policies: {p: {rules: [{paths: []}]}}", `x.yaml:1: policies.p.rules[0].paths: the list is empty: name a path, or leave it out for every path`},
		{"no methods", "policies: {p: {rules: [{methods: []}]}}", `x.yaml:1: policies.p.rules[0].methods: the list is empty: name a method, or leave it out for every method`},
		{"policies in a list", "policies: [p]", `x.yaml:1: policies: a list is no table of settings`},
		{"the default policy", "policies: {default: {}}", `x.yaml:1: policies.default: policy "default": the name is taken by the policy that asks for a key and nothing more`},
		{"preflight", "policies: {p: {preflight: true}}", `x.yaml:1: policies.p.preflight: true is none of deny, allow`},
		{"a number for text", "listen: {verify: 8080}", `x.yaml:1: listen.verify: text is wanted: put it in quotes`},
		{"a table for text", "listen: {verify: {}}", `x.yaml:1: listen.verify: text is wanted: put it in quotes`},
		{"no address", `listen: {verify: ""}`, `x.yaml:1: listen.verify: "" is no address: HOST:PORT is wanted, as in :8080, 127.0.0.1:8080 or [::1]:8080`},
		{"no port", `listen: {verify: ":http"}`, `x.yaml:1: listen.verify: "http" is no port: a number up to 65535 is wanted`},
		{"a large port", `listen: {metrics: ":65536"}`, `x.yaml:1: listen.metrics: "65536" is no port: a number up to 65535 is wanted`},
		{"a URL", `listen: {verify: "http://x:80"}`, `x.yaml:1: listen.verify: "http://x:80" is no address: HOST:PORT is wanted, as in :8080, 127.0.0.1:8080 or [::1]:8080`},
		{"no host", `listen: {verify: "a b:80"}`, `x.yaml:1: listen.verify: "a b:80" is no address: HOST:PORT is wanted, as in :8080, 127.0.0.1:8080 or [::1]:8080`},
		{"one address twice", `listen: {verify: "[::1]:1", metrics: "[::1]:1"}`, `x.yaml:1: listen.metrics: port 1 is that of listen.verify (x.yaml:1) as well: give it another`},
		{"one of them everywhere", `listen: {verify: "127.0.0.1:1", metrics: "0.0.0.0:1"}`, `x.yaml:1: listen.metrics: port 1 is that of listen.verify (x.yaml:1) as well: give it another`},
		{"the reserved one", `listen: {admin: "localhost:8082"}`, `x.yaml:1: listen.admin: port 8082 is that of listen.metrics (default) as well: give it another`},
		{"Envoy's address", `listen: {extauthz: "9000"}`, `x.yaml:1: listen.extauthz: "9000" is no address: HOST:PORT is wanted, as in :8080, 127.0.0.1:8080 or [::1]:8080`},
		{"Envoy's is taken", `listen: {extauthz: ":8080"}`, `x.yaml:1: listen.extauthz: port 8080 is that of listen.verify (default) as well: give it another`},
		{"Envoy's is that of the metrics", `listen: {extauthz: "127.0.0.1:8082"}`, `x.yaml:1: listen.extauthz: port 8082 is that of listen.metrics (default) as well: give it another`},
		{"Redis's time", `redis: {timeout: 0}`, `x.yaml:1: redis.timeout: 0 is no length of time: a number and its unit are wanted, as in 50ms, 30s, 10m, 12h, 7d or 1h30m`},
		{"limits", `limits: {fail: maybe}`, `x.yaml:1: limits.fail: "maybe" is none of open, closed, local`},
		{"no realm", `verify: {realm: ""}`, `x.yaml:1: verify.realm: the text is empty: write it, or leave the setting out for its default`},
		{"no header", `identity: {headers: {key_id: ""}}`, `x.yaml:1: identity.headers.key_id: the text is empty: write it, or leave the setting out for its default`},
		{"none and others", `verify: {trusted_proxies: [none, loopback]}`, `x.yaml:1: verify.trusted_proxies: none stands alone: others are listed beside it`},
		{"far from all", "x: {}", `x.yaml:1: x: unknown setting: known are listen, store, redis, cache, credentials, verify, identity, users, policies, limits, metrics, usage, overrides, log, and sections api_key_NAME`},
		{"a name that several tables have", "users: {url: x}", `x.yaml:1: users.url: unknown setting: users has inactive`},
		{"far from all in a table", "users: {x: 1}", `x.yaml:1: users.x: unknown setting: users has inactive`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := loadText(t, "x.yaml", c.text)
			wantFaults(t, err, c.want)
		})
	}
}

// What might be a key in the wrong place is not repeated.
func TestFaultsHideWhatMayBeAKey(t *testing.T) {
	const key = "ak_0123456789abcdefghijklmnopqrstuvwxyz"
	for _, text := range []string{
		"log: {level: " + key + "}", "cache: {ttl: " + key + "}", "cache: {max_entries: " + key + "}", "store: {migrate: " + key + "}",
		"store: " + key, "listen: {verify: " + key + "}", "listen: {verify: ':" + key + "'}", "credentials: {prefix: " + key + "}",
		"verify: {trusted_proxies: " + key + "}", key + ": x", "log: {" + key + ": x}", "credentials: {pepper_file: " + key + "}",
		"policies: {p: {preflight: " + key + "}}", "policies: {p: {" + key + ": 1}}", "policies: {p: " + key + "}",
	} {
		_, err := loadText(t, "x.yaml", text)
		if err == nil || strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", text, err)
		}
	}
	_, err := Load(Source{Environ: environ("AUTHD_KEY=" + key)})
	wantFaults(t, err, "AUTHD_KEY: no setting has this name; all names are in docs/configuration.md")
}

// A file that was taken for a configuration by mistake does not flood a terminal.
func TestFaultsAreBounded(t *testing.T) {
	var text strings.Builder
	for i := range 5000 {
		text.WriteString("x" + strconv.Itoa(i) + ": 1\n")
	}
	_, err := loadText(t, "x.yaml", text.String())
	if lines := strings.Split(err.Error(), "\n"); len(lines) != maxFaults+1 || lines[maxFaults] != "and 4900 more" {
		t.Errorf("%d lines, the last is %q", len(lines), lines[len(lines)-1])
	}
	_, err = loadText(t, "x.yaml", "policies: {p: {groups: ["+strings.Repeat("x", 10_000)+"]}}")
	if len(err.Error()) > maxText+100 {
		t.Errorf("%d bytes", len(err.Error()))
	}
}

// What only others can find wrong is told with the place of the setting.
func TestFaultOfOthers(t *testing.T) {
	place(t, map[string]string{"x.yaml": "\nstore:\n  url: sqlite:x\n"})
	l, err := Load(Source{Files: []string{"x.yaml"}, Environ: environ("AUTHD_VERIFY_PROXY=caddy"), Flags: flags(t, "--listen-metrics", ":1")})
	if err != nil {
		t.Fatal(err)
	}
	for setting, want := range map[string]string{
		"store.url":           "x.yaml:3: store.url: it is gone: file does not exist\nx.yaml:3: store.url: second line",
		"verify.proxy":        "AUTHD_VERIFY_PROXY: it is gone: file does not exist\nAUTHD_VERIFY_PROXY: second line",
		"listen.metrics":      "--listen-metrics: it is gone: file does not exist\n--listen-metrics: second line",
		"credentials.sources": "credentials.sources (default): it is gone: file does not exist\ncredentials.sources (default): second line",
	} {
		cause := errors.Join(&fs.PathError{Op: "it is", Path: "gone", Err: fs.ErrNotExist}, errors.New("second line"))
		got := l.Fault(setting, cause)
		wantFaults(t, got, want)
		if !errors.Is(got, fs.ErrNotExist) {
			t.Errorf("%s: the cause is lost", setting)
		}
		if l.Fault(setting, nil) != nil {
			t.Errorf("%s: a fault of nothing", setting)
		}
	}
}
