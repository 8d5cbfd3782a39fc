package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"authd/internal/answer"
	"authd/internal/auth"
)

// An outage is 503, whatever it calls itself. It is never 401, which would
// tell a client to throw its key away, and never an allow.
func TestAnOutageIs503(t *testing.T) {
	f := start(t, nil)
	key := f.keys.add("Partner sync", nil)
	for name, c := range map[string]struct {
		err  error
		want auth.Reason
	}{
		"unavailable":                  {auth.ErrUnavailable, auth.Unavailable},
		"unavailable, and why":         {fmt.Errorf("store: %w: connection refused", auth.ErrUnavailable), auth.Unavailable},
		"any error":                    {errors.New("disk I/O error"), auth.Unavailable},
		"a time-out":                   {context.DeadlineExceeded, auth.Unavailable},
		"a cancelled look-up":          {context.Canceled, auth.Unavailable},
		"no such key, in an outage":    {errors.Join(auth.ErrKeyNotFound, auth.ErrUnavailable), auth.Unavailable},
		"no such key, after a timeout": {errors.Join(auth.ErrKeyNotFound, context.DeadlineExceeded), auth.Unavailable},
		"the lease is lost":            {auth.ErrLeaseLost, auth.LeaseLost},
		"the lease is lost, and why":   {fmt.Errorf("cache: %w", auth.ErrLeaseLost), auth.LeaseLost},
		"no such key":                  {auth.ErrKeyNotFound, auth.UnknownKey},
		"no such key, and where":       {fmt.Errorf("store: %w", auth.ErrKeyNotFound), auth.UnknownKey},
	} {
		f.keys.fail(c.err, nil)
		for _, k := range []string{key, auth.NewSecret("ak").Reveal()} {
			w := f.send(head("GET /verify HTTP/1.1", "API-KEY: "+k))
			line := f.logged()
			if w.status != answer.Of(c.want).Status || line["reason"] != c.want.String() {
				t.Errorf("%s: %d for %v, want %s", name, w.status, line["reason"], c.want)
			}
			if c.want == auth.UnknownKey {
				continue
			}
			if line["level"] != "ERROR" || line["err"] != c.err.Error() {
				t.Errorf("%s: the log tells at %v %v", name, line["level"], line["err"])
			}
			if strings.Contains(w.body, c.err.Error()) {
				t.Errorf("%s: the client is told %s", name, w.body)
			}
		}
	}
	// What needs no look-up is still decided.
	f.keys.fail(auth.ErrUnavailable, nil)
	for request, want := range map[string]int{
		head("GET /verify HTTP/1.1"):                               401,
		head("GET /verify HTTP/1.1", "API-KEY: "+mistyped(key)):    401,
		head("GET /verify/traefik/nope HTTP/1.1", "API-KEY: "+key): 403,
		head("GET /healthz HTTP/1.1"):                              200,
	} {
		if w := f.send(request); w.status != want {
			t.Errorf("%q in an outage: answered %d, want %d", request, w.status, want)
		}
	}
	f.keys.fail(nil, nil)
	if w := f.send(head("GET /verify HTTP/1.1", "API-KEY: "+key)); w.status != 200 {
		t.Errorf("after the outage: answered %d", w.status)
	}
}

// Counters that are away can't say that a key is within its limits.
func TestLimitsThatCannotBeCountedAre503(t *testing.T) {
	f, _ := everyReason(t)
	w := f.send(head("GET /verify HTTP/1.1", "API-KEY: "+limitedKey(f.keys, "Uncounted")))
	if line := f.logged(); w.status != 503 || line["reason"] != auth.Unavailable.String() || line["err"] != "the counters are away" || line["key"] != "Uncounted" {
		t.Errorf("answered %d, logged %v", w.status, line)
	}
}

// hanging is a Finder that answers only when its request is given up.
type hanging struct{ began chan struct{} }

func (h hanging) ByDigest(ctx context.Context, _ auth.Digest) (*auth.Key, error) {
	close(h.began)
	<-ctx.Done()
	return nil, ctx.Err()
}

func (h hanging) ByName(context.Context, string) (*auth.Key, error) {
	return nil, auth.ErrUnavailable
}

// A client that leaves takes its look-up with it. That is no error of ours,
// and no word on the key either.
func TestAClientThatLeaves(t *testing.T) {
	slow := hanging{make(chan struct{})}
	f := start(t, func(o *Options) { o.Checker = auth.NewChecker(testDigester, slow, nil, auth.Options{}) })
	c := dial(t, f.addr)
	c.write(head("GET /verify HTTP/1.1", "API-KEY: "+auth.NewSecret("ak").Reveal()))
	<-slow.began
	_ = c.c.Close()
	await(t, "a line of the denial", func() bool { return len(f.log.lines(`"msg":"denied"`)) > 0 })
	if line := f.logged(); line["level"] != "DEBUG" || line["reason"] != auth.Unavailable.String() || line["status"] != float64(http.StatusServiceUnavailable) {
		t.Errorf("the log tells %v", line)
	}
}

// await waits for what has to come.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s never comes", what)
		}
	}
}
