package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// Pool is a set of open connections that several runs can use one after
// another: a run to warm the server up, then the one that counts.
type Pool struct{ conns []*conn }

type conn struct {
	net.Conn
	in  *reader
	buf []byte
}

// Dial opens n connections.
func Dial(ctx context.Context, addr string, n int) (*Pool, error) {
	p := &Pool{}
	dialer := net.Dialer{Timeout: dialTimeout}
	for range n {
		c, err := dialer.DialContext(ctx, "tcp", addr)
		if err != nil {
			return nil, errors.Join(err, p.Close())
		}
		p.conns = append(p.conns, &conn{Conn: c, in: newReader(c), buf: make([]byte, 0, bufferSize)})
	}
	return p, nil
}

// Run loads the server over all connections. When it returns, every request
// that it sent has been answered, unless with an error.
func (p *Pool) Run(ctx context.Context, b Bounds, src Source) (*Result, error) {
	return workers(ctx, len(p.conns), b, src, func(r *run, i int, seen *Histogram) error {
		c := p.conns[i]
		if err := c.SetDeadline(r.start.Add(b.For + answerGrace)); err != nil {
			return err
		}
		start := r.start
		for {
			num, ok := r.begin(start)
			if !ok {
				return nil
			}
			if err := ask(c, c.in, r.source(num, c.buf), num, b.status()); err != nil {
				return err
			}
			now := time.Now()
			seen.Add(now.Sub(start))
			start = now
		}
	})
}

// Close closes the connections.
func (p *Pool) Close() error {
	var errs []error
	for _, c := range p.conns {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// ask sends a request and reads its answer.
func ask(c net.Conn, in *reader, request []byte, num int64, want int) error {
	if _, err := c.Write(request); err != nil {
		return fmt.Errorf("request %d: %w", num, err)
	}
	status, err := in.next()
	if err != nil {
		return fmt.Errorf("request %d: %w", num, err)
	}
	if status != want {
		return &StatusError{Status: status, Request: num}
	}
	return nil
}
