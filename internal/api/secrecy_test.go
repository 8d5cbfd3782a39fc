package api

import (
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"authd/internal/auth"
)

// ledger gathers everything that the process writes.
type ledger struct {
	t         *testing.T
	keys      *memory
	log       logBuffer
	metrics   strings.Builder
	responses strings.Builder
}

// while starts a server, each time anew: no line of its log is rationed then.
func (l *ledger) while(ask func(f *fixture)) {
	f := start(l.t, func(o *Options) {
		o.Checker = auth.NewChecker(testDigester, l.keys, nil, auth.Options{})
		o.Sources = mustSources(l.t, "header:API-KEY", "header:X-API-Key", "bearer", "basic", "query:api_key", "cookie:key")
		o.Log = slog.New(slog.NewTextHandler(&l.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		o.Policies = testPolicies(l.t)
	})
	ask(f)
	page := httptest.NewRecorder()
	NewMetrics(f.reg).ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	l.metrics.WriteString(page.Body.String())
}

func (l *ledger) note(w wire) {
	l.responses.WriteString(strings.Join(w.lines, "\n") + "\n" + w.body + "\n")
}

// Keys come in by every way, good and bad, and what was written is searched for them.
func TestNoKeyIsEverWritten(t *testing.T) {
	l := &ledger{t: t, keys: &memory{keys: map[auth.Digest]*auth.Key{}}}
	good := l.keys.add("Partner sync", nil)
	secrets := []string{
		good,
		l.keys.restrict("Bound", auth.Restrictions{Paths: []string{"/api/"}}),
		l.keys.addSecret(auth.RawSecret("correct-horse-battery-staple"), "Foreign", nil),
		l.keys.add("Gone", func(r *auth.Record) { r.Active = false }),
		mistyped(good), auth.NewSecret("ak").Reveal(), "short-secret-", "with a blank in it, and a comma", strings.Repeat("endless", 100),
	}
	for _, k := range secrets {
		basic := base64.StdEncoding.EncodeToString([]byte("user:" + k))
		for _, h := range [][]string{
			{"API-KEY: " + k}, {"X-API-Key: " + k}, {"API-KEY: " + k, "API-KEY: " + k}, {"API-KEY: " + k, "X-API-Key: x" + k}, {"API-KEY: " + k + "\x00"},
			{"Authorization: Bearer " + k}, {"Authorization: Basic " + basic}, {"Authorization: " + k}, {"Cookie: key=" + k}, {"X_Auth_User: " + k},
			{"API-KEY: é" + k}, {"X-Request-Id: " + k + "!"}, {"User-Agent: " + k, "Referer: https://a.test/?api_key=" + k},
		} {
			l.while(func(f *fixture) {
				for _, uri := range []string{"/", "/api/../x", "/api/?api_key=" + url.QueryEscape(k)} {
					for _, path := range []string{"/verify", "/verify/traefik", "/verify/traefik/shop", "/verify/traefik/ruled", "/verify/traefik/nope", "/x", "/verify?api_key=" + url.QueryEscape(k)} {
						l.note(f.send(head("GET "+path+" HTTP/1.1", append(traefik("GET", "a.test", uri, "192.0.2.7"), h...)...)))
					}
				}
			})
		}
	}
	for _, c := range []struct {
		err    error
		panics any
	}{{errors.New("disk full"), nil}, {auth.ErrLeaseLost, nil}, {nil, "the key is " + good}, {nil, errors.New(good)}} {
		l.keys.fail(c.err, c.panics)
		l.while(func(f *fixture) { l.note(f.send(head("GET /verify HTTP/1.1", "API-KEY: "+good))) })
	}
	if strings.Contains(l.log.String(), "suppressed") {
		t.Error("some lines of the log are missing: what they would have held is not known")
	}
	for where, written := range map[string]string{"the log": l.log.String(), "the metrics": l.metrics.String(), "the responses": l.responses.String()} {
		if !strings.Contains(written, "Partner") { // the key's name, which is no secret
			t.Errorf("%s: what was gathered can't be all", where)
		}
		for _, k := range secrets {
			// A piece from the middle stands for every way to write a part of it.
			for _, piece := range []string{k, k[len(k)/3 : len(k)/3+9], url.QueryEscape(k), base64.StdEncoding.EncodeToString([]byte("user:" + k))[8:]} {
				if strings.Contains(written, piece) {
					t.Errorf("%s: a key, or a piece of it, was written: %q", where, piece)
				}
			}
		}
	}
}
