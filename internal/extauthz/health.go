package extauthz

import (
	"context"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"authd/internal/inbound"
	"authd/internal/observe"
)

// health is the standard health service. It tells at each question what
// /readyz tells, so not serving from the moment that the process is told to stop.
// Watch is not implemented: a stream that stays open would only keep the process from ending.
type health struct {
	healthv1.UnimplementedHealthServer
	ready func() bool
	log   *observe.Log
}

// Check answers for the whole server, and for the authorization service by its name.
func (h health) Check(ctx context.Context, req *healthv1.HealthCheckRequest) (resp *healthv1.HealthCheckResponse, _ error) {
	if s := req.GetService(); s != "" && s != authv3.Authorization_ServiceDesc.ServiceName {
		return nil, status.Error(codes.NotFound, "there is no such service here")
	}
	resp = &healthv1.HealthCheckResponse{Status: healthv1.HealthCheckResponse_NOT_SERVING}
	defer func() {
		if p := recover(); p != nil {
			h.log.Panicked(ctx, p, inbound.NewRequestID())
		}
	}()
	if h.ready == nil || h.ready() {
		resp.Status = healthv1.HealthCheckResponse_SERVING
	}
	return resp, nil
}
