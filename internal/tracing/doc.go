// Package tracing sends spans by OpenTelemetry, where the standard environment
// variables OTEL_* say so. Without them there is no Tracer, and a nil one costs
// a request a comparison. No span holds anything of a key or a credential.
package tracing
