package e2e

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// ask is a request to the letter: Go's client would tidy it up.
type ask struct {
	method, target string // GET and /orders/1, where empty
	host           string // api.example.com, where empty
	lines          []string
	body           []byte
	chunked        bool
	withheld       bool // the body is announced and never sent
}

// answer is what the client gets.
type answer struct {
	id     string // of the request
	status int
	header http.Header
	body   string
	took   time.Duration
}

var lastID atomic.Int64

// head is the request up to its body, and an id of its own.
func (a *ask) head() (head, id string) {
	id = strconv.FormatInt(lastID.Add(1), 10)
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nX-Case: %s\r\n", orElse(a.method, "GET"), orElse(a.target, "/orders/1"), orElse(a.host, "api.example.com"), id)
	for _, l := range a.lines {
		b.WriteString(l + "\r\n")
	}
	switch {
	case a.chunked:
		b.WriteString("Transfer-Encoding: chunked\r\n")
	case a.body != nil:
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(a.body))
	}
	return b.String() + "\r\n", id
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// to sends the request over a connection of its own.
func (a *ask) to(addr string) (*answer, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	return a.over(c, bufio.NewReader(c))
}

// over sends the request, and reads the answer; the body goes out meanwhile, as far as anybody takes it.
func (a *ask) over(c net.Conn, r *bufio.Reader) (*answer, error) {
	head, id := a.head()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	begin := time.Now()
	if _, err := io.WriteString(c, head); err != nil {
		return nil, err
	}
	if a.body != nil && !a.withheld {
		go a.sendBody(c)
	}
	res, err := readFinal(r, orElse(a.method, "GET"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	got := &answer{id: id, status: res.StatusCode, header: res.Header, took: time.Since(begin)}
	if res.StatusCode == http.StatusSwitchingProtocols {
		return got, nil
	}
	body, err := io.ReadAll(res.Body)
	got.body = string(body)
	return got, err
}

// sendBody sends it in pieces. An error means that it was not wanted: the answer tells why.
func (a *ask) sendBody(c net.Conn) {
	for rest := a.body; len(rest) > 0; {
		piece := rest[:min(len(rest), 64<<10)]
		rest = rest[len(piece):]
		if a.chunked {
			piece = bytes.Join([][]byte{[]byte(strconv.FormatInt(int64(len(piece)), 16)), piece, nil}, []byte("\r\n"))
		}
		if _, err := c.Write(piece); err != nil {
			return
		}
	}
	if a.chunked {
		_, _ = io.WriteString(c, "0\r\n\r\n")
	}
}

// readFinal passes over 100 Continue.
func readFinal(r *bufio.Reader, method string) (*http.Response, error) {
	for {
		res, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			return nil, err
		}
		if res.StatusCode != http.StatusContinue {
			return res, nil
		}
		if err := res.Body.Close(); err != nil {
			return nil, errors.Join(errors.New("100 Continue has a body"), err)
		}
	}
}
