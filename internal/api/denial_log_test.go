package api

import (
	"encoding/json"
	"log/slog"
	"maps"
	"strings"
	"testing"

	"authd/internal/auth"
)

// atLevel makes the fixture log from a level on, as text or as JSON.
func atLevel(buf *logBuffer, level slog.Level, text bool) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	if text {
		return slog.New(slog.NewTextHandler(buf, o))
	}
	return slog.New(slog.NewJSONHandler(buf, o))
}

func TestALineForEachDenialAndForAllowsOnlyAtDebug(t *testing.T) {
	buf := &logBuffer{}
	f := start(t, func(o *Options) { o.Log = atLevel(buf, slog.LevelInfo, false) })
	key := f.keys.add("Partner sync", nil)
	for range 5 {
		f.send(head("GET /verify HTTP/1.1", "API-KEY: "+key))
	}
	if buf.String() != "" {
		t.Errorf("allows have left lines at info:\n%s", buf)
	}
	for range 5 {
		f.send(head("GET /verify HTTP/1.1", "API-KEY: "+mistyped(key)))
	}
	if got := buf.lines(`"level":"INFO"`, `"msg":"denied"`, `"reason":"bad_checksum"`); len(got) != 5 || strings.Count(buf.String(), "\n") != 5 {
		t.Errorf("5 denials have left:\n%s", buf)
	}
}

func TestWhatALineTells(t *testing.T) {
	f := start(t, func(o *Options) { o.Policies = testPolicies(t) })
	key := f.keys.add("Partner sync", nil)
	forwarded := traefik("PUT", "Shop.Example.com:443", "/api/%7Eme?token=secret", "203.0.113.9, 192.0.2.7")
	for _, c := range []struct {
		name, request string
		want          map[string]any
	}{
		{"an allow", head("GET /verify/traefik/shop HTTP/1.1", append(forwarded, "API-KEY: "+key, "X-Request-Id: r-1")...), map[string]any{
			"level": "DEBUG", "msg": "allowed", "reason": "ok", "status": 200.0, "proxy": "traefik", "policy": "shop", "request_id": "r-1",
			"key": "Partner sync", "key_id": "0190-partner_sync", "user": "partner@example.com",
			"client": "192.0.2.7", "method": "PUT", "host": "shop.example.com", "path": "/api/%7Eme",
		}},
		{"a denial of a good key", head("GET /verify/traefik/staff HTTP/1.1", append(forwarded, "API-KEY: "+key, "X-Request-Id: r-2")...), map[string]any{
			"level": "INFO", "msg": "denied", "reason": "forbidden_group", "status": 403.0, "proxy": "traefik", "policy": "staff", "request_id": "r-2",
			"key": "Partner sync", "key_id": "0190-partner_sync", "user": "partner@example.com",
			"client": "192.0.2.7", "method": "PUT", "host": "shop.example.com", "path": "/api/%7Eme",
			"hint": "authd explain --key-name 0190-partner_sync --proxy traefik --policy staff",
		}},
		{"a denial of nobody", head("GET /verify/traefik HTTP/1.1", "X-Request-Id: r-3"), map[string]any{
			"level": "INFO", "msg": "denied", "reason": "missing_credential", "status": 401.0, "proxy": "traefik", "policy": "default", "request_id": "r-3",
			"peer": "127.0.0.1",
		}},
		{"a policy that there is not", head("GET /verify/traefik/typo HTTP/1.1", "X-Request-Id: r-4"), map[string]any{
			"level": "ERROR", "msg": "denied", "reason": "unknown_policy", "status": 403.0, "proxy": "traefik", "policy": "unknown", "request_id": "r-4",
			"peer": "127.0.0.1", "hint": `there is no policy "typo" in the configuration: see policies`,
		}},
		{"a proxy that there is not", head("GET /verify/squid/typo HTTP/1.1"), map[string]any{
			"level": "ERROR", "msg": "denied", "reason": "unknown_proxy", "status": 403.0, "proxy": "unknown", "policy": "unknown", "request_id": "*",
			"peer": "127.0.0.1", "hint": `there is no proxy "squid" to ask as; known: apisix, caddy, envoy, haproxy, ingress-nginx, nginx, traefik`,
		}},
	} {
		f.send(c.request)
		got := f.logged()
		delete(got, "time")
		if c.want["request_id"] == "*" {
			c.want["request_id"] = got["request_id"]
		}
		if !maps.Equal(got, c.want) {
			t.Errorf("%s: the line tells\n%v\nwant\n%v", c.name, got, c.want)
		}
	}
}

// More requests of one reason than a burst grants: the others are told all the same.
func TestAFloodHidesNoOtherReason(t *testing.T) {
	f := start(t, nil)
	const burst = 50 // of lines of one reason
	c := dial(t, f.addr)
	for range burst * 4 {
		c.write(head("GET /verify HTTP/1.1"))
		c.answer("GET")
	}
	f.send(head("GET /verify HTTP/1.1", "API-KEY: "+auth.NewSecret("ak").Reveal()))
	if n := len(f.log.lines("missing_credential")); n < burst {
		t.Errorf("%d of the first %d denials are told", n, burst)
	}
	if len(f.log.lines("unknown_key")) != 1 {
		t.Error("a flood of one reason hides another")
	}
}

// What a client writes can't begin a line, end a field, or fill the disk.
func TestHostileContentStaysWithinItsField(t *testing.T) {
	for _, text := range []bool{false, true} {
		buf := &logBuffer{}
		f := start(t, func(o *Options) { o.Log = atLevel(buf, slog.LevelInfo, text) })
		for i, uri := range []string{
			`/"level":"ERROR","msg":"forged"`, `/x","msg":"forged`, "/\xff\xfe\xc0", "/é\u202e\u2028", `/msg=forged`, `/\nmsg=forged\`,
			"/" + strings.Repeat("é", 4000), "/" + strings.Repeat(`"`, 4000),
		} {
			f.send(head("GET /verify/traefik HTTP/1.1", traefik("GET", "a.test", uri, "192.0.2.7")...))
			checkLine(t, buf, text, i+1)
		}
		before := strings.Count(buf.String(), "\n")
		for i, segment := range []string{
			"%0a", "x%0d%0alevel=ERROR%20msg=forged", "%1b[31mred", "%00", "%22,%22msg%22:%22forged", "%ff%fe", "%e2%80%a8msg=forged", strings.Repeat("%22", 4000),
		} {
			f.send(head("GET /verify/traefik/" + segment + " HTTP/1.1"))
			checkLine(t, buf, text, before+i+1)
		}
	}
}

// checkLine holds the last line against what a reader of logs expects.
func checkLine(t *testing.T, buf *logBuffer, text bool, lines int) {
	t.Helper()
	all := strings.SplitAfter(buf.String(), "\n")
	if len(all) != lines+1 {
		t.Fatalf("%d requests have left %d lines:\n%s", lines, len(all)-1, buf)
	}
	line := all[lines-1]
	if len(line) > 3000 {
		t.Errorf("a line has %d bytes", len(line))
	}
	if strings.ContainsFunc(strings.TrimSuffix(line, "\n"), func(r rune) bool { return r < ' ' || r == 0x7f }) {
		t.Errorf("a control character is in the line %q", line)
	}
	if text {
		if n := strings.Count(line, "msg="); !strings.HasPrefix(line, "time=") || !strings.Contains(line, "msg=denied") || n > 1 && !strings.Contains(line, `"`) && !strings.Contains(line, "path=/msg=forged") {
			t.Errorf("the line is %s", line)
		}
		return
	}
	var m map[string]any
	if err := json.Unmarshal([]byte(line), &m); err != nil || m["msg"] != "denied" {
		t.Errorf("%v: the line is %s", err, line)
	}
}
