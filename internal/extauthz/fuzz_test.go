package extauthz

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"

	"authd/internal/auth"
)

// credulous is a Finder that knows every key: whatever gets as far as a look-up passes.
type credulous struct{ restrictions *auth.Restrictions }

func (c credulous) ByDigest(_ context.Context, d auth.Digest) (*auth.Key, error) {
	return &auth.Key{Digest: d, ID: "1", Name: "k", User: "u", UserActive: true, Active: true, Restrictions: c.restrictions}, nil
}

func (credulous) ByName(context.Context, string) (*auth.Key, error) { return nil, auth.ErrKeyNotFound }

func fuzzService(f *testing.F, c credulous) *service {
	f.Helper()
	o := options(f, c, prometheus.NewRegistry())
	s, err := newService(&o)
	if err != nil {
		f.Fatal(err)
	}
	return s
}

// fromEnvoy is the context of a call by the trusted peer.
func fromEnvoy() context.Context {
	return peer.NewContext(context.Background(), &peer.Peer{Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4000}})
}

func passes(t *testing.T, s *service, req *authv3.CheckRequest) bool {
	t.Helper()
	resp, err := s.Check(fromEnvoy(), req)
	if err != nil || (resp.GetOkResponse() == nil) == envoyAllows(resp) {
		t.Fatalf("the answer is %v, %v", resp, err)
	}
	return envoyAllows(resp)
}

const fuzzKey = "correct-horse-battery-staple"

// clearValue is a credential that nobody can read in two ways, of a length that a key may have, imported ones included.
var clearValue = regexp.MustCompile(fmt.Sprintf(`\A[!-+\--~]{%d,%d}\z`, auth.MinImported, auth.MaxSecret))

// A key that is bound to GET below /public/ on one host, and to a network,
// passes only with a request that is clearly that.
func FuzzAttributes(f *testing.F) {
	for _, target := range []string{
		"/public/a", "/public/a?b=../c", "/public/%61", "/public/../admin", "/public/%2e%2e/admin", "//public/a", "/public//a", "/public/a;b", "/public/%2fa",
		`/public/\a`, "/public/%00", "/public/%252e", "/admin", "/public", "?/public/", "", "*", "/public/a#b", "/public/\xff", "http://a.example.com/public/",
	} {
		f.Add("GET", "a.example.com", target, "192.0.2.7", "", fuzzKey)
	}
	f.Add("get", "a.example.com", "/public/", "192.0.2.7", "", fuzzKey)
	f.Add("GET", "a.example.com:80", "/public/", "10.0.0.1", "192.0.2.7", fuzzKey)
	f.Add("GET", "evil.test/a.example.com", "/public/", "198.51.100.1", "192.0.2.7", fuzzKey)
	f.Add("GET", "a.example.com", "/public/", "10.0.0.1", "192.0.2.7,10.0.0.2", fuzzKey+","+fuzzKey)
	f.Add("GET", "a.example.com", "/public/", "192.0.2.7", "", "00000000")
	f.Add("GET", "a.example.com", "/public/", "192.0.2.7", "", "0000000")
	s := fuzzService(f, credulous{&auth.Restrictions{
		Hosts: []string{"*.example.com"}, Methods: []string{"GET"}, Paths: []string{"/public/"}, CIDRs: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
	}})
	f.Fuzz(func(t *testing.T, method, host, target, from, forwarded, key string) {
		r := request{method: method, host: host, target: target, client: from}
		req := envoy{}.ask(r)
		req.Attributes.Request.Http.Headers["api-key"] = key
		if forwarded != "" {
			req.Attributes.Request.Http.Headers["x-forwarded-for"] = forwarded
		}
		if !passes(t, s, req) {
			return
		}
		raw, _, _ := strings.Cut(target, "?")
		decoded, err := url.PathUnescape(raw)
		name, _, _ := strings.Cut(strings.ToLower(host), ":")
		if err != nil || !strings.HasPrefix(path.Clean(decoded)+"/", "/public/") || strings.Contains(decoded, "//") || strings.ContainsAny(decoded, "\\;\x00\n") ||
			method != "GET" || !strings.HasSuffix(strings.TrimSuffix(name, "."), ".example.com") || strings.ContainsAny(host, "/@,\n ") || !clearValue.MatchString(key) {
			t.Errorf("%q %q %q with %q has passed", method, host, target, key)
		}
		// The network: Envoy's own peer, or behind a trusted one the last word of X-Forwarded-For that is no proxy's.
		if !strings.Contains(from, "192.0.2.") && !(strings.Contains(from, "10.") || strings.Contains(from, "127.")) || !strings.Contains(from+forwarded, "192.0.2.") {
			t.Errorf("from %q, forwarded for %q has passed", from, forwarded)
		}
	})
}

// Whatever headers there are, and in whichever of their two forms: what passes has one clear
// credential, and no alias of an identity header; and its identity is nobody else's.
func FuzzHeaders(f *testing.F) {
	for _, s := range [][2]string{
		{"api-key", fuzzKey}, {"API-KEY", fuzzKey}, {"x-auth-user", "root"}, {"x_auth_user", "root"}, {"X-Auth-User", "root"}, {"x.auth.groups", ""},
		{"authorization", "Bearer " + fuzzKey}, {"authorization", "Bearer a, Bearer b"}, {"x-api-key", "other-other-other-other"}, {"", ""}, {"cookie", "a"},
		{"api-\u212aey", fuzzKey}, {"api-\u212aey", "a,b"}, {"X\x8eAuth-User", "root"}, {"x\u00e9auth-user", "root"},
	} {
		f.Add(s[0], s[1], false)
		f.Add(s[0], s[1], true)
	}
	s := fuzzService(f, credulous{})
	f.Fuzz(func(t *testing.T, name, value string, raw bool) {
		e := envoy{raw: raw}
		r := get("/", "API-KEY: "+fuzzKey)
		req := e.ask(r)
		h := req.Attributes.Request.Http
		if raw {
			h.HeaderMap.Headers = append(h.HeaderMap.Headers, set(name, value).Header)
		} else {
			h.Headers[name] = value
		}
		if !passes(t, s, req) {
			return
		}
		lowered := strings.Map(func(r rune) rune { // ASCII's letters alone: Unicode's would make a name of what is none
			if 'A' <= r && r <= 'Z' {
				return r + 'a' - 'A'
			}
			return r
		}, name)
		folded := strings.Map(func(r rune) rune {
			if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
				return r
			}
			return '-'
		}, lowered)
		if slices.Contains(s.identity, folded) && !slices.Contains(s.identity, lowered) {
			t.Errorf("an alias %q has passed", name)
		}
		if (lowered == "api-key" || lowered == "x-api-key") && value != "" && !clearValue.MatchString(value) {
			t.Errorf("%q: %q has passed", name, value)
		}
	})
}

// Whatever bytes come: an answer and no error, and nobody without a key passes.
func FuzzMessage(f *testing.F) {
	for _, r := range []request{get("/"), get("/", "API-KEY: x"), get("/a?b", "X: y").under("shop"), {}} {
		for _, e := range []envoy{{}, {raw: true}, {appended: true}} {
			b, err := proto.Marshal(e.ask(r))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	f.Add([]byte("\xff"))
	o := options(f, &memory{}, prometheus.NewRegistry())
	delete(o.Policies, "open")
	delete(o.Policies, "ruled")
	s, err := newService(&o)
	if err != nil {
		f.Fatal(err)
	}
	c := newCodec()
	f.Fuzz(func(t *testing.T, b []byte) {
		req := &authv3.CheckRequest{}
		if err := c.Unmarshal(mem.BufferSlice{mem.SliceBuffer(b)}, req); err != nil {
			t.Fatalf("an RPC error: %v", err)
		}
		if passes(t, s, req) {
			t.Errorf("nobody has passed, with %v", req)
		}
	})
}
