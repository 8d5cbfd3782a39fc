package load

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReader(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nDate: Mon, 02 Jan 2006 15:04:05 GMT\r\nContent-Length: 0\r\n\r\n"
	for _, c := range []struct {
		name, in string
		status   int    // of the first answer
		err      string // a part of the error; "" for none
	}{
		{"empty answer", ok, 200, ""},
		{"with a body", "HTTP/1.1 401 Unauthorized\r\ncontent-length:  5\r\nA: b\r\n\r\nhello", 401, ""},
		{"no content", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
		{"no reason phrase", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, ""},
		{"a long body", "HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n" + strings.Repeat("x", 40000), 200, ""},
		{"nothing", "", 0, "EOF"},
		{"cut in the head", ok[:40], 0, "unexpected EOF"},
		{"cut in the body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", 0, "ended early"},
		{"more than announced", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nhello", 0, "4 bytes more"},
		{"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, "without Content-Length"},
		{"continue", "HTTP/1.1 100 Continue\r\n\r\n", 0, "not a final status"},
		{"no number", "HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n", 0, "not a final status"},
		{"negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", 0, "not a length"},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 0, "HTTP/1.1"},
		{"another protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n", 0, "HTTP/1.1"},
		{"endless head", "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", 2*maxAnswer), 0, "longer than"},
	} {
		// However the bytes arrive, the answer is the same.
		for way, src := range map[string]io.Reader{
			"at once":     strings.NewReader(c.in),
			"one by one":  iotest.OneByteReader(strings.NewReader(c.in)),
			"end at once": iotest.DataErrReader(strings.NewReader(c.in)),
		} {
			// One by one, the bytes that are too many come after the answer was read.
			if c.name == "more than announced" && way == "one by one" {
				continue
			}
			status, err := newReader(src).next()
			if c.err == "" && (err != nil || status != c.status) {
				t.Errorf("%s, %s: status %d, error %v", c.name, way, status, err)
			}
			if c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("%s, %s: error %v, want one with %q", c.name, way, err, c.err)
			}
		}
	}
}

func TestReaderGoesFromAnswerToAnswer(t *testing.T) {
	in, out := io.Pipe()
	r := newReader(in)
	for _, c := range []struct {
		answer string
		status int
	}{
		{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200},
		{"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", 503},
		{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200},
	} {
		go func() { _, _ = io.WriteString(out, c.answer) }()
		if status, err := r.next(); status != c.status || err != nil {
			t.Fatalf("%q was read as status %d, error %v", c.answer, status, err)
		}
	}
	_ = out.Close()
	if _, err := r.next(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last answer: %v, want EOF", err)
	}
}
