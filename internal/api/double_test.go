package api

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"authd/internal/auth"
	"authd/internal/inbound"
	"authd/internal/logtest"
	"authd/internal/observe"
)

// net/http keeps a connection that it ends early for half a second, so that the client can read the answer.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

// memory is a Finder over a map. It fails as it is told to.
type memory struct {
	mu     sync.Mutex
	keys   map[auth.Digest]*auth.Key
	err    error
	panics any
	asked  int
}

func (m *memory) ByDigest(_ context.Context, d auth.Digest) (*auth.Key, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	if m.panics != nil {
		panic(m.panics)
	}
	if m.err != nil {
		return nil, m.err
	}
	if k := m.keys[d]; k != nil {
		return k, nil
	}
	return nil, auth.ErrKeyNotFound
}

func (m *memory) ByName(context.Context, string) (*auth.Key, error) {
	return nil, auth.ErrKeyNotFound
}

func (m *memory) fail(err error, panics any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err, m.panics = err, panics
}

// fixedLimit is a Limiter that has its answer ready.
type fixedLimit auth.LimitState

func (l fixedLimit) Take(context.Context, *auth.Key, time.Time, string) (auth.LimitState, error) {
	return auth.LimitState(l), nil
}

var testDigester = auth.NewDigester("ak")

// add makes a key; edit may change its record.
func (m *memory) add(name string, edit func(*auth.Record)) string {
	return m.addSecret(auth.NewSecret("ak"), name, edit)
}

func (m *memory) addSecret(s auth.Secret, name string, edit func(*auth.Record)) string {
	r := &auth.Record{
		ID: "0190-" + auth.Slug(name), Name: name, Slug: auth.Slug(name),
		User: "partner@example.com", UserActive: true, Active: true,
		Groups: []string{"partner", "gold"}, Scopes: []string{"shop:read", "shop:write"},
	}
	if edit != nil {
		edit(r)
	}
	d := testDigester.Current().Digest(s)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keys[d] = auth.NewKey(r, auth.SecretInfo{Digest: d})
	return s.Reveal()
}

// logBuffer collects log lines.
type logBuffer struct{ logtest.Log }

// lines are those that hold all the parts.
func (l *logBuffer) lines(parts ...string) []string {
	var found []string
next:
	for line := range strings.Lines(l.String()) {
		for _, p := range parts {
			if !strings.Contains(line, p) {
				continue next
			}
		}
		found = append(found, line)
	}
	return found
}

// fixture is a real server on loopback over the real Checker.
type fixture struct {
	t       *testing.T
	keys    *memory
	log     *logBuffer
	reg     *prometheus.Registry
	handler http.Handler
	addr    string
	client  *http.Client
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func mustSources(t testing.TB, list ...string) []inbound.Source {
	t.Helper()
	s, err := inbound.ParseSources(list)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustPolicy(t testing.TB, name string, base auth.Requirement, rules ...auth.Rule) *auth.Policy {
	t.Helper()
	p, err := auth.NewPolicy(name, base, rules)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func newMetrics(t testing.TB, reg *prometheus.Registry, perKey int) *observe.Metrics {
	t.Helper()
	m, err := observe.NewMetrics(reg, perKey, "test")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// options are those of a deployment behind a proxy on loopback.
func options(t testing.TB, f auth.Finder, l auth.Limiter) Options {
	return Options{
		Checker: auth.NewChecker(testDigester, f, l, auth.Options{}),
		Sources: mustSources(t, "header:API-KEY", "header:X-API-Key", "bearer"),
		Trusted: loopback,
		Metrics: newMetrics(t, prometheus.NewRegistry(), 100),
		Log:     slog.New(slog.DiscardHandler),
	}
}

func start(t *testing.T, edit func(*Options)) *fixture {
	t.Helper()
	f := &fixture{t: t, keys: &memory{keys: map[auth.Digest]*auth.Key{}}, log: &logBuffer{}, reg: prometheus.NewRegistry()}
	o := options(t, f.keys, fixedLimit{Reason: auth.Allowed})
	o.Log = slog.New(slog.NewJSONHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.Metrics = newMetrics(t, f.reg, 100)
	if edit != nil {
		edit(&o)
	}
	var err error
	if f.handler, err = NewVerify(o); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.addr = l.Addr().String()
	srv := NewServer(f.handler, o.Log)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := srv.Serve(l); err != http.ErrServerClosed { //nolint:errorlint // it is that very value
			t.Error(err)
		}
	}()
	f.client = &http.Client{
		Transport:     &http.Transport{DisableCompression: true},
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(func() {
		f.client.CloseIdleConnections()
		_ = srv.Close()
		<-done
	})
	return f
}

// reply is a response, read whole.
type reply struct {
	status int
	header http.Header
	body   string
}

// ask sends a request; a header given as "Name: value" may be repeated.
func (f *fixture) ask(method, path string, headers ...string) reply {
	f.t.Helper()
	req, err := http.NewRequest(method, "http://"+f.addr+path, http.NoBody)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header[name] = append(req.Header[name], value)
	}
	resp, err := f.client.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(body)}
}

// traefik are the headers that Traefik adds.
func traefik(method, host, uri, client string) []string {
	return []string{
		"X-Forwarded-Method: " + method, "X-Forwarded-Host: " + host, "X-Forwarded-Uri: " + uri,
		"X-Forwarded-For: " + client, "X-Forwarded-Proto: https",
	}
}

func with(headers []string, more ...string) []string {
	return append(append([]string(nil), headers...), more...)
}
