// Grpcreference is what authd's gRPC is measured against: a handler that
// answers every Check with OK and nothing else, and with -identity the same
// with what authd tells the upstream, as constants. Everything else is grpc's
// default. It says on another address that it is ready.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "where to listen")
	ready := flag.String("ready", "127.0.0.1:0", "where to say that it is ready")
	identity := flag.Bool("identity", false, "tell an identity")
	flag.Parse()
	if err := run(*addr, *ready, *identity); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(addr, ready string, identity bool) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	g := grpc.NewServer()
	authv3.RegisterAuthorizationServer(g, reference{identity: identity})
	page := &http.Server{
		Addr: ready, ReadHeaderTimeout: 10 * time.Second,
		Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
	}
	failed := make(chan error, 2)
	go func() { failed <- g.Serve(l) }()
	go func() { failed <- page.ListenAndServe() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	g.Stop()
	return page.Close()
}

type reference struct {
	authv3.UnimplementedAuthorizationServer
	identity bool
}

// Check answers OK.
func (r reference) Check(context.Context, *authv3.CheckRequest) (*authv3.CheckResponse, error) {
	if r.identity {
		return constants(), nil
	}
	return &authv3.CheckResponse{Status: &rpcstatus.Status{}}, nil
}

// constants are what authd answers to the key of the benchmark, made anew each time: grpc may keep what it is given.
func constants() *authv3.CheckResponse {
	set := func(name, value string) *corev3.HeaderValueOption {
		return &corev3.HeaderValueOption{
			Header:       &corev3.HeaderValue{Key: name, Value: value},
			AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
		}
	}
	return &authv3.CheckResponse{
		Status: &rpcstatus.Status{},
		HttpResponse: &authv3.CheckResponse_OkResponse{OkResponse: &authv3.OkHttpResponse{
			Headers: []*corev3.HeaderValueOption{
				set("x-auth-user", "bench@example.com"), set("x-auth-key", "Bench%201"),
				set("x-auth-key-id", "0190a0a0-0000-7000-8000-000000000001"),
				set("x-auth-groups", "partner,staff"), set("x-auth-scopes", "shop:read shop:write"),
			},
			HeadersToRemove: []string{"api-key", "x-api-key"},
		}},
	}
}
