package soak

import (
	"bufio"
	"encoding/binary"
	"io"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// hello is a start-up message with these parameters.
func hello(version uint32, parameters ...string) string {
	text := strings.Join(parameters, "\x00") + "\x00\x00"
	head := binary.BigEndian.AppendUint32(nil, uint32(8+len(text)))
	return string(binary.BigEndian.AppendUint32(head, version)) + text
}

func TestCaller(t *testing.T) {
	const version3 = 3 << 16
	for what, c := range map[string]struct{ message, want string }{
		"a name":              {hello(version3, "user", "u", "application_name", "replica 1", "database", "d"), "replica 1"},
		"none":                {hello(version3, "user", "application_name"), ""},
		"no start":            {hello(80877102, "application_name", "replica 1"), ""},
		"cut off":             {hello(version3, "application_name", "replica 1")[:20], ""},
		"nothing":             {"", ""},
		"longer than allowed": {"\xff\xff\xff\xff\x00\x03\x00\x00", ""},
		"shorter than itself": {"\x00\x00\x00\x01\x00\x03\x00\x00", ""},
	} {
		in := bufio.NewReader(strings.NewReader(c.message))
		if got := caller(in); got != c.want {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
		if rest, _ := io.ReadAll(in); string(rest) != c.message {
			t.Errorf("%s: %q is left", what, rest)
		}
	}
}

// Each goes through his own proxy, and whoever has none is hung up on.
func TestDoor(t *testing.T) {
	address, got := echo(t)
	one, other := newProxy(t, address), newProxy(t, address)
	ways := door{"one": one, "other": other}
	at := listen(t, ways.take)
	one.cut()
	for name, through := range map[string]bool{"one": false, "other": true, "nobody": false} {
		c, in := dial(t, at)
		send(t, c, hello(3<<16, "application_name", name))
		_, err := in.ReadString('\n')
		if (err == nil) != through {
			t.Errorf("%s: %v", name, err)
		}
	}
	if first := <-got; !strings.Contains(first, "other") {
		t.Errorf("%q came through", first)
	}
	cfg, err := pgx.ParseConfig(ways.url(t, "postgres://u@h:1/d?sslmode=disable", at, "replica 1"))
	if err != nil || cfg.RuntimeParams["application_name"] != "replica 1" || cfg.Database != "d" || cfg.TLSConfig != nil {
		t.Errorf("%+v, %v", cfg, err)
	}
}
