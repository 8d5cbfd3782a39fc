package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// wanted reports whether the environment asks for traces: it names the exporter, or where to send them.
func wanted(getenv func(string) string) (bool, error) {
	if getenv("OTEL_SDK_DISABLED") == "true" {
		return false, nil
	}
	switch exporter := getenv("OTEL_TRACES_EXPORTER"); exporter {
	case "otlp":
		return true, nil
	case "none":
		return false, nil
	case "":
		return getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != "", nil
	default:
		return false, fmt.Errorf("OTEL_TRACES_EXPORTER is %q: otlp or none is wanted", exporter)
	}
}

// exporter is the one for OTEL_EXPORTER_OTLP_PROTOCOL; what else the variables say, it reads by itself.
func exporter(ctx context.Context, getenv func(string) string) (sdk.SpanExporter, error) {
	protocol := getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
	if protocol == "" {
		protocol = getenv("OTEL_EXPORTER_OTLP_PROTOCOL")
	}
	switch protocol {
	case "", "http/protobuf":
		return otlptracehttp.New(ctx)
	case "grpc":
		return otlptracegrpc.New(ctx)
	}
	return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL is %q: http/protobuf or grpc is wanted", protocol)
}

// FromEnv makes a Tracer as the process's environment wants it, nil where it wants none. getenv reads it,
// and the OpenTelemetry SDK reads it too: sampling, batches and time limits are its own. Nothing is waited for: a receiver may come later.
func FromEnv(ctx context.Context, getenv func(string) string, version string, log *slog.Logger) (*Tracer, error) {
	on, err := wanted(getenv)
	if err != nil || !on {
		return nil, err
	}
	out, err := exporter(ctx, getenv)
	if err != nil {
		return nil, err
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces", "error", err) }))
	what, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "authd"), attribute.String("service.version", version)),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, err
	}
	return newTracer(sdk.NewTracerProvider(sdk.WithBatcher(out), sdk.WithResource(what))), nil
}
