package e2e

import (
	"bufio"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// seen is a request as it reached the service behind.
type seen struct {
	method, uri, host string
	header            http.Header
	length            int64
	sum               string
}

// upstream is the service behind. It tells requests apart by X-Case.
type upstream struct {
	addr string
	mu   sync.Mutex
	seen map[string][]seen
}

func startUpstream(t *testing.T) *upstream {
	t.Helper()
	u := &upstream{seen: map[string][]seen{}}
	s := httptest.NewServer(u)
	t.Cleanup(s.Close)
	u.addr = strings.TrimPrefix(s.URL, "http://")
	return u
}

// ServeHTTP answers 200, or the status that X-Want-Status names.
func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := seen{method: r.Method, uri: r.RequestURI, host: r.Host, header: r.Header.Clone()}
	if r.Header.Get("Upgrade") != "" {
		u.record(s)
		u.echo(w, r)
		return
	}
	sum := sha256.New()
	s.length, _ = io.Copy(sum, r.Body)
	s.sum = fmt.Sprintf("%x", sum.Sum(nil))
	u.record(s)
	status := http.StatusOK
	_, _ = fmt.Sscanf(r.Header.Get("X-Want-Status"), "%d", &status)
	w.Header().Set("X-Upstream", "orders")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "of the service\n")
}

func (u *upstream) record(s seen) {
	u.mu.Lock()
	defer u.mu.Unlock()
	id := s.header.Get("X-Case")
	u.seen[id] = append(u.seen[id], s)
}

func (u *upstream) of(id string) []seen {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.seen[id]
}

// echo says back each line that it is sent, once the protocol is switched.
func (u *upstream) echo(w http.ResponseWriter, r *http.Request) {
	c, rw, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = c.Close() }()
	// HAProxy looks at it, as a browser does.
	accept := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	_, _ = fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(accept[:]))
	lines := bufio.NewScanner(rw)
	for lines.Scan() {
		if _, err := fmt.Fprintf(c, "%s\n", lines.Text()); err != nil {
			return
		}
	}
}
