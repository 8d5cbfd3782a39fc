package e2e

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// Over HTTP/2 a proxy has the host, the path and the names of headers in other forms, and the verdicts are
// the same.
func checkHTTP2(t *testing.T, c *chain) {
	if c.http2 == nil {
		return
	}
	addr := c.http2(t, c.gate.addr, c.upstream.addr)
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: &protocols}
	defer transport.CloseIdleConnections()
	spoofs := http.Header{"X-Auth-User": {"spoofed"}, "X-Forwarded-Uri": {"/public/1"}, "X-Forwarded-Host": {"api.example.com"}, "X-Original-Uri": {"/public/1"}}
	for _, x := range []struct {
		name, method, target, host, key string
		grpc                            bool
		want                            int
		as                              string
	}{
		{"a good key", "GET", "/orders/1?a=b", "api.example.com", "good", false, 200, login},
		{"no key", "GET", "/orders/1", "api.example.com", "", false, 401, ""},
		{"a revoked key", "GET", "/orders/1", "api.example.com", "revoked", false, 401, ""},
		{"outside the groups", "GET", "/orders/1", "api.example.com", "outsider", false, 403, ""},
		{"the public path", "GET", "/public/1", "api.example.com", "", false, 200, ""},
		{"not the public path", "GET", "/public/../admin", "api.example.com", "", false, denied, ""},
		{"not the public path, encoded", "GET", "/public/%2e%2e/admin", "api.example.com", "", false, denied, ""},
		{"the key's host", "GET", "/orders/1", "api.example.com", "reader", false, 200, login},
		{"the key's host with a port", "GET", "/orders/1", "API.example.com:443", "reader", false, 200, login},
		{"another host", "GET", "/orders/1", "other.example.com", "reader", false, 403, ""},
		{"another method", "POST", "/orders/1", "api.example.com", "reader", false, 403, ""},
		{"gRPC", "POST", "/shop.v1.Orders/List", "api.example.com", "good", true, 200, login},
		{"gRPC without a key", "POST", "/shop.v1.Orders/List", "api.example.com", "", true, 401, ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), x.method, "http://"+addr+x.target, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			id := strconv.FormatInt(lastID.Add(1), 10)
			r.Host, r.Header = x.host, spoofs.Clone()
			r.Header.Set("X-Case", id)
			if x.grpc {
				r.Body = io.NopCloser(strings.NewReader("\x00\x00\x00\x00\x00"))
				r.Header.Set("Content-Type", "application/grpc")
				r.Header.Set("Te", "trailers")
			}
			if x.key != "" {
				name, key, _ := strings.Cut(c.authd.key(x.key), ": ")
				r.Header.Set(name, key)
			}
			res, err := transport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			if res.ProtoMajor != 2 {
				t.Errorf("it was %s", res.Proto)
			}
			if s := c.judge(t, x.want, &answer{id: id, status: res.StatusCode, header: res.Header}); s != nil {
				s.as(t, x.as)
			}
		})
	}
}
