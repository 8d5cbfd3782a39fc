package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"authd/internal/auth"
	"authd/internal/inbound"
)

// blank is a ResponseWriter that costs nothing.
type blank struct{ h http.Header }

func (b *blank) Header() http.Header         { return b.h }
func (b *blank) Write(p []byte) (int, error) { return len(p), nil }
func (b *blank) WriteHeader(int)             {}

func benchRequest(path string, headers []string, key string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, path, http.NoBody)
	r.RemoteAddr = "127.0.0.1:40000"
	r.ContentLength = 0
	for _, h := range with(headers, "Accept: */*", "Accept-Encoding: gzip", "User-Agent: bench/1.0", "X-Real-Ip: 192.0.2.7") {
		name, value, _ := strings.Cut(h, ": ")
		r.Header[name] = []string{value}
	}
	r.Header.Set("API-KEY", key)
	return r
}

func benchHandler(b *testing.B) (http.Handler, string) {
	f := &memory{keys: map[auth.Digest]*auth.Key{}}
	key := f.add("Partner sync", nil)
	o := options(b, f, nil)
	o.Policies = map[string]*auth.Policy{"shop": mustPolicy(b, "shop", auth.Requirement{Scopes: []string{"shop:read"}},
		auth.Rule{Paths: []string{"/api/"}, Scopes: []string{"shop:write"}})}
	h, err := NewVerify(o)
	if err != nil {
		b.Fatal(err)
	}
	return h, key
}

func run(b *testing.B, h http.Handler, r *http.Request) {
	b.ReportAllocs()
	w := &blank{h: http.Header{}}
	for b.Loop() {
		clear(w.h)
		h.ServeHTTP(w, r)
	}
}

// The references: gin alone, and gin with the same headers as constants.

func BenchmarkGinEmpty(b *testing.B) {
	e := newEngine()
	e.Any("/verify", func(c *gin.Context) { c.Writer.WriteHeader(http.StatusOK) })
	run(b, e, benchRequest("/verify", nil, "x"))
}

func BenchmarkGinConstants(b *testing.B) {
	e := newEngine()
	value := []string{"constant"}
	e.Any("/verify", func(c *gin.Context) {
		h := c.Writer.Header()
		for _, n := range inbound.DefaultHeaders {
			h[n] = value
		}
		h["Cache-Control"] = noStore
		h["Content-Length"] = zeroLength
		c.Writer.WriteHeader(http.StatusOK)
	})
	run(b, e, benchRequest("/verify", nil, "x"))
}

func BenchmarkVerify(b *testing.B) {
	h, key := benchHandler(b)
	run(b, h, benchRequest("/verify", nil, key))
}

// One request of a client, asked about by each proxy.
func BenchmarkVerifyDialect(b *testing.B) {
	h, key := benchHandler(b)
	c := clientRequest{method: "GET", host: "shop.example.com", uri: "/api/orders?page=2", peer: "192.0.2.7"}
	for _, a := range askers {
		b.Run(strings.ReplaceAll(a.name, " ", "-"), func(b *testing.B) {
			line, headers := a.question("", c)
			target := line[len(a.asks(c))+1 : len(line)-len(" HTTP/1.1")]
			headers = append(headers, "API-KEY: "+key, "Accept: */*", "Accept-Encoding: gzip", "User-Agent: bench/1.0")
			r := asRequest(a.asks(c), target, a.host(c), asHeader(headers))
			run(b, h, r)
		})
	}
}

func BenchmarkVerifyTraefikPolicy(b *testing.B) {
	h, key := benchHandler(b)
	run(b, h, benchRequest("/verify/traefik/shop", traefik("GET", "shop.example.com", "/api/orders?page=2", "192.0.2.7"), key))
}

func BenchmarkVerifyUnknownKey(b *testing.B) {
	h, _ := benchHandler(b)
	run(b, h, benchRequest("/verify", nil, auth.NewSecret("ak").Reveal()))
}

func BenchmarkVerifyParallel(b *testing.B) {
	h, key := benchHandler(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		r, w := benchRequest("/verify", nil, key), &blank{h: http.Header{}}
		for pb.Next() {
			clear(w.h)
			h.ServeHTTP(w, r)
		}
	})
}
