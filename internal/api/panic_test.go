package api

import (
	"fmt"
	"strings"
	"testing"

	"authd/internal/auth"
)

// A bug is an outage of one request, and its text may hold anything: even the key.
func TestAPanicIsADenialAndTellsNothing(t *testing.T) {
	f := start(t, nil)
	key := f.keys.add("Partner sync", nil)
	var nobody *auth.Key
	for name, p := range map[string]any{
		"a text":        "the key is " + key,
		"an error":      fmt.Errorf("key %s", key),
		"a formatter":   struct{ Key string }{key},
		"the runtime's": runtimeError(func() { _ = nobody.Name }),
		"out of range":  runtimeError(func() { _ = []byte(key)[len(key)+len(f.addr):] }),
		"a secret":      auth.RawSecret(key),
	} {
		f.keys.fail(nil, p)
		w := f.send(head("GET /verify HTTP/1.1", "API-KEY: "+key))
		checkProblem(t, name, w, 503, "unavailable")
		if w.status != 503 || len(w.values("Retry-After")) != 1 || len(w.values("X-Auth-User")) != 0 {
			t.Errorf("%s: answered %d %q", name, w.status, w.lines)
		}
		f.keys.fail(nil, nil)
		if w := f.send(head("GET /verify HTTP/1.1", "API-KEY: "+key)); w.status != 200 {
			t.Errorf("%s: the next request is answered %d", name, w.status)
		}
	}
	lines := f.log.lines(`"level":"ERROR"`, "a request panicked", "double_test.go", `"request_id":"`)
	if len(lines) != 6 {
		t.Errorf("6 panics have left %d lines that say where", len(lines))
	}
	if len(f.log.lines("invalid memory address")) != 1 || len(f.log.lines("out of range")) != 1 {
		t.Error("the log does not tell what the runtime said")
	}
	if strings.Contains(f.log.String(), key) || strings.Contains(f.log.String(), key[3:20]) {
		t.Error("the log holds the key")
	}
	if n := series(t, f.reg, "authd_verify_total")[verifyLabels("none", "default", auth.Undecided)]; n != 6 {
		t.Errorf("6 panics are counted %v times", n)
	}
}

// runtimeError is what the runtime panics with.
func runtimeError(f func()) (p any) {
	defer func() { p = recover() }()
	f()
	return nil
}

func TestAPanicOfReadinessIsNotReady(t *testing.T) {
	f := start(t, func(o *Options) { o.Ready = func() []Check { panic("a bug") } })
	if a := f.ask("GET", "/readyz"); a.status != 503 {
		t.Errorf("answered %d", a.status)
	}
	if a := f.ask("GET", "/healthz"); a.status != 200 {
		t.Errorf("/healthz is answered %d", a.status)
	}
}
