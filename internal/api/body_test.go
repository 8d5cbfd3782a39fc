package api

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"authd/internal/auth"
)

// patient serves the handler without any time-out: an answer that waits for a
// body never comes, so that no test depends on how fast it does.
func patient(t *testing.T, h http.Handler) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := NewServer(h, slog.New(slog.DiscardHandler))
	srv.ReadTimeout, srv.ReadHeaderTimeout, srv.WriteTimeout = 0, 0, 0
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close(); <-done })
	return l.Addr().String()
}

// announcements are bodies that are announced, and what of them is sent.
var announcements = map[string]struct {
	headers []string
	sent    string
}{
	"a length, and nothing":        {[]string{"Content-Length: 10"}, ""},
	"a length, and a part":         {[]string{"Content-Length: 10"}, "abc"},
	"10 MB, and nothing":           {[]string{"Content-Length: 10485760"}, ""},
	"more than there is":           {[]string{"Content-Length: 9223372036854775807"}, ""},
	"chunks, and nothing":          {[]string{"Transfer-Encoding: chunked"}, ""},
	"a chunk, and no end":          {[]string{"Transfer-Encoding: chunked"}, "3\r\nabc\r\n"},
	"half a chunk":                 {[]string{"Transfer-Encoding: chunked"}, "ffff\r\nabc"},
	"no chunk at all":              {[]string{"Transfer-Encoding: chunked"}, "nonsense\r\n"},
	"length and chunks":            {[]string{"Content-Length: 10", "Transfer-Encoding: chunked"}, ""},
	"after a 100 that never comes": {[]string{"Content-Length: 10", "Expect: 100-continue"}, ""},
	"chunks, after a 100":          {[]string{"Transfer-Encoding: chunked", "Expect: 100-continue"}, ""},
}

func TestABodyThatNeverComesIsNotWaitedFor(t *testing.T) {
	f := start(t, nil)
	addr := patient(t, f.handler)
	key := "API-KEY: " + f.keys.add("Partner sync", nil)
	f.keys.fail(nil, nil)
	for name, a := range announcements {
		for _, c := range []struct {
			line   string
			key    string
			status int
		}{
			{"POST /verify", key, 200}, {"GET /verify", key, 200}, {"HEAD /verify", key, 200}, {"PROPFIND /verify/traefik", key, 200},
			{"POST /verify/envoy/default/upload", key, 200}, {"GET /verify/nginx", key, 200}, {"HEAD /verify/haproxy", key, 200}, {"POST /verify/apisix", key, 200},
			{"GET /verify/nginx", "A: b", 401}, {"PUT /verify/envoy/nope/upload", key, 403},
			{"POST /verify", "A: b", 401}, {"POST /verify/traefik/nope", key, 403}, {"POST /elsewhere", key, 404},
			{"GET /healthz", key, 200}, {"GET /readyz", key, 200}, {"POST /healthz", key, 404},
		} {
			conn := dial(t, addr)
			conn.write(head(c.line+" HTTP/1.1", with(a.headers, c.key)...) + a.sent)
			method, _, _ := strings.Cut(c.line, " ")
			w := conn.answer(method)
			if got := w.values("Connection"); w.status != c.status || len(got) != 1 || got[0] != "close" {
				t.Errorf("%s, %s: answered %d with Connection %q, want %d and close", name, c.line, w.status, got, c.status)
			}
			conn.ended()
		}
	}
}

func TestAPanicDoesNotWaitForABody(t *testing.T) {
	f := start(t, nil)
	addr := patient(t, f.handler)
	key := "API-KEY: " + f.keys.add("Partner sync", nil)
	f.keys.fail(nil, "a bug")
	conn := dial(t, addr)
	conn.write(head("POST /verify HTTP/1.1", key, "Content-Length: 10"))
	if w := conn.answer("POST"); w.status != 503 {
		t.Errorf("answered %d", w.status)
	}
	conn.ended()
}

// What follows an announced body on the connection could be the body, or the
// next request. It is answered as neither, and the answer has said so.
func TestWhatFollowsAnAnnouncedBodyIsNotAnswered(t *testing.T) {
	f := start(t, nil)
	addr := patient(t, f.handler)
	key := "API-KEY: " + f.keys.add("Partner sync", nil)
	next := head("GET /verify HTTP/1.1", key)
	for name, body := range map[string]string{
		"nothing of it": "", "all of it": strings.Repeat("x", 1000), "half of it": strings.Repeat("x", 500),
	} {
		conn := dial(t, addr)
		conn.write(head("POST /verify HTTP/1.1", key, "Content-Length: 1000") + body + next)
		if w := conn.answer("POST"); w.status != 200 || len(w.values("Connection")) != 1 {
			t.Errorf("%s: answered %d %q", name, w.status, w.lines)
		}
		conn.ended()
	}
}

func TestAnUploadIsAnsweredWhileItComes(t *testing.T) {
	f := start(t, nil)
	addr := patient(t, f.handler)
	key := "API-KEY: " + f.keys.add("Partner sync", nil)
	for name, c := range map[string]struct {
		key, header string
		status      int
	}{
		"allowed": {key, "Content-Length: 10485760", 200}, "denied": {"A: b", "Content-Length: 10485760", 401},
		"chunked": {key, "Transfer-Encoding: chunked", 200},
	} {
		conn := dial(t, addr)
		conn.write(head("PUT /verify HTTP/1.1", c.key, c.header))
		done := make(chan struct{})
		go func() { // what can't be written any more is nobody's loss
			defer close(done)
			chunk := "10000\r\n" + strings.Repeat("x", 64<<10) + "\r\n"
			for range 160 {
				if _, err := io.WriteString(conn.c, chunk); err != nil {
					return
				}
			}
		}()
		if w := conn.answer("PUT"); w.status != c.status || len(w.values("Connection")) != 1 {
			t.Errorf("%s: answered %d %q", name, w.status, w.lines)
		}
		_ = conn.c.Close()
		<-done
	}
}

// slowFinder takes its time for every look-up, and tells when one begins.
type slowFinder struct {
	auth.Finder
	began chan struct{}
	takes time.Duration
}

func (s *slowFinder) ByDigest(ctx context.Context, d auth.Digest) (*auth.Key, error) {
	s.began <- struct{}{}
	time.Sleep(s.takes)
	return s.Finder.ByDigest(ctx, d)
}

// A look-up that takes longer than the grace must not cost the client its
// answer: the grace begins with it. The body is read away, so that the
// connection ends, and is not reset. One clean end in many shows that; a busy
// machine may let the grace pass in some.
func TestTheGraceBeginsWithTheAnswer(t *testing.T) {
	slow := &slowFinder{began: make(chan struct{}, 1), takes: 2 * bodyGrace}
	f := start(t, func(o *Options) {
		slow.Finder = &memory{keys: map[auth.Digest]*auth.Key{}}
		o.Checker = auth.NewChecker(testDigester, slow, nil, auth.Options{})
	})
	addr := patient(t, f.handler)
	for range 50 {
		conn := dial(t, addr)
		conn.write(head("POST /verify HTTP/1.1", "API-KEY: "+auth.NewSecret("ak").Reveal(), "Content-Length: 5"))
		<-slow.began
		conn.write("hello") // not before: it would have been read along with the header
		if w := conn.answer("POST"); w.status != 401 {
			t.Fatalf("answered %d", w.status)
		}
		if conn.ended() {
			return
		}
	}
	t.Error("every connection was reset: its client may never see the answer")
}

func TestRequestsWithoutBodiesKeepTheConnection(t *testing.T) {
	f := start(t, nil)
	key := "API-KEY: " + f.keys.add("Partner sync", nil)
	conn := dial(t, f.addr)
	kinds := []struct {
		request string
		method  string
		status  int
	}{
		{head("GET /verify HTTP/1.1", key), "GET", 200},
		{head("POST /verify HTTP/1.1", key, "Content-Length: 0"), "POST", 200},
		{head("GET /verify HTTP/1.1"), "GET", 401},
		{head("HEAD /verify HTTP/1.1"), "HEAD", 401},
		{head("GET /verify/traefik/nope HTTP/1.1", key), "GET", 403},
		{head("GET /nothing HTTP/1.1"), "GET", 404},
		{head("GET /readyz HTTP/1.1"), "GET", 200},
		{head("BREW /verify HTTP/1.1", key), "BREW", 200},
	}
	for range 125 { // pipelined, eight at once: a thousand requests
		var batch strings.Builder
		for _, k := range kinds {
			batch.WriteString(k.request)
		}
		conn.write(batch.String())
		for _, k := range kinds {
			if w := conn.answer(k.method); w.status != k.status || len(w.values("Connection")) != 0 {
				t.Fatalf("%.40q: answered %d %q, want %d", k.request, w.status, w.lines, k.status)
			}
		}
	}
}
