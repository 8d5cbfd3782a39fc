package e2e

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"
)

// An upload reaches the service as it was sent, and authd gets nothing of it.
func checkUpload(t *testing.T, c *chain) {
	body := make([]byte, 10<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(body)
	sum := fmt.Sprintf("%x", sha256.Sum256(body))
	for _, chunked := range []bool{false, true} {
		_, before := c.gate.counts()
		_, s := c.want(t, 200, ask{method: "POST", lines: lines(c.authd.key("good")), body: body, chunked: chunked})
		if s.length != int64(len(body)) || s.sum != sum {
			t.Errorf("chunked %v: the service got %d bytes, or others", chunked, s.length)
		}
		if _, after := c.gate.counts(); after-before > 4096 {
			t.Errorf("chunked %v: authd was sent %d bytes", chunked, after-before)
		}
	}
}

// A request with a body is judged as fast as one without: nobody waits for a body that does not come to authd.
// The quickest of a few counts, since the machine may be busy.
func checkNoStall(t *testing.T, c *chain) {
	const stall, tries = 100 * time.Millisecond, 20
	for _, chunked := range []bool{false, true} {
		for status, l := range map[int][]string{200: lines(c.authd.key("good")), 401: nil} {
			best := patience
			for range tries {
				got, _ := c.want(t, status, ask{method: "POST", lines: l, body: bytes.Repeat([]byte("a"), 1000), chunked: chunked})
				if best = min(best, got.took); best < stall {
					break
				}
			}
			if best >= stall {
				t.Errorf("chunked %v, status %d: the quickest of %d took %s", chunked, status, tries, best)
			}
		}
	}
}

// A thousand questions in a row go over a few connections, denials and bodies too.
func checkConnectionsAreKept(t *testing.T, c *chain) {
	client, err := net.Dial("tcp", c.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	r := bufio.NewReader(client)
	before, _ := c.gate.counts()
	for i := range 1000 {
		q, status := ask{lines: lines(c.authd.key("good"))}, 200
		switch i % 10 {
		case 8:
			q.method, q.body = "POST", []byte("with a body")
		case 9:
			q, status = ask{}, 401
		}
		got, err := q.over(client, r)
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		c.judge(t, status, got)
	}
	if after, _ := c.gate.counts(); after-before > 10 { // HAProxy's health checks are among them
		t.Errorf("%d connections to authd", after-before)
	}
}

// A WebSocket is let through, or not, by the same rules.
func checkUpgrade(t *testing.T, c *chain) {
	upgrade := lines("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
	c.want(t, 401, ask{lines: upgrade})
	c.want(t, 403, ask{lines: append(lines(c.authd.key("outsider")), upgrade...)})
	client, err := net.Dial("tcp", c.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	r := bufio.NewReader(client)
	q := ask{lines: append(lines(c.authd.key("good"), "X-Auth-User: spoofed"), upgrade...)}
	got, err := q.over(client, r)
	if err != nil || got.status != 101 {
		t.Fatalf("%+v, %v", got, err)
	}
	s := c.judge(t, 101, got)
	s.as(t, login)
	for _, word := range []string{"one\n", strings.Repeat("two", 1000) + "\n"} {
		if _, err := client.Write([]byte(word)); err != nil {
			t.Fatal(err)
		}
		if back, err := r.ReadString('\n'); err != nil || back != word {
			t.Errorf("%q came back as %q, %v", word, back, err)
		}
	}
}
