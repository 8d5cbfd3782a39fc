package e2e

import (
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// standIn is a proxy of our own in the place of one that is not to be had here. Only what the
// real one is known to do is in it.
type standIn struct {
	upstream *httputil.ReverseProxy
	client   *http.Client
	judge    func(s *standIn, w http.ResponseWriter, r *http.Request) (passes bool)
}

// hopByHop belong to one connection. No proxy passes them on to whom it asks.
var hopByHop = []string{"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Proxy-Authenticate", "Proxy-Authorization"}

func startStandIn(t *testing.T, upstream string, timeout time.Duration, judge func(*standIn, http.ResponseWriter, *http.Request) bool) (addr string) {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 32}
	t.Cleanup(transport.CloseIdleConnections)
	s := &standIn{judge: judge}
	s.client = &http.Client{Timeout: timeout, Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	s.upstream = &httputil.ReverseProxy{Transport: transport, Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(&url.URL{Scheme: "http", Host: upstream})
		p.Out.Host = p.In.Host
	}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// ServeHTTP asks, and passes the request on or not. What Connection names has been taken away by then, or
// stays: it is never taken away after authd has answered.
func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.judge(s, w, r) {
		if r.Header.Get("Upgrade") == "" {
			r.Header.Del("Connection")
		}
		s.upstream.ServeHTTP(w, r)
	}
}

// ask puts a question to authd. The answer's body is read whole, so that the connection can be kept.
func (s *standIn) ask(r *http.Request, method, target, host string, header http.Header) (*http.Response, []byte, error) {
	q, err := http.NewRequestWithContext(r.Context(), method, target, http.NoBody)
	if err != nil {
		return nil, nil, err
	}
	q.Header = header
	if host != "" {
		q.Host = host
	}
	res, err := s.client.Do(q)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return res, body, err
}

// take replaces a header by authd's, and deletes it where authd has none.
func take(h, from http.Header, names ...string) {
	for _, n := range names {
		n = http.CanonicalHeaderKey(n)
		if h.Del(n); from[n] != nil {
			h[n] = from[n]
		}
	}
}

// without is a copy that lacks some headers.
func without(h http.Header, names ...string) http.Header {
	h = maps.Clone(h)
	for _, n := range names {
		h.Del(n)
	}
	return h
}

// peer is the address of the client.
func peer(r *http.Request) string {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	return host
}

// settingsOf reads a YAML file of deploy/.
func settingsOf(t *testing.T, name string) *yaml.Node {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(shipped(t, name)), &doc); err != nil {
		t.Fatalf("deploy/%s: %v", name, err)
	}
	return &doc
}

// section finds the first table or list of that name, wherever it is, and reads it strictly.
func section[T any](t *testing.T, doc *yaml.Node, name string) (v T) {
	t.Helper()
	n := find(doc, name)
	if n == nil {
		t.Fatalf("there is no %s", name)
	}
	if err := n.Decode(&v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

func find(n *yaml.Node, name string) *yaml.Node {
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && child.Value == name {
			return n.Content[i+1]
		}
		if found := find(child, name); found != nil {
			return found
		}
	}
	return nil
}
