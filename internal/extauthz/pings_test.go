package extauthz

import (
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// A client whose pings never end is sent away: they would keep a connection for nothing, and cost what calls cost.
func TestTooManyPings(t *testing.T) {
	f := start(t, nil)
	c, err := net.Dial("tcp", f.conn.Target())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte(http2.ClientPreface)); err != nil {
		t.Fatal(err)
	}
	frames := http2.NewFramer(c, c)
	if err := frames.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	answers, done := 0, make(chan struct{})
	defer func() { <-done }()
	go func() {
		defer close(done)
		for frames.WritePing(false, [8]byte{}) == nil { // until the server has had enough
			time.Sleep(time.Millisecond)
		}
	}()
	defer func() { _ = c.Close() }()
	for {
		frame, err := frames.ReadFrame()
		if err != nil {
			t.Fatalf("%v after %d answers", err, answers)
		}
		switch frame := frame.(type) {
		case *http2.PingFrame:
			answers++
		case *http2.GoAwayFrame:
			if frame.ErrCode != http2.ErrCodeEnhanceYourCalm {
				t.Error(frame.ErrCode)
			}
			return
		}
	}
}
