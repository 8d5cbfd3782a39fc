package e2e

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// A service that speaks gRPC is protected like any other: calls and streams pass with the identity in their
// metadata and without the key, or end with the status that gRPC makes of the denial.
func checkCalls(t *testing.T, c *chain) {
	if c.calls == nil {
		return
	}
	addr := c.calls(t, c.gate.addr, startCallee(t, c.upstream))
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	client := healthv1.NewHealthClient(conn)
	for how, call := range map[string]func(context.Context) error{
		"a call": func(ctx context.Context) error {
			_, err := client.Check(ctx, &healthv1.HealthCheckRequest{})
			return err
		},
		"a stream": func(ctx context.Context) error {
			s, err := client.Watch(ctx, &healthv1.HealthCheckRequest{})
			if err == nil {
				_, err = s.Recv()
			}
			return err
		},
	} {
		for _, x := range []struct {
			key  string
			want codes.Code
		}{{"good", codes.OK}, {"", codes.Unauthenticated}, {"revoked", codes.Unauthenticated}, {"outsider", codes.PermissionDenied}} {
			t.Run(how+" "+x.key, func(t *testing.T) {
				id := strconv.FormatInt(lastID.Add(1), 10)
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				ctx = metadata.AppendToOutgoingContext(ctx, "x-case", id, "x-auth-user", "spoofed", "x-auth-groups", "spoofed")
				if x.key != "" {
					ctx = metadata.AppendToOutgoingContext(ctx, "api-key", strings.TrimPrefix(c.authd.key(x.key), "API-KEY: "))
				}
				err := call(ctx)
				if status.Code(err) != x.want {
					t.Fatalf("%v, want %s", err, x.want)
				}
				all := c.upstream.of(id)
				if reached := x.want == codes.OK; reached != (len(all) == 1) {
					t.Fatalf("it reached the service %d times", len(all))
				}
				for i := range all {
					c.inspect(t, &all[i])
					all[i].as(t, login)
				}
			})
		}
	}
}

// startCallee starts a service that speaks gRPC. What reaches it is known to u.
func startCallee(t *testing.T, u *upstream) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(
		grpc.UnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			u.recordCall(ctx)
			return next(ctx, req)
		}),
		grpc.StreamInterceptor(func(srv any, s grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			u.recordCall(s.Context())
			return next(srv, s)
		}))
	healthv1.RegisterHealthServer(s, health.NewServer())
	t.Cleanup(s.Stop)
	go func() { _ = s.Serve(l) }()
	return l.Addr().String()
}

func (u *upstream) recordCall(ctx context.Context) {
	s := seen{method: "POST", header: map[string][]string{}}
	md, _ := metadata.FromIncomingContext(ctx)
	for name, values := range md {
		for _, v := range values {
			s.header.Add(name, v)
		}
	}
	u.record(s)
}
