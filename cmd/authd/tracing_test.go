package main

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"authd/internal/redistest"
)

// receiver takes traces by OTLP over HTTP, as a collector does.
type receiver struct {
	url string

	mu    sync.Mutex
	calls int
	spans []*otlp.Span
	all   strings.Builder // everything that was sent, as text
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if err := r.take(req); err != nil {
			t.Error(err)
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	t.Cleanup(s.Close)
	r.url = s.URL
	return r
}

func (r *receiver) take(req *http.Request) (err error) {
	body := io.Reader(req.Body)
	if req.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gzip.NewReader(body); err != nil {
			return err
		}
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	var sent collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(raw, &sent); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	r.all.WriteString(sent.String())
	for _, of := range sent.ResourceSpans {
		for _, in := range of.ScopeSpans {
			r.spans = append(r.spans, in.Spans...)
		}
	}
	return nil
}

// below is the span of this name whose parent is the one of that id, nil until it has come.
func (r *receiver) below(parent, name string) *otlp.Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.spans, func(s *otlp.Span) bool { return s.Name == name && hex.EncodeToString(s.ParentSpanId) == parent })
	if i < 0 {
		return nil
	}
	return r.spans[i]
}

func (r *receiver) told() (calls int, everything string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls, r.all.String()
}

const (
	traceID  = "4bf92f3577b34da6a3ce929d0e0e4736"
	parentID = "00f067aa0ba902b7"
)

// A request's spans go on from what its proxy says, down to the store; nothing of the key is in them, and
// the histogram points at the trace.
func TestTraces(t *testing.T) {
	r, p := newReceiver(t), newPlace(t)
	p.env = append(p.env, "OTEL_EXPORTER_OTLP_ENDPOINT="+r.url, "OTEL_BSP_SCHEDULE_DELAY=50", "AUTHD_REDIS_URL="+redistest.Start(t).URL)
	d := p.serve()
	key := p.must("keys", "create", "Partner sync", "--user", "partner@example.com", "--rate", "100/1m", "-q")
	d.want(200, "/verify/traefik", key, "Traceparent: 00-"+traceID+"-"+parentID+"-01")

	parent := parentID
	for _, name := range []string{"verify", "local lookup", "store lookup"} {
		p.await(name+" below "+parent, func() bool { return r.below(parent, name) != nil })
		s := r.below(parent, name)
		if got := hex.EncodeToString(s.TraceId); got != traceID {
			t.Errorf("%s is of the trace %s", name, got)
		}
		switch name {
		case "verify":
			p.await("redis limit", func() bool { return r.below(hex.EncodeToString(s.SpanId), "redis limit") != nil })
			if s.Kind != otlp.Span_SPAN_KIND_SERVER {
				t.Errorf("it is of the kind %v", s.Kind)
			}
		case "local lookup":
			p.await("redis lookup", func() bool { return r.below(hex.EncodeToString(s.SpanId), "redis lookup") != nil })
		}
		parent = hex.EncodeToString(s.SpanId)
	}

	// Who is not sampled is not told of, and leaves no exemplar.
	d.want(200, "/verify", key, "Traceparent: 00-11112f3577b34da6a3ce929d0e0e1111-"+parentID+"-00")
	page := d.fetch("GET", d.metrics+"/metrics", "Accept: application/openmetrics-text; version=1.0.0")
	if page == nil || !strings.Contains(page.body, `# {trace_id="`+traceID+`"}`) || strings.Contains(page.body, "11112f35") {
		t.Errorf("the exemplars are others:\n%v", page)
	}
	d.signal(15)
	d.wait()
	_, everything := r.told()
	for _, want := range []string{"authd.reason", "service.version"} {
		if !strings.Contains(everything, want) {
			t.Errorf("%s is missing in\n%s", want, everything)
		}
	}
	for _, secret := range []string{key[3:12], "Partner sync", "partner@example.com", "11112f35"} {
		if strings.Contains(everything, secret) {
			t.Errorf("a trace tells of a key, its user, or what was not sampled")
		}
	}
	p.nowhere(key)
}

// What waits is sent when the process ends.
func TestTheLastTracesAreSent(t *testing.T) {
	r, p := newReceiver(t), newPlace(t)
	p.env = append(p.env, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="+r.url+"/v1/traces", "OTEL_BSP_SCHEDULE_DELAY=3600000")
	d := p.serve()
	d.want(401, "/verify", "unknown-key-of-twenty-characters")
	d.signal(15)
	d.wait()
	if s := r.below("", "verify"); s == nil {
		t.Error("the request's span was not sent")
	}
}

// Without the variables, or where they say so, nothing is sent, whatever a proxy asks for.
func TestNothingIsTracedUnlessItIsAskedFor(t *testing.T) {
	for _, env := range [][]string{{}, {"OTEL_TRACES_EXPORTER=none"}, {"OTEL_SDK_DISABLED=true"}} {
		r, p := newReceiver(t), newPlace(t)
		if len(env) > 0 {
			env = append(env, "OTEL_EXPORTER_OTLP_ENDPOINT="+r.url)
		}
		p.env = append(p.env, append(env, "OTEL_BSP_SCHEDULE_DELAY=1")...)
		d := p.serve()
		d.want(401, "/verify", "unknown-key-of-twenty-characters", "Traceparent: 00-"+traceID+"-"+parentID+"-01")
		page := d.fetch("GET", d.metrics+"/metrics", "Accept: application/openmetrics-text; version=1.0.0")
		if page == nil || strings.Contains(page.body, "trace_id") {
			t.Errorf("%q: there are exemplars", env)
		}
		d.signal(15)
		d.wait()
		if calls, _ := r.told(); calls > 0 {
			t.Errorf("%q: traces were sent", env)
		}
	}
}

// What is not understood stops the start.
func TestTracesThatCanNotBe(t *testing.T) {
	for _, env := range []string{"OTEL_TRACES_EXPORTER=zipkin", "OTEL_EXPORTER_OTLP_PROTOCOL=http/json"} {
		p := newPlace(t)
		p.env = append(p.env, env, "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1")
		if _, code := p.authd("serve"); code != 1 || !strings.Contains(p.all.String(), env[strings.Index(env, "=")+1:]) {
			t.Errorf("%s: exit code %d\n%s", env, code, p.all)
		}
	}
}
