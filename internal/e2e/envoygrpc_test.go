package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authzv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_authz/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3" // types that Envoy's files name
	managerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/http/early_header_mutation/header_mutation/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"go.yaml.in/yaml/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"
)

// envoyManager reads a file of deploy/envoy as Envoy does, where an unknown setting is a fault, and
// returns the connection manager in it.
func envoyManager(t *testing.T, name string) *managerv3.HttpConnectionManager {
	t.Helper()
	var doc any
	if err := yaml.Unmarshal([]byte(shipped(t, name)), &doc); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	var b bootstrapv3.Bootstrap
	if err := protojson.Unmarshal(text, &b); err != nil {
		t.Fatalf("deploy/%s: %v", name, err)
	}
	if err := b.ValidateAll(); err != nil {
		t.Fatalf("deploy/%s: %v", name, err)
	}
	var m managerv3.HttpConnectionManager
	if err := b.GetStaticResources().GetListeners()[0].GetFilterChains()[0].GetFilters()[0].GetTypedConfig().UnmarshalTo(&m); err != nil {
		t.Fatal(err)
	}
	if err := m.ValidateAll(); err != nil {
		t.Fatalf("deploy/%s: %v", name, err)
	}
	return &m
}

// What is shipped for Envoy has no setting that Envoy does not know, and does not fail open.
func TestEnvoyFiles(t *testing.T) {
	for _, name := range []string{"envoy/http.yaml", "envoy/grpc.yaml"} {
		f := envoyFilter(t, envoyManager(t, name))
		if f.GetFailureModeAllow() || f.GetFailureModeAllowHeaderAdd() || f.GetStatusOnError().GetCode() != 503 {
			t.Errorf("%s: %v", name, f)
		}
	}
}

// envoyFilter is ext_authz, which comes first.
func envoyFilter(t *testing.T, m *managerv3.HttpConnectionManager) *authzv3.ExtAuthz {
	t.Helper()
	var f authzv3.ExtAuthz
	if err := m.GetHttpFilters()[0].GetTypedConfig().UnmarshalTo(&f); err != nil {
		t.Fatal(err)
	}
	if err := f.ValidateAll(); err != nil {
		t.Fatal(err)
	}
	return &f
}

// startEnvoyGRPC stands in for Envoy's ext_authz over gRPC, with the settings of deploy/envoy/grpc.yaml.
func startEnvoyGRPC(t *testing.T, authd, upstream string) string {
	t.Helper()
	m := envoyManager(t, "envoy/grpc.yaml")
	f := envoyFilter(t, m)
	var route authzv3.ExtAuthzPerRoute
	config := m.GetRouteConfig().GetVirtualHosts()[0].GetRoutes()[0].GetTypedPerFilterConfig()["envoy.filters.http.ext_authz"]
	if err := config.UnmarshalTo(&route); err != nil {
		t.Fatal(err)
	}
	conn, err := grpc.NewClient(authd, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	client := authv3.NewAuthorizationClient(conn)
	entry := envoyEntry(t, settingsOf(t, "envoy/grpc.yaml"))
	timeout := f.GetGrpcService().GetTimeout().AsDuration()
	return startStandIn(t, upstream, timeout, func(_ *standIn, w http.ResponseWriter, r *http.Request) bool {
		if !entry(w, r) {
			return false
		}
		ctx, cancel := context.WithTimeout(r.Context(), timeout)
		defer cancel()
		verdict, err := client.Check(ctx, envoyQuestion(r, route.GetCheckSettings().GetContextExtensions()))
		if err != nil {
			w.WriteHeader(int(f.GetStatusOnError().GetCode()))
			return false
		}
		return obey(verdict, w, r)
	})
}

// envoyQuestion is what Envoy says of a request: names in lower case, the lines of a header joined.
func envoyQuestion(r *http.Request, extensions map[string]string) *authv3.CheckRequest {
	headers := map[string]string{":method": r.Method, ":path": r.RequestURI, ":authority": r.Host, ":scheme": "http"}
	for name, values := range r.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	return &authv3.CheckRequest{Attributes: &authv3.AttributeContext{
		Source: &authv3.AttributeContext_Peer{Address: &corev3.Address{Address: &corev3.Address_SocketAddress{
			SocketAddress: &corev3.SocketAddress{Address: peer(r), PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: 1}},
		}}},
		Request: &authv3.AttributeContext_Request{Http: &authv3.AttributeContext_HttpRequest{
			Method: r.Method, Path: r.RequestURI, Host: r.Host, Scheme: "http", Protocol: r.Proto, Headers: headers, Size: -1,
		}},
		ContextExtensions: extensions,
	}}
}

// obey does what the verdict says, and reports whether the request passes: by the status alone, as Envoy does.
func obey(v *authv3.CheckResponse, w http.ResponseWriter, r *http.Request) bool {
	if v.GetStatus().GetCode() == int32(codes.OK) {
		set(r.Header, v.GetOkResponse().GetHeaders())
		for _, name := range v.GetOkResponse().GetHeadersToRemove() {
			r.Header.Del(name)
		}
		return true
	}
	set(w.Header(), v.GetDeniedResponse().GetHeaders())
	code := int(v.GetDeniedResponse().GetStatus().GetCode())
	if code == 0 {
		code = http.StatusForbidden
	}
	w.WriteHeader(code)
	_, _ = w.Write([]byte(v.GetDeniedResponse().GetBody()))
	return false
}

func set(h http.Header, options []*corev3.HeaderValueOption) {
	for _, o := range options {
		name, value := o.GetHeader().GetKey(), o.GetHeader().GetValue()
		if value == "" {
			value = string(o.GetHeader().GetRawValue())
		}
		if o.GetAppendAction() == corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD {
			h.Del(name)
		}
		h.Add(name, value)
	}
}
