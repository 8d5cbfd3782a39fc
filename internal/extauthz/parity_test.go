package extauthz

import (
	"encoding/json"
	"strings"
	"testing"

	"authd/internal/inbound"
	"authd/internal/paritytest"
)

// One decision, many voices: by gRPC, the same request comes to the same as over HTTP.
func TestGRPCJudgesAlike(t *testing.T) {
	for name, e := range map[string]envoy{
		"as by default":            {},
		"with use_remote_address":  {appended: true},
		"with encode_raw_headers":  {raw: true},
		"with both of these above": {raw: true, appended: true},
	} {
		t.Run(name, func(t *testing.T) {
			paritytest.Run(t, false, func(t *testing.T, w *paritytest.World) paritytest.Ask {
				f := start(t, func(o *Options) {
					o.Checker, o.Policies, o.Sources = w.Checker, w.Policies, mustSources(t, w.Sources...)
				})
				return func(t *testing.T, c paritytest.Case) paritytest.Answer { return f.tell(t, e, c) }
			})
		})
	}
}

func (f *fixture) tell(t *testing.T, e envoy, c paritytest.Case) paritytest.Answer {
	r := request{c.Method, c.Host, c.URI(), c.Headers, c.Client, c.Policy}
	out := f.sendBy(e, r)
	reason, _ := f.logged()["reason"].(string)
	got := paritytest.Answer{
		Reason: reason, Status: out.status,
		Challenge:  len(out.header["www-authenticate"]) == 1,
		RetryAfter: strings.Join(out.header["retry-after"], ","),
		Limit:      strings.Join(out.header["ratelimit"], ","),
	}
	for i, name := range inbound.DefaultHeaders {
		got.Identity[i] = paritytest.Untold
		if out.allowed {
			got.Identity[i] = strings.Join(out.upstream[strings.ToLower(name)], ",")
		}
	}
	if !out.allowed {
		var p struct{ Code string }
		if err := json.Unmarshal([]byte(out.body), &p); err != nil {
			t.Errorf("the body of a denial is %q: %v", out.body, err)
		}
		got.Code = p.Code
	}
	for _, place := range []string{"api-key", "x-api-key"} {
		if len(out.upstream[place]) > 0 {
			t.Errorf("the upstream is sent %s", place)
		}
	}
	return got
}
