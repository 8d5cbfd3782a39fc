package tracing

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"authd/internal/auth"
)

// Step begins a span of something that a request waits for, in a trace that is recorded; end ends it. Outside of
// one it does nothing. It is for what goes over a network or to a disk, beside which the question is nothing.
func Step(ctx context.Context, name string) (_ context.Context, end func(error)) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, func(error) {}
	}
	ctx, span := parent.TracerProvider().Tracer(scope).Start(ctx, name)
	return ctx, func(err error) {
		outcome := outcomeOf(err)
		span.SetAttributes(attribute.String("authd.outcome", outcome))
		if outcome == failed {
			// Not the error's text: whose it is, and so what is in it, nobody here knows.
			span.SetStatus(codes.Error, failed)
		}
		span.End()
	}
}

const failed = "failed"

func outcomeOf(err error) string {
	switch {
	case err == nil:
		return "answered"
	case errors.Is(err, auth.ErrKeyNotFound) && !errors.Is(err, auth.ErrUnavailable):
		return "unknown"
	}
	return failed
}

// Finder gives each look-up of a layer a span.
type Finder struct {
	next auth.Finder
	name string
}

// Layer makes a Finder. It is for a layer that answers from memory, and so only where there is a Tracer.
func Layer(next auth.Finder, name string) *Finder { return &Finder{next: next, name: name} }

// ByDigest is the layer's.
func (f *Finder) ByDigest(ctx context.Context, d auth.Digest) (*auth.Key, error) {
	ctx, end := Step(ctx, f.name)
	k, err := f.next.ByDigest(ctx, d)
	end(err)
	return k, err
}

// ByName is the layer's.
func (f *Finder) ByName(ctx context.Context, name string) (*auth.Key, error) {
	ctx, end := Step(ctx, f.name)
	k, err := f.next.ByName(ctx, name)
	end(err)
	return k, err
}
