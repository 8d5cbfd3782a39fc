package extauthz

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	protobuf "google.golang.org/protobuf/proto"

	"authd/internal/auth"
)

func TestHealth(t *testing.T) {
	ready, panics := true, false
	f := start(t, func(o *Options) {
		o.Ready = func() bool {
			if panics {
				panic("no")
			}
			return ready
		}
	})
	c := healthv1.NewHealthClient(f.conn)
	ask := func(service string) string {
		resp, err := c.Check(t.Context(), &healthv1.HealthCheckRequest{Service: service})
		if err != nil {
			return status.Code(err).String()
		}
		return resp.GetStatus().String()
	}
	for _, service := range []string{"", "envoy.service.auth.v3.Authorization"} {
		for _, ready = range []bool{true, false} {
			if got := ask(service); (got == "SERVING") != ready || got != "SERVING" && got != "NOT_SERVING" {
				t.Errorf("%q is %s while ready is %v", service, got, ready)
			}
		}
	}
	if got := ask("other"); got != "NotFound" {
		t.Errorf("a service that is not there is %s", got)
	}
	ready, panics = true, true
	if got := ask(""); got != "NOT_SERVING" || !strings.Contains(f.log.String(), "panicked") {
		t.Errorf("after a panic it is %s", got)
	}
}

// bytesAsTheyAre sends what a test has put together itself.
type bytesAsTheyAre struct{ encoding.CodecV2 }

func (c bytesAsTheyAre) Marshal(v any) (mem.BufferSlice, error) {
	if b, ok := v.([]byte); ok {
		return mem.BufferSlice{mem.SliceBuffer(b)}, nil
	}
	return c.CodecV2.Marshal(v)
}

func (f *fixture) sendBytes(b []byte) (*authv3.CheckResponse, error) {
	resp := &authv3.CheckResponse{}
	err := f.conn.Invoke(f.t.Context(), authv3.Authorization_Check_FullMethodName, b, resp, grpc.ForceCodecV2(bytesAsTheyAre{encoding.GetCodecV2(proto.Name)}))
	return resp, err
}

// A client can make Envoy send what is no UTF-8. That must not come to be an error, which failure_mode_allow lets pass.
func TestWhatCanNotBeReadIsDenied(t *testing.T) {
	f := start(t, nil)
	key := f.keys.add("Partner sync", nil)
	for _, policy := range []string{"", "open"} {
		b, err := protobuf.Marshal(envoy{}.ask(get("/", "API-KEY: "+key, "X-Name: MARK").under(policy)))
		if err != nil {
			t.Fatal(err)
		}
		for name, bytes := range map[string]string{
			"a header that is no UTF-8": strings.Replace(string(b), "MARK", "M\xff\xfeK", 1),
			"a message that is cut":     string(b[:len(b)-3]),
			"no message":                "\xff\xff\xff",
		} {
			resp, err := f.sendBytes([]byte(bytes))
			out := envoy{}.obey(t, get("/"), resp, err)
			if got := f.logged(); out.status != 401 || got["reason"] != auth.MalformedCredential.String() || !strings.Contains(got["detail"].(string), "UTF-8") {
				t.Errorf("%s: answered %d, the log is %v", name, out.status, got)
			}
		}
		resp, err := f.sendBytes(b)
		if out := (envoy{}).obey(t, get("/"), resp, err); !out.allowed {
			t.Errorf("the message as it is: answered %d", out.status)
		}
	}
}

func TestLargeMessages(t *testing.T) {
	f := start(t, nil)
	key := f.keys.add("Partner sync", nil)
	f.want("as much header as Envoy takes", get("/", "API-KEY: "+key, "X-Big: "+strings.Repeat("x", 60<<10)), auth.Allowed, 200)
	_, err := f.client.Check(t.Context(), envoy{}.ask(get("/", "API-KEY: "+key, "X-Big: "+strings.Repeat("x", maxMessage))))
	if status.Code(err) != codes.ResourceExhausted {
		t.Errorf("more than is read is answered %v", err)
	}
	ctx := metadata.AppendToOutgoingContext(t.Context(), "big", strings.Repeat("x", 2*maxHeaderList))
	if _, err := f.client.Check(ctx, envoy{}.ask(get("/", "API-KEY: "+key))); err == nil {
		t.Error("metadata without bound is read")
	}
	f.want("afterwards", get("/", "API-KEY: "+key), auth.Allowed, 200)
}

// grpcurl works without .proto files.
func TestReflection(t *testing.T) {
	f := start(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s, err := reflectionv1.NewServerReflectionClient(f.conn).ServerReflectionInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Send(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: "envoy.service.auth.v3.Authorization"}}); err != nil {
		t.Fatal(err)
	}
	resp, err := s.Recv()
	if err != nil || len(resp.GetFileDescriptorResponse().GetFileDescriptorProto()) == 0 {
		t.Errorf("%v, %v", resp, err)
	}
	if err := s.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Recv(); err == nil {
		t.Error("the stream does not end")
	}
}

// A call under way at the end is answered, and no new one is taken.
func TestShutdownLetsCallsFinish(t *testing.T) {
	f := start(t, nil)
	key := f.keys.add("Partner sync", nil)
	begun, goOn := make(chan struct{}), make(chan struct{})
	f.keys.set(func(m *memory) { m.wait = func(context.Context) { close(begun); <-goOn } })
	answered := make(chan outcome)
	go func() { answered <- f.send(get("/", "API-KEY: "+key)) }()
	<-begun
	down := make(chan error)
	go func() { down <- f.server.Shutdown(context.Background()) }()
	select {
	case err := <-down:
		t.Fatalf("the server did not wait for the call: %v", err)
	default:
	}
	close(goOn)
	if out := <-answered; !out.allowed {
		t.Errorf("the call under way is answered %d", out.status)
	}
	if err := <-down; err != nil {
		t.Error(err)
	}
	if _, err := f.client.Check(t.Context(), envoy{}.ask(get("/", "API-KEY: "+key))); status.Code(err) != codes.Unavailable {
		t.Errorf("after the end: %v", err)
	}
}

// A call that does not end is cut off with the deadline; whoever waits within sees its context end.
func TestShutdownHasADeadline(t *testing.T) {
	f := start(t, nil)
	key := f.keys.add("Partner sync", nil)
	begun := make(chan struct{})
	f.keys.set(func(m *memory) { m.wait = func(ctx context.Context) { close(begun); <-ctx.Done() } })
	failed := make(chan error)
	go func() {
		_, err := f.client.Check(context.Background(), envoy{}.ask(get("/", "API-KEY: "+key)))
		failed <- err
	}()
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := f.server.Shutdown(ctx); err == nil {
		t.Error("nobody is told that a call was cut off")
	}
	if err := <-failed; status.Code(err) != codes.Unavailable {
		t.Errorf("the call ended with %v", err)
	}
}

func TestServeAfterShutdown(t *testing.T) {
	f := start(t, nil)
	s, err := NewServer(options(t, f.keys, prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(bufconn.Listen(1)); err != nil {
		t.Error(err)
	}
}

// A peer without an IP address is in no network.
func TestAPeerWithoutAnAddress(t *testing.T) {
	keys := &memory{keys: map[auth.Digest]*auth.Key{}}
	bound := keys.add("Bound", func(r *auth.Record) { r.Restrictions.Paths = []string{"/"} })
	s, err := NewServer(options(t, keys, prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	l := bufconn.Listen(1 << 16)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	conn, err := grpc.NewClient("passthrough:bufconn", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	r := get("/", "API-KEY: "+bound)
	resp, err := authv3.NewAuthorizationClient(conn).Check(t.Context(), envoy{}.ask(r))
	if out := (envoy{}).obey(t, r, resp, err); out.status != 403 {
		t.Errorf("answered %d", out.status)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestNewServerRefusesWhatCannotBe(t *testing.T) {
	for name, edit := range map[string]func(*Options){
		"a policy that is nil":   func(o *Options) { o.Policies["x"] = nil },
		"a policy of a bad name": func(o *Options) { o.Policies["a/b"] = o.Policies["open"] },
		"a name that is taken":   func(o *Options) { o.Policies["default"] = o.Policies["open"] },
	} {
		o := options(t, &memory{}, prometheus.NewRegistry())
		edit(&o)
		if _, err := NewServer(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
