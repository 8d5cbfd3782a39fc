package extauthz

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"

	"authd/internal/auth"
	"authd/internal/inbound"
	"authd/internal/logtest"
	"authd/internal/observe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test awaits what should come at once: machines are busy.
const patience = 30 * time.Second

// memory is a Finder over a map. It fails, panics and waits as it is told to.
type memory struct {
	mu     sync.Mutex
	keys   map[auth.Digest]*auth.Key
	err    error
	panics any
	wait   func(context.Context)
}

func (m *memory) ByDigest(ctx context.Context, d auth.Digest) (*auth.Key, error) {
	m.mu.Lock()
	k, err, panics, wait := m.keys[d], m.err, m.panics, m.wait
	m.mu.Unlock()
	if wait != nil {
		wait(ctx)
	}
	switch {
	case panics != nil:
		panic(panics)
	case err != nil:
		return nil, err
	case k == nil:
		return nil, auth.ErrKeyNotFound
	}
	return k, nil
}

func (m *memory) ByName(context.Context, string) (*auth.Key, error) {
	return nil, auth.ErrKeyNotFound
}

func (m *memory) set(edit func(m *memory)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	edit(m)
}

var digester = auth.NewDigester("ak")

// add makes a key; edit may change its record.
func (m *memory) add(name string, edit func(*auth.Record)) string {
	r := &auth.Record{
		ID: "0190-" + auth.Slug(name), Name: name, Slug: auth.Slug(name),
		User: "partner@example.com", UserActive: true, Active: true,
		Groups: []string{"partner", "gold"}, Scopes: []string{"shop:read", "shop:write"},
	}
	if edit != nil {
		edit(r)
	}
	s := auth.NewSecret("ak")
	d := digester.Current().Digest(s)
	m.set(func(m *memory) { m.keys[d] = auth.NewKey(r, auth.SecretInfo{Digest: d}) })
	return s.Reveal()
}

// fixture is a real server on loopback over the real Checker, and a client.
type fixture struct {
	t      *testing.T
	keys   *memory
	log    *logtest.Log
	reg    *prometheus.Registry
	server *Server
	conn   *grpc.ClientConn
	client authv3.AuthorizationClient
}

func mustSources(t testing.TB, list ...string) []inbound.Source {
	t.Helper()
	s, err := inbound.ParseSources(list)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// options are those of a deployment whose Envoy is on loopback.
func options(t testing.TB, f auth.Finder, reg *prometheus.Registry) Options {
	t.Helper()
	m, err := observe.NewMetrics(reg, 100, "test")
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	policy := func(name string, base auth.Requirement, rules ...auth.Rule) *auth.Policy {
		p, err := auth.NewPolicy(name, base, rules)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	return Options{
		Checker: auth.NewChecker(digester, f, nil, auth.Options{}),
		Policies: map[string]*auth.Policy{
			"open":  policy("open", auth.Requirement{Anonymous: true}),
			"shop":  policy("shop", auth.Requirement{Scopes: []string{"shop:read"}}),
			"ruled": policy("ruled", auth.Requirement{Scopes: []string{"admin"}}, auth.Rule{Paths: []string{"/public/"}, Anonymous: &yes, Scopes: []string{}}),
		},
		Sources: mustSources(t, "header:API-KEY", "header:X-API-Key", "bearer"),
		Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")},
		Realm:   "authd",
		Metrics: m,
		Log:     slog.New(slog.DiscardHandler),
	}
}

func start(t *testing.T, edit func(*Options)) *fixture {
	t.Helper()
	f := &fixture{t: t, keys: &memory{keys: map[auth.Digest]*auth.Key{}}, log: &logtest.Log{}, reg: prometheus.NewRegistry()}
	o := options(t, f.keys, f.reg)
	o.Log = slog.New(slog.NewJSONHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if edit != nil {
		edit(&o)
	}
	var err error
	if f.server, err = NewServer(o); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- f.server.Serve(l) }()
	f.conn, err = grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	f.client = authv3.NewAuthorizationClient(f.conn)
	t.Cleanup(func() {
		_ = f.conn.Close()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := f.server.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return f
}

// logged is the last line of the log.
func (f *fixture) logged() map[string]any {
	f.t.Helper()
	lines := strings.Split(strings.TrimSpace(f.log.String()), "\n")
	var m map[string]any
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &m); err != nil {
		f.t.Fatalf("%v in the log %q", err, f.log)
	}
	return m
}

// request is what a client sends to Envoy.
type request struct {
	method, host, target string
	headers              []string // "Name: value", some of them repeated
	client               string   // the address that Envoy sees
	policy               string   // in context_extensions; empty: none is named
}

func get(target string, headers ...string) request {
	return request{method: "GET", host: "shop.example.com", target: target, headers: headers, client: "192.0.2.7"}
}

func (r request) under(policy string) request { r.policy = policy; return r }

// envoy is a way to configure Envoy.
type envoy struct {
	raw      bool // encode_raw_headers
	appended bool // use_remote_address: X-Forwarded-For gets the client's address
}

// headersOf are the request's header lines as Envoy holds them.
func (e envoy) headersOf(r request) (lines [][2]string) {
	forwarded := -1
	for _, h := range r.headers {
		name, value, _ := strings.Cut(h, ":")
		name = strings.ToLower(name)
		if name == "x-forwarded-for" {
			forwarded = len(lines)
		}
		lines = append(lines, [2]string{name, strings.Trim(value, " ")})
	}
	switch {
	case !e.appended:
	case forwarded >= 0:
		lines[forwarded][1] += "," + r.client
	default:
		lines = append(lines, [2]string{"x-forwarded-for", r.client})
	}
	return append(lines, [2]string{":path", r.target}, [2]string{":authority", r.host}, [2]string{"user-agent", "test"})
}

// ask makes of the request what Envoy would.
func (e envoy) ask(r request) *authv3.CheckRequest {
	http := &authv3.AttributeContext_HttpRequest{
		Id: "1234567890", Method: r.method, Host: r.host, Path: r.target, Scheme: "https", Protocol: "HTTP/1.1", Headers: map[string]string{},
	}
	for _, l := range e.headersOf(r) {
		switch before, again := http.Headers[l[0]]; {
		case e.raw:
			if http.HeaderMap == nil {
				http.HeaderMap = &corev3.HeaderMap{}
			}
			http.HeaderMap.Headers = append(http.HeaderMap.Headers, &corev3.HeaderValue{Key: l[0], RawValue: []byte(l[1])})
		case again:
			http.Headers[l[0]] = before + "," + l[1]
		default:
			http.Headers[l[0]] = l[1]
		}
	}
	a := &authv3.AttributeContext{
		Source: &authv3.AttributeContext_Peer{Address: &corev3.Address{Address: &corev3.Address_SocketAddress{
			SocketAddress: &corev3.SocketAddress{Address: r.client, PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: 40000}},
		}}},
		Request: &authv3.AttributeContext_Request{Http: http},
	}
	if r.policy != "" {
		a.ContextExtensions = map[string]string{"policy": r.policy}
	}
	return &authv3.CheckRequest{Attributes: a}
}

// lines are headers by their names in lower case, as Envoy holds them.
type lines map[string][]string

// outcome is what Envoy makes of an answer.
type outcome struct {
	allowed  bool
	upstream lines    // nil on a denial
	removed  []string // parameters of the query

	status int // told to the client on a denial
	header lines
	body   string
}

// obey does as Envoy does: it looks at the status first, and at the status
// alone. An RPC error and an error_response are what failure_mode_allow lets pass.
func (e envoy) obey(t *testing.T, r request, resp *authv3.CheckResponse, err error) outcome {
	t.Helper()
	if err != nil {
		t.Fatalf("an RPC error, which failure_mode_allow lets pass: %v", err)
	}
	if resp.GetErrorResponse() != nil {
		t.Fatal("an error_response, which failure_mode_allow lets pass")
	}
	if codes.Code(resp.GetStatus().GetCode()) != codes.OK {
		d := resp.GetDeniedResponse()
		if d == nil {
			t.Fatal("a denial says nothing to the client")
		}
		out := outcome{status: int(d.GetStatus().GetCode()), body: d.GetBody(), header: lines{}}
		mutate(t, out.header, d.GetHeaders())
		return out
	}
	ok := resp.GetOkResponse()
	if ok == nil || len(ok.GetResponseHeadersToAdd()) > 0 {
		t.Fatalf("an allow is %v", resp)
	}
	out := outcome{allowed: true, status: 200, upstream: lines{}, removed: ok.GetQueryParametersToRemove()}
	for _, l := range e.headersOf(r) {
		out.upstream[l[0]] = append(out.upstream[l[0]], l[1])
	}
	mutate(t, out.upstream, ok.GetHeaders())
	for _, name := range ok.GetHeadersToRemove() {
		if name != strings.ToLower(name) {
			t.Errorf("%s is to be removed, and not in lower case", name)
		}
		delete(out.upstream, name)
	}
	return out
}

// appendField is deprecated, and would outdo append_action.
var appendField = (&corev3.HeaderValueOption{}).ProtoReflect().Descriptor().Fields().ByName("append")

func mutate(t *testing.T, h lines, options []*corev3.HeaderValueOption) {
	t.Helper()
	var seen []string
	for _, o := range options {
		name := o.GetHeader().GetKey()
		if o.ProtoReflect().Has(appendField) || o.GetAppendAction() != corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD || name != strings.ToLower(name) || slices.Contains(seen, name) {
			t.Errorf("%s is set by %v", name, o)
		}
		seen = append(seen, name)
		h[name] = []string{o.GetHeader().GetValue()}
	}
}

// send asks as an Envoy of the usual configuration, and does as it is told.
func (f *fixture) send(r request) outcome { return f.sendBy(envoy{appended: true}, r) }

func (f *fixture) sendBy(e envoy, r request) outcome {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	resp, err := f.client.Check(ctx, e.ask(r))
	return e.obey(f.t, r, resp, err)
}
