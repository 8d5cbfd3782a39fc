package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// maxAnswer bounds the head of an answer, in bytes.
const maxAnswer = 16 << 10

// reader reads answers of HTTP/1.1, and keeps nothing of them but the status.
// It knows no chunked bodies: an answer that has one is an error, not a wrong figure.
type reader struct {
	src io.Reader
	buf []byte // what was read and not yet used
	mem [maxAnswer]byte
}

func newReader(src io.Reader) *reader {
	r := &reader{src: src}
	r.buf = r.mem[:0]
	return r
}

var headEnd = []byte("\r\n\r\n")

// next reads one whole answer and returns its status. Bytes after it are an
// error: nobody asked for them. io.EOF alone means that there was no answer.
func (r *reader) next() (int, error) {
	end := -1
	for end < 0 {
		searched := max(0, len(r.buf)-len(headEnd)+1)
		if err := r.fill(); err != nil {
			return 0, err
		}
		if i := bytes.Index(r.buf[searched:], headEnd); i >= 0 {
			end = searched + i
		}
	}
	status, length, err := parseHead(r.buf[:end])
	if err != nil {
		return 0, err
	}
	return status, r.discard(end + len(headEnd) + length)
}

func (r *reader) fill() error {
	if len(r.buf) == len(r.mem) {
		return fmt.Errorf("the head of the answer is longer than %d bytes", maxAnswer)
	}
	n, err := r.src.Read(r.mem[len(r.buf):])
	r.buf = r.mem[:len(r.buf)+n]
	switch {
	case n > 0:
		return nil
	case errors.Is(err, io.EOF) && len(r.buf) > 0:
		return io.ErrUnexpectedEOF
	}
	return err
}

// discard drops the n bytes of an answer, of which a part may not have come yet.
func (r *reader) discard(n int) error {
	if len(r.buf) > n {
		return fmt.Errorf("%d bytes more than the answer's length", len(r.buf)-n)
	}
	n -= len(r.buf)
	r.buf = r.mem[:0]
	if n == 0 {
		return nil
	}
	if _, err := io.CopyN(io.Discard, r.src, int64(n)); err != nil {
		return fmt.Errorf("the body of the answer ended early: %w", err)
	}
	return nil
}

// parseHead reads the status line and Content-Length.
func parseHead(head []byte) (status, length int, err error) {
	line, rest, _ := bytes.Cut(head, headEnd[:2])
	if len(line) < len("HTTP/1.1 200") || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, 0, fmt.Errorf("not an answer of HTTP/1.1: %.40q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil || status < 200 {
		return 0, 0, fmt.Errorf("not a final status: %.40q", line)
	}
	length = -1
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, headEnd[:2])
		name, value, _ := bytes.Cut(line, []byte(":"))
		if len(name) == len("Content-Length") && bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil || length < 0 {
				return 0, 0, fmt.Errorf("not a length: %.40q", line)
			}
		}
	}
	if length < 0 && status != 204 && status != 304 {
		return 0, 0, errors.New("an answer without Content-Length")
	}
	return status, max(length, 0), nil
}
