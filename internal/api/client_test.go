package api

import (
	"testing"

	"authd/internal/auth"
)

func TestNetworkOfAKey(t *testing.T) {
	f := start(t, nil)
	key := f.keys.restrict("Office", auth.Restrictions{CIDRs: cidrs("192.0.2.0/24", "2001:db8:1::/48")})
	for _, c := range []struct {
		forwarded []string
		status    int
	}{
		{[]string{"X-Forwarded-For: 192.0.2.7"}, 200},
		{[]string{"X-Forwarded-For: 192.0.2.7, 127.0.0.1"}, 200},
		{[]string{"X-Forwarded-For: [2001:db8:1::7]:443"}, 200},
		{[]string{"X-Forwarded-For: ::ffff:192.0.2.7"}, 200},
		{[]string{"X-Forwarded-For: 192.0.2.7, 198.51.100.1"}, 403}, // the left one is the client's own word
		{[]string{"X-Forwarded-For: 192.0.2.7", "X-Forwarded-For: 198.51.100.1"}, 403},
		{[]string{"X-Forwarded-For: 192.0.2.7, junk"}, 403},
		{[]string{"X-Forwarded-For: 198.51.100.1", "X-Real-Ip: 192.0.2.7", "Forwarded: for=192.0.2.7", "X-Client-Ip: 192.0.2.7"}, 403},
		{[]string{"X-Forwarded-For:"}, 403},
		{nil, 403},
	} {
		headers := append(without(traefik("GET", "a.test", "/", ""), "X-Forwarded-For"), c.forwarded...)
		w := f.send(head("GET /verify/traefik HTTP/1.1", append(headers, "API-KEY: "+key)...))
		if w.status != c.status || c.status == 403 && f.logged()["reason"] != auth.ForbiddenNetwork.String() {
			t.Errorf("%q: answered %d for %v, want %d", c.forwarded, w.status, f.logged()["reason"], c.status)
		}
	}
}
