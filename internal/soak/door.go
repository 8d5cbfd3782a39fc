package soak

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"
)

// listen gives every connection to a free address away.
func listen(t testing.TB, take func(net.Conn)) (address string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			take(c)
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-ended })
	return l.Addr().String()
}

// door is one address of Postgres for all replicas, since what they share in Redis is kept apart by where the
// database is. Who connects is known by the application_name of the first message, and goes by a proxy of his own.
type door map[string]*proxy

// url names the door as the one of this name uses it.
func (d door) url(t testing.TB, database, address, name string) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = address
	q := u.Query()
	q.Set("application_name", name)
	u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20") // which is no blank to libpq
	return u.String()
}

// helloTimeout is how long the first message may take.
const helloTimeout = 20 * time.Second

func (d door) take(client net.Conn) {
	go func() {
		in := bufio.NewReader(client)
		_ = client.SetReadDeadline(time.Now().Add(helloTimeout))
		p := d[caller(in)]
		_ = client.SetReadDeadline(time.Time{})
		if p == nil {
			_ = client.Close()
			return
		}
		p.take(peeked{client, in})
	}()
}

// caller reads the application_name of a start-up message, and leaves it unread; empty where it is none.
func caller(in *bufio.Reader) string {
	const version, before = 3 << 16, 8 // bytes before the parameters: the length and the version
	head, err := in.Peek(before)
	if err != nil || binary.BigEndian.Uint32(head[4:]) != version {
		return ""
	}
	length := int(binary.BigEndian.Uint32(head))
	if length < before || length > in.Size() {
		return ""
	}
	message, err := in.Peek(length)
	if err != nil {
		return ""
	}
	words := bytes.Split(message[before:], []byte{0})
	for i := 0; i+1 < len(words); i += 2 {
		if string(words[i]) == "application_name" {
			return string(words[i+1])
		}
	}
	return ""
}

// peeked is a connection of which something is in a buffer.
type peeked struct {
	net.Conn
	in *bufio.Reader
}

func (p peeked) Read(b []byte) (int, error) { return p.in.Read(b) }
