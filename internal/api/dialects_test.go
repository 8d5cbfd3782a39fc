package api

import (
	"testing"
	"time"

	"authd/internal/auth"
	"authd/internal/inbound"
)

// Behind a load balancer that is trusted too, the client is the one that the
// load balancer has seen, in those dialects whose proxy adds to X-Forwarded-For.
func TestTheClientBehindTwoProxies(t *testing.T) {
	f := start(t, func(o *Options) { o.Trusted = append(cidrs("10.0.0.0/8"), loopback...) })
	key := f.keys.restrict("Office", auth.Restrictions{CIDRs: cidrs("192.0.2.0/24")})
	for chain, want := range map[string]int{
		"192.0.2.7, 10.0.0.1":               200,
		"203.0.113.9, 192.0.2.7, 10.0.0.1":  200,
		"192.0.2.7, 198.51.100.1, 10.0.0.1": 403, // the left one is the client's own word
		"192.0.2.7, junk, 10.0.0.1":         403,
		"10.0.0.1":                          403,
	} {
		for _, a := range askers {
			c := clientRequest{method: "GET", host: "shop.example.com", uri: "/", peer: chain, headers: []string{"API-KEY: " + key}}
			if w := f.send(a.wire("", c)); w.status != want {
				t.Errorf("%s, %s: answered %d for %v, want %d", a.name, chain, w.status, f.logged()["reason"], want)
			}
		}
	}
}

// A client that repeats an id must not be counted once: only an id of the
// proxy's own making tells that a question is asked again.
func TestWhoseRequestIDIsMade(t *testing.T) {
	for _, a := range askers {
		c := clientRequest{method: "GET", host: "a.test", uri: "/", peer: "192.0.2.7", headers: []string{"X-Request-Id: mine"}}
		line, headers := a.question("", c)
		target := line[len(a.asks(c))+1 : len(line)-len(" HTTP/1.1")]
		x := exchange{route: &route{}, request: asRequest(a.asks(c), target, a.host(c), asHeader(headers))}
		x.original = readOriginal(dialects[a.dialect], x.request, inbound.Networks(loopback))
		id := x.asks(time.Now()).RequestID
		if (id != "") != (a.dialect == "nginx") || id == "mine" {
			t.Errorf("%s: a request is counted under the id %q", a.name, id)
		}
	}
	stranger := asRequest("GET", "/verify/nginx", "authd.test", asHeader(append(nginxAsks("GET", "a.test", "/", "192.0.2.7"), "X-Request-Id: a")))
	if o := readOriginal(dialects["nginx"], stranger, inbound.Networks(cidrs("10.0.0.0/8"))); o.MadeID || o.RequestID != "" {
		t.Error("the id of a peer that is not trusted is taken")
	}
}

// A dialect believes the headers of its own proxy and no other's.
func TestNoDialectReadsAnothers(t *testing.T) {
	f := start(t, nil)
	key := boundKey(f)
	sets := map[string][]string{
		"X-Forwarded-":   traefik("GET", "shop.example.com", "/api/", "192.0.2.7"),
		"X-Original-":    nginxAsks("GET", "shop.example.com", "/api/", "192.0.2.7"),
		"X-Original-URL": ingressAsks("GET", "shop.example.com", "/api/", "192.0.2.7"),
	}
	reads := map[string]string{
		"traefik": "X-Forwarded-", "caddy": "X-Forwarded-", "haproxy": "X-Forwarded-", "apisix": "X-Forwarded-",
		"nginx": "X-Original-", "ingress-nginx": "X-Original-URL", "envoy": "",
	}
	for _, name := range dialectNames() {
		own, ok := reads[name]
		if !ok {
			t.Errorf("nobody has said what %s reads", name)
		}
		for set, headers := range sets {
			path := "/verify/" + name
			if dialects[name].below {
				path += "/default"
			}
			want := 403
			if set == own {
				want = 200
			}
			if w := f.send(head("GET "+path+" HTTP/1.1", with(headers, "API-KEY: "+key)...)); w.status != want {
				t.Errorf("%s, given %s: answered %d, want %d", name, set, w.status, want)
			}
		}
	}
}

func TestPlainVerifyCanBeEveryDialectButEnvoys(t *testing.T) {
	for _, name := range append(dialectNames(), NoProxy, "squid") {
		o := options(t, &memory{}, nil)
		o.Proxy = name
		_, err := NewVerify(o)
		if wanted := name != "envoy" && name != "squid"; (err == nil) != wanted {
			t.Errorf("verify.proxy %s: %v", name, err)
		}
	}
}
