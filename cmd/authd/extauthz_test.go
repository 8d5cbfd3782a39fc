package main

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

var grpcOn = regexp.MustCompile(`Envoy's gRPC: (127\.0\.0\.1:\d+) \(listen\.extauthz 127\.0\.0\.1:0\)`)

// dialExtAuthz connects as Envoy does.
func (d *daemon) dialExtAuthz() *grpc.ClientConn {
	d.p.t.Helper()
	d.p.await("the address of the gRPC listener", func() bool { return grpcOn.MatchString(d.log.String()) })
	conn, err := grpc.NewClient(grpcOn.FindStringSubmatch(d.log.String())[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		d.p.t.Fatal(err)
	}
	d.p.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// check asks for GET /orders with this key.
func (d *daemon) check(conn *grpc.ClientConn, key, policy string) *authv3.CheckResponse {
	d.p.t.Helper()
	ctx, cancel := context.WithTimeout(d.p.t.Context(), patience)
	defer cancel()
	a := &authv3.AttributeContext{Request: &authv3.AttributeContext_Request{Http: &authv3.AttributeContext_HttpRequest{
		Method: "GET", Host: "shop.example.com", Path: "/orders?page=2", Headers: map[string]string{"api-key": key, "x-auth-groups": "admin"},
	}}}
	if policy != "" {
		a.ContextExtensions = map[string]string{"policy": policy}
	}
	resp, err := authv3.NewAuthorizationClient(conn).Check(ctx, &authv3.CheckRequest{Attributes: a})
	if err != nil {
		d.p.t.Fatal(err)
	}
	_, _ = d.p.all.Write([]byte(resp.String()))
	return resp
}

// wantCheck is check for what the client gets.
func (d *daemon) wantCheck(conn *grpc.ClientConn, want int, key, policy string) *authv3.CheckResponse {
	d.p.t.Helper()
	resp := d.check(conn, key, policy)
	got := http.StatusOK
	if codes.Code(resp.GetStatus().GetCode()) != codes.OK {
		got = int(resp.GetDeniedResponse().GetStatus().GetCode())
	}
	if got != want {
		d.p.t.Fatalf("answered %d, want %d: %v", got, want, resp)
	}
	return resp
}

func serving(t *testing.T, conn *grpc.ClientConn) string {
	resp, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{})
	if err != nil {
		return status.Code(err).String()
	}
	return resp.GetStatus().String()
}

// What holds for /verify holds for Envoy's gRPC: create, ask, revoke, ask, stop.
func TestExtAuthz(t *testing.T) {
	p := newPlace(t)
	p.env = append(p.env, "AUTHD_LISTEN_EXTAUTHZ=127.0.0.1:0")
	p.write("authd.yaml", "policies: {partners: {groups: [partner]}, staff: {groups: [staff]}}\n")
	d := p.serve("-c", "authd.yaml")
	conn := d.dialExtAuthz()
	if got := serving(t, conn); got != "SERVING" {
		t.Errorf("health is %s", got)
	}
	key := p.must("keys", "create", "Partner sync", "--user", "partner@example.com", "--group", "partner", "--path", "/orders")
	told := map[string]string{}
	ok := d.wantCheck(conn, 200, key, "partners").GetOkResponse()
	for _, h := range ok.GetHeaders() {
		told[h.GetHeader().GetKey()] = h.GetHeader().GetValue()
	}
	if told["x-auth-user"] != "partner@example.com" || told["x-auth-groups"] != "partner" || !strings.Contains(strings.Join(ok.GetHeadersToRemove(), " "), "x-auth-scopes") {
		t.Errorf("the upstream is told %v", ok)
	}
	d.wantCheck(conn, 200, key, "")
	d.wantCheck(conn, 401, "", "")
	d.wantCheck(conn, 403, key, "staff")
	d.wantCheck(conn, 403, key, "nope")
	if page := d.fetch("GET", d.metrics+"/metrics"); page == nil || !strings.Contains(page.body, `authd_verify_total{policy="partners",proxy="envoy-grpc",reason="ok",result="allow"} 1`) {
		t.Error("the metrics do not tell of it")
	}
	p.must("keys", "revoke", "partner_sync")
	denial := d.wantCheck(conn, 401, key, "partners").GetDeniedResponse()
	if !strings.Contains(denial.GetBody(), `"code":"invalid_credential"`) {
		t.Errorf("the client is told %v", denial)
	}

	d.signal(syscall.SIGTERM)
	p.await("NOT_SERVING", func() bool { return serving(t, conn) == "NOT_SERVING" })
	d.wantCheck(conn, 401, key, "partners") // requests still come, and are answered
	if code := d.wait(); code != 0 {
		t.Errorf("exit code %d\n%s", code, d.log)
	}
	if got := serving(t, conn); got != "Unavailable" {
		t.Errorf("after the end, health is %s", got)
	}
	p.nowhere(key)
}

// The listener is off unless it is asked for.
func TestExtAuthzIsOffByDefault(t *testing.T) {
	p := newPlace(t)
	if d := p.serve(); strings.Contains(d.log.String(), "gRPC") {
		t.Errorf("the greeting tells of it:\n%s", d.log)
	}
}

// An address that is taken stops the start, and names its setting.
func TestExtAuthzAddressIsTaken(t *testing.T) {
	p := newPlace(t)
	p.env = append(p.env, "AUTHD_LISTEN_EXTAUTHZ=127.0.0.1:0")
	first := p.serve()
	conn := first.dialExtAuthz()
	p.env = append(p.env, "AUTHD_LISTEN_EXTAUTHZ="+conn.Target())
	if _, code := p.authd("serve"); code != 1 && code != 2 || !strings.Contains(p.all.String(), "listen.extauthz") || !strings.Contains(p.all.String(), "end the process that has it") {
		t.Errorf("exit code %d\n%s", code, p.all)
	}
}
