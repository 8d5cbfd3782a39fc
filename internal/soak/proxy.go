package soak

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"
)

// The two ways that bytes go through a proxy.
const (
	up   = iota // to the server
	down        // from it
)

// proxy stands between one client and a server, and breaks what is between them.
type proxy struct {
	target string
	done   chan struct{}
	all    sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	off   bool             // who connects is hung up on
	delay time.Duration    // of everything
	held  [2]chan struct{} // closed when bytes flow again; nil while they do
}

func newProxy(t testing.TB, target string) *proxy {
	p := &proxy{target: target, done: make(chan struct{}), conns: map[net.Conn]struct{}{}}
	t.Cleanup(func() {
		close(p.done)
		p.cut()
		p.all.Wait()
	})
	return p
}

// take carries a connection.
func (p *proxy) take(client net.Conn) { p.all.Go(func() { p.serve(client) }) }

func (p *proxy) serve(client net.Conn) {
	defer p.forget(client)
	if !p.know(client) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	server, err := new(net.Dialer).DialContext(ctx, "tcp", p.target)
	cancel()
	if err != nil {
		return
	}
	defer p.forget(server)
	if !p.know(server) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.pump(server, client, up) })
	both.Go(func() { p.pump(client, server, down) })
	both.Wait()
}

func (p *proxy) know(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[c] = struct{}{}
	return !p.off
}

func (p *proxy) forget(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
	_ = c.Close()
}

// pump passes bytes on. What it holds when its sender has gone away is passed
// on later all the same: a network may carry a request out whose client gave it up long ago.
func (p *proxy) pump(to, from net.Conn, way int) {
	defer func() { _ = to.Close() }()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			p.wait(way)
			if _, err := to.Write(buf[:n]); err != nil {
				_ = from.Close()
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// wait waits until bytes flow this way, and then as long as they take.
func (p *proxy) wait(way int) {
	p.mu.Lock()
	held, delay := p.held[way], p.delay
	p.mu.Unlock()
	if held != nil {
		select {
		case <-held:
		case <-p.done:
		}
	}
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-p.done:
		}
	}
}

// cut ends every connection, and lets nobody connect until heal.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.off = true
	for c := range p.conns {
		_ = c.Close()
	}
}

// hold lets no bytes through, in one way or both, until heal.
func (p *proxy) hold(ways ...int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, way := range ways {
		p.held[way] = make(chan struct{})
	}
}

// slow lets everything take this long, until heal.
func (p *proxy) slow(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

func (p *proxy) heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.off, p.delay = false, 0
	for way, held := range p.held {
		if held != nil {
			close(held)
			p.held[way] = nil
		}
	}
}
