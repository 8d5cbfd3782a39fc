package tracing

import (
	"log/slog"
	"strings"
	"testing"
)

// TestFromEnv: traces are off unless the environment asks for them, and what it asks for in vain is told.
func TestFromEnv(t *testing.T) {
	const endpoint = "http://127.0.0.1:1" // nobody: nothing is sent before there is a span
	for _, test := range []struct {
		env  map[string]string
		on   bool
		said string // of the error
	}{
		{env: nil},
		{env: map[string]string{"OTEL_SERVICE_NAME": "authd"}},
		{env: map[string]string{"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}},
		{env: map[string]string{"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "otlp"}},
		{env: map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}, on: true},
		{env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}, on: true},
		{env: map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": endpoint}, on: true},
		{env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, on: true},
		{env: map[string]string{"OTEL_TRACES_EXPORTER": "zipkin"}, said: "OTEL_TRACES_EXPORTER"},
		{env: map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json"}, said: "OTEL_EXPORTER_OTLP_PROTOCOL"},
	} {
		for name, value := range test.env {
			t.Setenv(name, value) // the SDK reads it as well
		}
		tracer, err := FromEnv(t.Context(), func(name string) string { return test.env[name] }, "test", slog.New(slog.DiscardHandler))
		if (tracer != nil) != test.on || (err != nil) != (test.said != "") || err != nil && !strings.Contains(err.Error(), test.said) {
			t.Errorf("%v: on is %t, error %v", test.env, tracer != nil, err)
		}
		if err := tracer.Close(t.Context()); err != nil {
			t.Errorf("%v: at the end: %v", test.env, err)
		}
		for name := range test.env {
			t.Setenv(name, "")
		}
	}
}
