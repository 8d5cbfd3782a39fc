package main

import (
	"context"
	"strings"
)

// questions are what each proxy asks about one request of a client.
var questions = []struct{ name, question string }{
	{"traefik", asked("GET /verify/traefik", forwardedHeaders)},
	{"nginx", asked("GET /verify/nginx", originalHeaders+"\nX-Original-Host: shop.example.com\nX-Original-URI: /api/orders?page=2\nX-Request-Id: 5f0cf0b4c2a64a3e9b1d2c3e4f506172")},
	{"ingress-nginx", asked("GET /verify/ingress-nginx", originalHeaders+"\nX-Original-URL: https://shop.example.com/api/orders?page=2\nX-Real-IP: 192.0.2.7")},
	{"caddy", asked("GET /verify/caddy?page=2", forwardedHeaders)},
	{"haproxy", asked("GET /verify/haproxy", forwardedHeaders)},
	{"apisix", asked("GET /verify/apisix", forwardedHeaders)},
	{"envoy", asked("GET /verify/envoy/default/api/orders?page=2", "X-Forwarded-For: 192.0.2.7\nContent-Length: 0")},
}

const (
	forwardedHeaders = "X-Forwarded-Method: GET\nX-Forwarded-Host: shop.example.com\nX-Forwarded-Uri: /api/orders?page=2\nX-Forwarded-For: 192.0.2.7\nX-Forwarded-Proto: https"
	originalHeaders  = "X-Original-Method: GET\nX-Forwarded-For: 192.0.2.7"
)

// asked is a question up to the headers that all have; its own are one a line.
func asked(target, headers string) string {
	return target + " HTTP/1.1\r\nHost: shop.example.com\r\n" + strings.ReplaceAll(headers, "\n", "\r\n")
}

// measureDialects holds a contest for each dialect: the empty handler reads the same headers.
func measureDialects(ctx context.Context, b *bench) error {
	for _, q := range questions {
		err := contest{
			name: "dialect " + q.name, title: "A warm key, asked by " + q.name,
			set:        warmKey(q.question),
			references: []rival{{title: "empty gin", launch: emptyGin, atMost: 1.60}},
		}.run(ctx, b)
		if err != nil {
			return err
		}
	}
	return nil
}
