package soak

import (
	"bufio"
	"io"
	"net"
	"testing"
	"time"
)

// echo answers each line with itself, and tells what it has got.
func echo(t *testing.T) (address string, got chan string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	got = make(chan string, 10)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			for lines := bufio.NewScanner(c); lines.Scan(); {
				got <- lines.Text()
				_, _ = io.WriteString(c, lines.Text()+"\n")
			}
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-ended })
	return l.Addr().String(), got
}

func dial(t *testing.T, address string) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	return c, bufio.NewReader(c)
}

func send(t *testing.T, c net.Conn, line string) {
	t.Helper()
	if _, err := io.WriteString(c, line+"\n"); err != nil {
		t.Fatal(err)
	}
}

func TestProxyCuts(t *testing.T) {
	address, _ := echo(t)
	p := newProxy(t, address)
	through := listen(t, p.take)
	c, lines := dial(t, through)
	send(t, c, "a")
	if line, err := lines.ReadString('\n'); line != "a\n" {
		t.Fatal(line, err)
	}
	p.cut()
	if _, err := lines.ReadString('\n'); err == nil {
		t.Error("it was not cut")
	}
	_, lines = dial(t, through)
	if _, err := lines.ReadString('\n'); err == nil {
		t.Error("it answers while it is cut")
	}
	p.heal()
	c, lines = dial(t, through)
	send(t, c, "b")
	if line, err := lines.ReadString('\n'); line != "b\n" {
		t.Error(line, err)
	}
}

// What was sent before the client gave up is carried out later.
func TestProxyHolds(t *testing.T) {
	address, got := echo(t)
	p := newProxy(t, address)
	through := listen(t, p.take)
	c, lines := dial(t, through)
	send(t, c, "a")
	if line, err := lines.ReadString('\n'); line != "a\n" {
		t.Fatal(line, err)
	}
	<-got
	p.hold(up)
	send(t, c, "late")
	_ = c.Close()
	select {
	case line := <-got:
		t.Errorf("%q was let through", line)
	case <-time.After(50 * time.Millisecond):
	}
	p.heal()
	if line := <-got; line != "late" {
		t.Error(line)
	}
}

// An answer that is held, or slow, comes in the end.
func TestProxyHoldsAnswers(t *testing.T) {
	address, got := echo(t)
	p := newProxy(t, address)
	through := listen(t, p.take)
	c, lines := dial(t, through)
	p.hold(down)
	send(t, c, "a")
	<-got // it was carried out
	p.heal()
	if line, err := lines.ReadString('\n'); line != "a\n" {
		t.Fatal(line, err)
	}
	const delay = 30 * time.Millisecond
	p.slow(delay)
	began := time.Now()
	send(t, c, "b")
	if line, err := lines.ReadString('\n'); line != "b\n" || time.Since(began) < 2*delay {
		t.Error(line, err, time.Since(began))
	}
}
