package e2e

import (
	"io"
	"net"
	"sync"
	"testing"
)

// gate stands between a proxy and authd. It counts, and can be shut.
type gate struct {
	t    *testing.T
	addr string // of the gate
	to   string // authd's

	mu       sync.Mutex
	state    gateState
	listener net.Listener
	conns    map[net.Conn]struct{}
	accepted int
	sent     int64 // bytes that the proxy has sent
}

type gateState int

const (
	open   gateState = iota
	silent           // takes connections and requests, and never answers
	shut             // refuses connections
)

func newGate(t *testing.T, to string) *gate {
	t.Helper()
	g := &gate{t: t, addr: "127.0.0.1:0", to: to, conns: map[net.Conn]struct{}{}}
	g.listen()
	t.Cleanup(func() { g.turn(shut) })
	return g
}

func (g *gate) listen() {
	l, err := net.Listen("tcp", g.addr)
	if err != nil {
		g.t.Fatal(err)
	}
	g.listener, g.addr = l, l.Addr().String()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go g.serve(c)
		}
	}()
}

// turn changes the gate. Connections that are open end, but for the change to silent: they become silent too.
func (g *gate) turn(to gateState) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if to == g.state {
		return
	}
	if g.state != shut && to == shut {
		_ = g.listener.Close()
	}
	if g.state == shut {
		g.listen()
	}
	if g.state = to; to != silent {
		for c := range g.conns {
			_ = c.Close()
		}
	}
}

func (g *gate) serve(c net.Conn) {
	g.mu.Lock()
	g.accepted++
	g.conns[c] = struct{}{}
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		delete(g.conns, c)
		g.mu.Unlock()
		_ = c.Close()
	}()
	back, err := net.Dial("tcp", g.to)
	if err != nil {
		return
	}
	defer func() { _ = back.Close() }()
	go func() {
		_, _ = io.Copy(c, back)
		_ = c.Close()
	}()
	_, _ = io.Copy(back, &counted{c, g})
}

// counted reads what a proxy sends. While the gate is silent, it goes nowhere.
type counted struct {
	net.Conn
	g *gate
}

func (c *counted) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		c.g.mu.Lock()
		c.g.sent += int64(n)
		swallow := c.g.state == silent
		c.g.mu.Unlock()
		if err != nil || !swallow {
			return n, err
		}
	}
}

// counts are how many connections the proxy has made, and how much it has sent.
func (g *gate) counts() (connections int, bytes int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.accepted, g.sent
}
