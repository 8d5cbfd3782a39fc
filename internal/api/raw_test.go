package api

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/textproto"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is what no test reaches unless an answer never comes.
const patience = 30 * time.Second

// raw is a connection on which nothing is tidied up.
type raw struct {
	t *testing.T
	c net.Conn
	r *bufio.Reader
}

func dial(t *testing.T, addr string) *raw {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &raw{t, c, bufio.NewReader(c)}
}

func (r *raw) write(s string) {
	r.t.Helper()
	if _, err := io.WriteString(r.c, s); err != nil {
		r.t.Fatal(err)
	}
}

// head is a request as it goes over the wire, with a Host and an empty line at its end.
func head(requestLine string, headers ...string) string {
	return requestLine + "\r\n" + strings.Join(append([]string{"Host: authd.test"}, headers...), "\r\n") + "\r\n\r\n"
}

// wire is an answer as it came over the wire.
type wire struct {
	status int
	lines  []string // of the header, in the order in which they came
	body   string
}

// answer reads one. What was asked by HEAD has no body.
func (r *raw) answer(method string) wire {
	r.t.Helper()
	w, err := r.read(method)
	if err != nil {
		r.t.Fatalf("no answer: %v", err)
	}
	return w
}

func (r *raw) read(method string) (wire, error) {
	tp := textproto.NewReader(r.r)
	first, err := tp.ReadLine()
	if err != nil {
		return wire{}, err
	}
	_, rest, _ := strings.Cut(first, " ")
	code, _, _ := strings.Cut(rest, " ")
	w := wire{}
	if w.status, err = strconv.Atoi(code); err != nil {
		return wire{}, errors.New("no status line: " + first)
	}
	for {
		line, err := tp.ReadLine()
		if err != nil {
			return wire{}, err
		}
		if line == "" {
			break
		}
		w.lines = append(w.lines, line)
	}
	if n := w.values("Content-Length"); len(n) == 1 && method != "HEAD" {
		size, err := strconv.Atoi(n[0])
		if err != nil {
			return wire{}, err
		}
		b := make([]byte, size)
		if _, err := io.ReadFull(r.r, b); err != nil {
			return wire{}, err
		}
		w.body = string(b)
	}
	return w, nil
}

// values are those of a header of exactly this spelling.
func (w wire) values(name string) []string {
	var found []string
	for _, line := range w.lines {
		if v, ok := strings.CutPrefix(line, name+":"); ok {
			found = append(found, strings.Trim(v, " "))
		}
	}
	return found
}

// dateless are the header lines in order, without the one that time changes.
func (w wire) dateless() []string {
	lines := slices.DeleteFunc(slices.Clone(w.lines), func(l string) bool { return strings.HasPrefix(l, "Date: ") })
	slices.Sort(lines)
	return lines
}

// ended waits for the end of the connection. Nothing may come before it.
// clean reports that it was closed, and not reset.
func (r *raw) ended() (clean bool) {
	r.t.Helper()
	b, err := r.r.ReadByte()
	switch {
	case err == nil:
		r.t.Fatalf("byte %q came where the end of the connection was due", b)
	case errors.Is(err, os.ErrDeadlineExceeded):
		r.t.Fatal("the connection stays open")
	case errors.Is(err, io.EOF):
		return true
	case !errors.Is(err, syscall.ECONNRESET):
		r.t.Fatal(err)
	}
	return false
}

// send asks once, on a connection of its own.
func (f *fixture) send(request string) wire {
	f.t.Helper()
	method, _, _ := strings.Cut(request, " ")
	c := dial(f.t, f.addr)
	c.write(request)
	w := c.answer(method)
	_ = c.c.Close()
	return w
}
