package tracing

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"authd/internal/answer"
	"authd/internal/auth"
)

const scope = "authd"

// Tracer begins the spans of requests. A nil Tracer is one that is off: whoever has one asks before.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	w3c      propagation.TraceContext
}

func newTracer(p *sdk.TracerProvider) *Tracer { return &Tracer{provider: p, tracer: p.Tracer(scope)} }

// Close sends what waits, until ctx ends. A nil Tracer has nothing.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// Carrier is where a traceparent may stand: headers, whatever brought them.
type Carrier interface{ Get(key string) string }

// reading makes of a Carrier what a propagator takes; it only reads.
type reading struct{ Carrier }

func (reading) Set(string, string) {}
func (reading) Keys() []string     { return nil }

// Request begins the span of a request, below the one that its headers name.
func (t *Tracer) Request(ctx context.Context, headers Carrier, proxy, policy string) (context.Context, Span) {
	ctx = t.w3c.Extract(ctx, reading{headers})
	ctx, span := t.tracer.Start(ctx, "verify", trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		attribute.String("authd.proxy", proxy), attribute.String("authd.policy", policy)))
	return ctx, Span{span}
}

// Span is what a request's span is told at its end. The zero Span is that of a request that is not traced.
type Span struct{ span trace.Span }

// End says what came of the request.
func (s Span) End(d *auth.Decision) {
	if s.span == nil {
		return
	}
	told := answer.Of(d.Reason)
	s.span.SetAttributes(attribute.String("authd.result", answer.ResultOf(d).String()),
		attribute.String("authd.reason", d.Reason.String()), attribute.Int("http.response.status_code", told.Status))
	if told.Status >= 500 {
		s.span.SetStatus(codes.Error, d.Reason.String())
	}
	s.span.End()
}

// TraceID is the trace that a sampled request belongs to, or empty.
func (s Span) TraceID() string {
	if s.span == nil || !s.span.SpanContext().IsSampled() {
		return ""
	}
	return s.span.SpanContext().TraceID().String()
}
