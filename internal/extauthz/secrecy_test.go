package extauthz

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"

	"authd/internal/auth"
)

// Keys come in by every way, good and bad, and what was written is searched for them.
func TestNoKeyIsEverWritten(t *testing.T) {
	keys := &memory{keys: map[auth.Digest]*auth.Key{}}
	good := keys.add("Partner sync", nil)
	bound := keys.add("Bound", func(r *auth.Record) { r.Restrictions.Paths = []string{"/api/"} })
	written := map[string]*strings.Builder{"the log": {}, "the metrics": {}, "the answers": {}}
	while := func(ask func(f *fixture)) {
		f := start(t, func(o *Options) {
			o.Checker = auth.NewChecker(digester, keys, nil, auth.Options{})
			o.Sources = mustSources(t, "header:API-KEY", "header:X-API-Key", "bearer", "basic", "query:api_key", "cookie:key")
		})
		ask(f)
		written["the log"].WriteString(f.log.String())
		families, err := f.reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, family := range families {
			if _, err := expfmt.MetricFamilyToText(written["the metrics"], family); err != nil {
				t.Fatal(err)
			}
		}
	}
	note := func(f *fixture, r request) {
		for _, e := range []envoy{{}, {raw: true}} {
			resp, err := f.client.Check(context.Background(), e.ask(r))
			fmt.Fprintln(written["the answers"], resp, err)
		}
	}
	secrets := []string{good, bound, auth.NewSecret("ak").Reveal(), good[:20] + "x" + good[21:], "short-secret-", strings.Repeat("endless", 100)}
	for _, k := range secrets {
		while(func(f *fixture) { note(f, get("/", "API-KEY: "+k).under("nope")) })
		basic := base64.StdEncoding.EncodeToString([]byte("user:" + k))
		for _, h := range [][]string{
			{"API-KEY: " + k}, {"X-API-Key: " + k}, {"API-KEY: " + k, "API-KEY: " + k}, {"API-KEY: " + k, "X-API-Key: x" + k},
			{"Authorization: Bearer " + k}, {"Authorization: Basic " + basic}, {"Cookie: key=" + k}, {"X_Auth_User: " + k}, {"X-Request-Id: " + k + "!"},
		} {
			while(func(f *fixture) {
				for _, target := range []string{"/", "/api/../x", "/api/?api_key=" + url.QueryEscape(k)} {
					note(f, get(target, h...))
				}
			})
		}
	}
	for _, edit := range []func(*memory){
		func(m *memory) { m.err = errors.New("disk full") },
		func(m *memory) { m.panics = "the key is " + good },
		func(m *memory) { m.panics = errors.New(good) },
	} {
		keys.set(edit)
		while(func(f *fixture) { note(f, get("/", "API-KEY: "+good)) })
	}
	if strings.Contains(written["the log"].String(), "suppressed") {
		t.Error("some lines of the log are missing: what they would have held is not known")
	}
	for where, text := range written {
		if !strings.Contains(text.String(), "artner") { // the key's name, which is no secret
			t.Errorf("%s: what was gathered can't be all", where)
		}
		for _, k := range secrets {
			for _, piece := range []string{k, k[len(k)/3 : len(k)/3+9], base64.StdEncoding.EncodeToString([]byte("user:" + k))[8:]} {
				if strings.Contains(text.String(), piece) {
					t.Errorf("%s: a key, or a piece of it, was written: %q", where, piece)
				}
			}
		}
	}
}
