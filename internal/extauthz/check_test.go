package extauthz

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"github.com/prometheus/client_golang/prometheus"

	"authd/internal/auth"
)

func (f *fixture) want(name string, r request, reason auth.Reason, status int) outcome {
	f.t.Helper()
	out := f.send(r)
	if got := f.logged()["reason"]; out.status != status || got != reason.String() {
		f.t.Errorf("%s: answered %d for %v, want %d for %s", name, out.status, got, status, reason)
	}
	return out
}

func TestTheIdentityReplacesWhatTheClientSent(t *testing.T) {
	f := start(t, nil)
	own := []string{"X-Auth-User: root", "X-Auth-User: root", "X-Auth-Key: root", "X-Auth-Key-Id: root", "X-Auth-Groups: root", "X-Auth-Scopes: root"}
	full := f.keys.add("Zoë, 100%", nil)
	bare := f.keys.add("Bare", func(r *auth.Record) { r.Groups, r.Scopes = nil, nil })
	for _, c := range []struct {
		name string
		r    request
		want map[string]string
	}{
		{"all of it", get("/", append(own, "API-KEY: "+full)...), map[string]string{
			"x-auth-user": "partner@example.com", "x-auth-key": "Zo%C3%AB%2C%20100%25", "x-auth-key-id": "0190-zoe_100", "x-auth-groups": "partner,gold", "x-auth-scopes": "shop:read shop:write"}},
		{"no groups and scopes", get("/", append(own, "API-KEY: "+bare)...), map[string]string{
			"x-auth-user": "partner@example.com", "x-auth-key": "Bare", "x-auth-key-id": "0190-bare"}},
		{"nobody", get("/", own...).under("open"), map[string]string{}},
	} {
		out := f.send(c.r)
		for name, lines := range out.upstream {
			if want, ok := c.want[name]; strings.HasPrefix(name, "x-auth-") && (!ok || len(lines) != 1 || lines[0] != want) {
				t.Errorf("%s: the upstream is sent %s: %q, want %q", c.name, name, lines, want)
			}
		}
		for name := range c.want {
			if len(out.upstream[name]) == 0 {
				t.Errorf("%s: the upstream is not sent %s", c.name, name)
			}
		}
		if !out.allowed || len(out.upstream["api-key"]) > 0 || len(out.upstream["user-agent"]) != 1 {
			t.Errorf("%s: %+v", c.name, out)
		}
	}
}

func TestOtherNamesOfTheIdentity(t *testing.T) {
	f := start(t, func(o *Options) { o.Headers[auth.IdentityUser] = "remote_user" })
	key := f.keys.add("Partner sync", nil)
	out := f.want("renamed", get("/", "API-KEY: "+key, "Remote_User: root", "X-Auth-User: kept"), auth.Allowed, 200)
	if got := out.upstream["remote_user"]; len(got) != 1 || got[0] != "partner@example.com" || len(out.upstream["x-auth-user"]) != 1 {
		t.Errorf("the upstream is sent %v", out.upstream)
	}
	f.want("its alias", get("/", "API-KEY: "+key, "Remote-User: root"), auth.AliasedHeader, 403)
}

// The upstream never sees what was the key, and keeps what was its own.
func TestTheCredentialIsTakenOff(t *testing.T) {
	f := start(t, func(o *Options) {
		o.Sources = mustSources(t, "header:API-KEY", "header:X-API-Key", "bearer", "basic", "query:key", "cookie:session")
	})
	k := f.keys.add("Partner sync", nil)
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("u:"+k))
	for _, c := range []struct {
		name    string
		r       request
		left    map[string]string // of headers
		removed []string
	}{
		{"a header", get("/", "API-KEY: "+k, "Authorization: Bearer ey.ey", "Cookie: a=b"), map[string]string{"authorization": "Bearer ey.ey", "cookie": "a=b"}, nil},
		{"two headers", get("/", "API-KEY: "+k, "X-API-Key: "+k), nil, nil},
		{"bearer", get("/", "Authorization: Bearer "+k), nil, nil},
		{"basic", get("/", "Authorization: "+basic), nil, nil},
		{"an Authorization of the upstream", get("/?key="+k, "Authorization: Digest x"), map[string]string{"authorization": "Digest x"}, []string{"key"}},
		{"a parameter", get("/?a=b&key=" + k + "&c"), nil, []string{"key"}},
		{"a parameter in disguise", get("/?%6bey=" + k), nil, []string{"%6bey"}},
		{"another parameter beside a header", get("/?keys=b", "API-KEY: "+k), nil, nil},
		{"a parameter beside a header", get("/?key=b", "API-KEY: "+k), nil, []string{"key"}},
		{"the only cookie", get("/", "Cookie: session="+k), nil, nil},
		{"a cookie of several", get("/", "Cookie: a=b; session="+k+"; c"), map[string]string{"cookie": "a=b; c"}, nil},
		{"a cookie beside a header", get("/", "API-KEY: "+k, "Cookie: session=x; a=b"), map[string]string{"cookie": "a=b"}, nil},
	} {
		out := f.want(c.name, c.r, auth.Allowed, 200)
		for _, name := range []string{"api-key", "x-api-key", "authorization", "cookie"} {
			if got := strings.Join(out.upstream[name], ","); got != c.left[name] {
				t.Errorf("%s: the upstream is sent %s: %q, want %q", c.name, name, got, c.left[name])
			}
		}
		if !slices.Equal(out.removed, c.removed) {
			t.Errorf("%s: the parameters %q are removed, want %q", c.name, out.removed, c.removed)
		}
	}
}

func TestClientAddressBehindProxies(t *testing.T) {
	f := start(t, nil)
	key := f.keys.add("Office", func(r *auth.Record) {
		r.Restrictions.CIDRs = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")}
	})
	for _, c := range []struct {
		from, forwarded string
		status          int
	}{
		{"192.0.2.7", "", 200},
		{"2001:db8::7", "", 200},
		{"::ffff:192.0.2.7", "", 200},
		{"198.51.100.1", "", 403},
		{"198.51.100.1", "192.0.2.7", 403}, // the client's own word
		{"10.0.0.1", "192.0.2.7", 200},     // a trusted proxy's word
		{"10.0.0.1", "192.0.2.7, 198.51.100.1", 403},
		{"10.0.0.1", "198.51.100.1, 192.0.2.7, 10.0.0.2", 200},
		{"10.0.0.1", "junk", 403},
		{"10.0.0.1", "", 403},
		{"", "192.0.2.7", 403}, // a pipe, or nothing: nobody knows
		{"@internal", "192.0.2.7", 403},
	} {
		r := get("/", "API-KEY: "+key)
		if r.client = c.from; c.forwarded != "" {
			r.headers = append(r.headers, "X-Forwarded-For: "+c.forwarded)
		}
		for _, e := range []envoy{{}, {raw: true}} {
			if out := f.sendBy(e, r); out.status != c.status || c.status == 403 && f.logged()["reason"] != auth.ForbiddenNetwork.String() {
				t.Errorf("from %q, forwarded for %q: answered %d for %v, want %d", c.from, c.forwarded, out.status, f.logged()["reason"], c.status)
			}
		}
	}
}

// Whoever else reaches the listener is believed nothing but a credential.
func TestAnUntrustedPeer(t *testing.T) {
	f := start(t, func(o *Options) { o.Trusted = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	plain := f.keys.add("Plain", nil)
	bound := f.keys.add("Bound", func(r *auth.Record) { r.Restrictions.Paths = []string{"/api/"} })
	f.want("a key", get("/api/", "API-KEY: "+plain), auth.Allowed, 200)
	f.want("a bound key", get("/api/", "API-KEY: "+bound), auth.Unvouched, 403)
	if got := f.logged(); got["peer"] != "127.0.0.1" || got["hint"] != "the peer is not in verify.trusted_proxies" || got["path"] != nil {
		t.Errorf("the line is %v", got)
	}
	f.want("a rule", get("/public/").under("ruled"), auth.MissingCredential, 401)
}

func TestPolicies(t *testing.T) {
	f := start(t, nil)
	key := f.keys.add("Partner sync", nil)
	with := "API-KEY: " + key
	f.want("the default by name", get("/", with).under("default"), auth.Allowed, 200)
	f.want("one that is met", get("/", with).under("shop"), auth.Allowed, 200)
	f.want("open", get("/").under("open"), auth.AllowedAnonymous, 200)
	for _, name := range []string{"nope", "Open", "open ", "../open", strings.Repeat("x", 5000), "unknown"} {
		f.want(name, get("/?policy=open", with, "X-Policy: open").under(name), auth.UnknownPolicy, 403)
	}
	f.want("a name that can't be a label", get("/", with).under("a\n\"b"), auth.UnknownPolicy, 403)
	if got := f.logged(); got["level"] != "ERROR" || got["policy"] != "unknown" || !strings.Contains(got["hint"].(string), "see policies") {
		t.Errorf("the line is %v", got)
	}
	// An empty name is one that was written, and is not there.
	r := envoy{}.ask(get("/", with))
	r.Attributes.ContextExtensions = map[string]string{"policy": ""}
	resp, err := f.client.Check(t.Context(), r)
	if out := (envoy{}).obey(t, get("/"), resp, err); out.allowed {
		t.Error("an empty policy has passed")
	}
}

// What Envoy does not say is not guessed.
func TestHalfOfARequest(t *testing.T) {
	f := start(t, nil)
	plain := f.keys.add("Plain", nil)
	bound := f.keys.add("Bound", func(r *auth.Record) { r.Restrictions.Methods = []string{"GET"} })
	for name, edit := range map[string]func(*authv3.CheckRequest){
		"no method":  func(r *authv3.CheckRequest) { r.Attributes.Request.Http.Method = "" },
		"no host":    func(r *authv3.CheckRequest) { r.Attributes.Request.Http.Host = "" },
		"no path":    func(r *authv3.CheckRequest) { r.Attributes.Request.Http.Path = "" },
		"no slash":   func(r *authv3.CheckRequest) { r.Attributes.Request.Http.Path = "*" },
		"a newline":  func(r *authv3.CheckRequest) { r.Attributes.Request.Http.Path = "/\n" },
		"a big name": func(r *authv3.CheckRequest) { r.Attributes.Request.Http.Host = strings.Repeat("x.", 3000) },
	} {
		for key, want := range map[string]bool{plain: true, bound: false} {
			r := get("/", "API-KEY: "+key)
			req := envoy{}.ask(r)
			edit(req)
			resp, err := f.client.Check(t.Context(), req)
			if out := (envoy{}).obey(t, r, resp, err); out.allowed != want {
				t.Errorf("%s: allowed is %v, want %v, for %v", name, out.allowed, want, f.logged())
			}
		}
	}
	for name, req := range map[string]*authv3.CheckRequest{
		"nothing":        {},
		"no attributes":  {Attributes: &authv3.AttributeContext{}},
		"no request":     {Attributes: &authv3.AttributeContext{Request: &authv3.AttributeContext_Request{}}},
		"no header":      {Attributes: &authv3.AttributeContext{Request: &authv3.AttributeContext_Request{Http: &authv3.AttributeContext_HttpRequest{Method: "GET"}}}},
		"a source alone": {Attributes: &authv3.AttributeContext{Source: &authv3.AttributeContext_Peer{}}},
	} {
		resp, err := f.client.Check(t.Context(), req)
		if out := (envoy{}).obey(t, get("/"), resp, err); out.status != http.StatusUnauthorized {
			t.Errorf("%s: answered %d", name, out.status)
		}
	}
}

func TestAnOutageIsADenial(t *testing.T) {
	f := start(t, nil)
	key := f.keys.add("Partner sync", nil)
	f.keys.set(func(m *memory) { m.err = errors.New("disk full") })
	out := f.want("an outage", get("/", "API-KEY: "+key), auth.Unavailable, 503)
	if got := f.logged(); got["level"] != "ERROR" || got["err"] != "disk full" || strings.Contains(out.body, "disk") || strings.Join(out.header["retry-after"], ",") != "1" {
		t.Errorf("the line is %v, the answer %+v", got, out)
	}
	f.keys.set(func(m *memory) { m.err = auth.ErrLeaseLost })
	f.want("a lost lease", get("/", "API-KEY: "+key), auth.LeaseLost, 503)
}

func TestAPanicIsADenial(t *testing.T) {
	f := start(t, nil)
	key := f.keys.add("Partner sync", nil)
	for _, p := range []any{"the key is " + key, errors.New(key)} {
		f.keys.set(func(m *memory) { m.panics = p })
		out := f.send(get("/", "API-KEY: "+key))
		got := f.logged()
		if out.status != 503 || got["msg"] != "a request panicked: please report this" || !strings.Contains(out.body, got["request_id"].(string)) || strings.Contains(f.log.String(), key) {
			t.Errorf("answered %d %s, the log is %v", out.status, out.body, got)
		}
	}
	f.keys.set(func(m *memory) { m.panics = nil })
	f.want("afterwards", get("/", "API-KEY: "+key), auth.Allowed, 200)
	if n := counted(t, f.reg, "default", auth.Undecided); n != 2 {
		t.Errorf("%v panics are counted", n)
	}
}

// counted is authd_verify_total of this transport.
func counted(t *testing.T, reg *prometheus.Registry, policy string, r auth.Reason) (n float64) {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if family.GetName() == "authd_verify_total" && labels["proxy"] == "envoy-grpc" && labels["policy"] == policy && labels["reason"] == r.String() {
				n += m.GetCounter().GetValue()
			}
		}
	}
	return n
}

func TestRequestsAreCounted(t *testing.T) {
	f := start(t, nil)
	key := f.keys.add("Partner sync", nil)
	for range 3 {
		f.send(get("/", "API-KEY: "+key).under("shop"))
	}
	f.send(get("/").under("shop"))
	f.send(get("/").under("made up"))
	for _, c := range []struct {
		policy string
		reason auth.Reason
		want   float64
	}{{"shop", auth.Allowed, 3}, {"shop", auth.MissingCredential, 1}, {"unknown", auth.UnknownPolicy, 1}, {"default", auth.Allowed, 0}} {
		if got := counted(t, f.reg, c.policy, c.reason); got != c.want {
			t.Errorf("%s under %s is counted %v times, want %v", c.reason, c.policy, got, c.want)
		}
	}
}

func TestTheLogTellsOfARequest(t *testing.T) {
	f := start(t, nil)
	key := f.keys.add("Partner sync", nil)
	f.want("a denial", get("/a?token=secret", "API-KEY: "+key, "X-Request-Id: r-1").under("ruled"), auth.ForbiddenScope, 403)
	got := f.logged()
	for name, want := range map[string]any{
		"level": "INFO", "msg": "denied", "proxy": "envoy-grpc", "policy": "ruled", "request_id": "r-1", "key": "Partner sync",
		"client": "192.0.2.7", "method": "GET", "host": "shop.example.com", "path": "/a", "status": 403.0,
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	if strings.Contains(f.log.String(), "token") {
		t.Error("the log tells of a query")
	}
}
