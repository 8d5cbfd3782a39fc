package api

import (
	"encoding/json"
	"strings"
	"testing"

	"authd/internal/auth"
	"authd/internal/inbound"
	"authd/internal/paritytest"
)

var aliasNames = paritytest.Aliases

// One decision, many voices: whichever proxy asks, the same request comes to the same.
func TestEveryDialectJudgesAlike(t *testing.T) {
	for _, a := range askers {
		t.Run(a.name, func(t *testing.T) {
			mute := dialects[a.dialect].mute || a.method == "HEAD"
			paritytest.Run(t, mute, func(t *testing.T, w *paritytest.World) paritytest.Ask {
				f := start(t, func(o *Options) {
					o.Checker, o.Policies, o.Sources = w.Checker, w.Policies, mustSources(t, w.Sources...)
				})
				return func(t *testing.T, c paritytest.Case) paritytest.Answer { return f.tell(t, a, c) }
			})
		})
	}
}

func (f *fixture) tell(t *testing.T, a asker, c paritytest.Case) paritytest.Answer {
	r := clientRequest{c.Method, c.Host, c.URI(), c.Headers, c.Client}
	w := f.send(a.wire(c.Policy, r))
	reason, _ := f.logged()["reason"].(string)
	got := paritytest.Answer{
		Reason: reason, Status: w.status, Code: code(t, w, dialects[a.dialect].mute),
		Challenge: len(w.values("WWW-Authenticate")) == 1, RetryAfter: strings.Join(w.values("Retry-After"), ","),
		Limit: strings.Join(w.values("RateLimit"), ","),
	}
	for i, name := range inbound.DefaultHeaders {
		got.Identity[i] = paritytest.Untold
		if v := w.values(name); len(v) == 1 {
			got.Identity[i] = v[0]
		}
	}
	if v := w.values("X-Auth-Status"); w.status == 403 && len(v) == 1 && v[0] == "429" && dialects[a.dialect].mute {
		got.Status = 429 // the configuration of nginx makes it that again
	}
	return got
}

// code is that of the problem. A denial without a body has none to tell.
func code(t *testing.T, w wire, mute bool) string {
	t.Helper()
	if w.status == 200 {
		return ""
	}
	if w.body == "" {
		if n := w.values("Content-Length"); mute && (len(n) != 1 || n[0] != "0") {
			t.Errorf("an empty denial has the length %q", n)
		}
		return paritytest.Untold
	}
	var p struct{ Code string }
	if err := json.Unmarshal([]byte(w.body), &p); err != nil || mute {
		t.Errorf("the body of a denial is %q (%v)", w.body, err)
	}
	return p.Code
}

// The table is worth what it covers: every reason that a dialect can bring about.
func TestTheTableHasEveryReason(t *testing.T) {
	reached := map[auth.Reason]bool{}
	names := map[string]bool{}
	for _, c := range paritytest.Cases() {
		reached[c.Reason] = true
		if names[c.Name] {
			t.Errorf("two cases are called %q", c.Name)
		}
		names[c.Name] = true
	}
	elsewhere := map[auth.Reason]bool{
		auth.Undecided:     true, // a bug
		auth.UnknownProxy:  true, // HTTP only
		auth.SecretExpired: true, // of a secret, and all the same to a transport
	}
	for r := range auth.Reasons {
		if !reached[r] && !elsewhere[r] {
			t.Errorf("no case has the reason %s", r)
		}
	}
}
