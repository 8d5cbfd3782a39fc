package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"

	"authd/internal/auth"
	"authd/internal/bench/load"
)

// envoyWorkers are the connections: Envoy has one for each of its threads, and all calls of a thread share it.
const envoyWorkers = 2

// measureGRPC holds a contest by gRPC: the empty handler reads the same messages.
func measureGRPC(ctx context.Context, b *bench) error {
	return contest{
		name: "grpc", title: "A warm key, asked by Envoy over gRPC",
		set: envoyKey,
		references: []rival{
			{title: "empty grpc", launch: grpcReference(), atMost: 1.35},
			{title: "grpc, constant headers", launch: grpcReference("-identity")},
		},
	}.run(ctx, b)
}

// envoyKey is a warm key, asked for by gRPC.
func envoyKey(ctx context.Context, b *bench) (*field, error) {
	key, database, err := b.createKey(ctx)
	if err != nil {
		return nil, err
	}
	l := authd(database)
	env := l.env
	l.env = func(at addresses) []string { return append(env(at), "AUTHD_LISTEN_EXTAUTHZ="+at.extauthz) }
	question := envoyQuestion(key)
	return &field{authd: l, dial: func(ctx context.Context, b *bench, at addresses) (loaded, func() error, error) {
		return dialGRPC(ctx, at.extauthz, b.conns, question)
	}}, nil
}

// grpcReference starts a grpc server that does nothing but answer.
func grpcReference(args ...string) launch {
	return launch{
		program: "authd/internal/bench/grpcreference",
		args: func(at addresses) []string {
			return append([]string{"-addr", at.extauthz, "-ready", at.verify}, args...)
		},
		env: func(addresses) []string { return nil },
	}
}

// envoyQuestion is what Envoy asks of a small request of curl's: these headers and attributes are always there.
func envoyQuestion(key auth.Secret) *authv3.CheckRequest {
	peer := func(address string, port uint32) *authv3.AttributeContext_Peer {
		return &authv3.AttributeContext_Peer{Address: &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
			Address: address, PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: port},
		}}}}
	}
	headers := map[string]string{
		":authority": "shop.example.com", ":method": "GET", ":path": "/api/orders?page=2", ":scheme": "https",
		"user-agent": "bench", "accept": "*/*", "x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.7",
		"x-request-id": "5f0cf0b4-c2a6-4a3e-9b1d-2c3e4f506172", "api-key": key.Reveal(),
	}
	return &authv3.CheckRequest{Attributes: &authv3.AttributeContext{
		Source: peer("192.0.2.7", 40000), Destination: peer("10.0.0.1", 8443),
		Request: &authv3.AttributeContext_Request{Http: &authv3.AttributeContext_HttpRequest{
			Id: "12345678901234567890", Method: "GET", Host: "shop.example.com", Path: "/api/orders?page=2", Scheme: "https", Protocol: "HTTP/1.1", Headers: headers,
		}},
	}}
}

// dialGRPC connects as Envoy does, and returns how to load the server with n calls at once.
func dialGRPC(ctx context.Context, addr string, n int, question *authv3.CheckRequest) (loaded, func() error, error) {
	var conns []*grpc.ClientConn
	hangUp := func() (err error) {
		for _, c := range conns {
			err = errors.Join(err, c.Close())
		}
		return err
	}
	var clients []authv3.AuthorizationClient
	for range envoyWorkers {
		c, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return nil, nil, errors.Join(err, hangUp())
		}
		conns, clients = append(conns, c), append(clients, authv3.NewAuthorizationClient(c))
	}
	call := func(ctx context.Context, worker int) error {
		resp, err := clients[worker%envoyWorkers].Check(ctx, question)
		if err == nil && codes.Code(resp.GetStatus().GetCode()) != codes.OK {
			err = fmt.Errorf("denied: %v", resp)
		}
		return err
	}
	return func(d time.Duration) (*load.Result, error) {
		return load.Calls(ctx, n, load.Bounds{For: d}, call)
	}, hangUp, nil
}
