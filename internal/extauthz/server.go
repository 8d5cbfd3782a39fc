package extauthz

import (
	"context"
	"errors"
	"net"
	"time"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
)

// Bounds of a connection and of a call.
const (
	connectTime = 10 * time.Second // until HTTP/2 is agreed on
	idleTime    = 5 * time.Minute
	pingAfter   = 30 * time.Second // of silence: is the other end still there?
	pingTimeout = 10 * time.Second
	leastPing   = 5 * time.Second // between the pings of a client; Envoy's connection_keepalive is commonly 30s

	// connectionAge makes Envoys spread over new replicas: behind one address,
	// they would stay with the replica that they first found.
	connectionAge   = 30 * time.Minute
	connectionGrace = 10 * time.Second

	// maxStreams are the calls at once on a connection; Envoy opens another one, or waits.
	maxStreams = 1000
	// maxHeaderList bounds the metadata of a call. That of the request is in the message.
	maxHeaderList = 16 << 10
	// maxMessage bounds a CheckRequest: Envoy takes 60 KiB of header unless it is
	// configured otherwise (max_request_headers_kb), and adds a body only where with_request_body
	// says so. gRPC answers a greater one by RESOURCE_EXHAUSTED before it is read, which is an
	// error to Envoy: 403, or an allow with failure_mode_allow. So the bound is far above what Envoy
	// lets through by itself.
	maxMessage = 1 << 20
)

// Server answers Envoy.
type Server struct{ grpc *grpc.Server }

// NewServer makes the server. Its error holds every fault.
func NewServer(o Options) (*Server, error) {
	s, err := newService(&o)
	if err != nil {
		return nil, err
	}
	g := grpc.NewServer(
		grpc.ForceServerCodecV2(newCodec()),
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.MaxHeaderListSize(maxHeaderList),
		grpc.ConnectionTimeout(connectTime),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: leastPing, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionIdle: idleTime, MaxConnectionAge: connectionAge, MaxConnectionAgeGrace: connectionGrace,
			Time: pingAfter, Timeout: pingTimeout,
		}),
		grpc.WaitForHandlers(true),
	)
	authv3.RegisterAuthorizationServer(g, s)
	healthv1.RegisterHealthServer(g, health{ready: o.Ready, log: s.log})
	reflection.RegisterV1(g) // so that grpcurl needs no .proto files
	return &Server{g}, nil
}

// Serve answers on the listener until Shutdown, and closes it.
func (s *Server) Serve(l net.Listener) error {
	if err := s.grpc.Serve(l); !errors.Is(err, grpc.ErrServerStopped) {
		return err
	}
	return nil
}

// Shutdown lets calls under way finish while ctx lasts, and then cuts them
// off: its error says so.
func (s *Server) Shutdown(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.grpc.GracefulStop()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		s.grpc.Stop()
		<-done
		return ctx.Err()
	}
}
