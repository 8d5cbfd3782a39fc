package api

import (
	"maps"
	"net/http"
	"slices"

	"authd/internal/inbound"
)

// dialect is how one kind of proxy asks, and what it makes of the answer.
//
// A new proxy is a file dialect_NAME.go and a line here.
type dialect struct {
	// read finds the original request in what the proxy sends: only in what this
	// proxy always overwrites. It is asked only where a trusted peer is at the
	// other end, and answers by [inbound.Vouch] or [inbound.Doubt]; it never guesses, and never
	// looks at the credential.
	read func(r *http.Request, trusted inbound.Networks) inbound.Original

	makesID bool // the proxy overwrites X-Request-Id with an id that it has made
	below   bool // the original path follows the policy in the path of the question
	mute    bool // of a denial the proxy passes on the status alone, and knows 401 and 403 only
}

var dialects = map[string]*dialect{
	"apisix":        {read: readAPISIX},
	"caddy":         {read: readCaddy},
	"envoy":         {read: readEnvoy, below: true},
	"haproxy":       {read: readHAProxy},
	"ingress-nginx": {read: readIngressNginx, mute: true},
	"nginx":         {read: readNginx, makesID: true, mute: true},
	"traefik":       {read: readTraefik},
}

func dialectNames() []string { return slices.Sorted(maps.Keys(dialects)) }

// plainNames are the dialects that plain /verify can be.
func plainNames() []string {
	return slices.DeleteFunc(dialectNames(), func(name string) bool { return dialects[name].below })
}

// readOriginal asks the dialect, if the peer may be believed at all.
func readOriginal(d *dialect, r *http.Request, trusted inbound.Networks) inbound.Original {
	if d == nil {
		return inbound.Original{}
	}
	if !trusted.ContainPeer(r.RemoteAddr) {
		return inbound.Doubt(inbound.UntrustedPeer)
	}
	o := d.read(r, trusted)
	o.RequestID = inbound.ReadRequestID(r.Header)
	o.MadeID = d.makesID && o.RequestID != ""
	return o
}

// headerNames are those in which a proxy hands on the original request, canonical.
type headerNames struct{ method, host, uri string }

var forwarded = headerNames{"X-Forwarded-Method", "X-Forwarded-Host", "X-Forwarded-Uri"}

// read takes each header that is there exactly once, and the client out of
// X-Forwarded-For, in which every proxy adds to what came before it.
func (n headerNames) read(h http.Header, trusted inbound.Networks) inbound.Original {
	method, okMethod := inbound.One(h, n.method)
	host, okHost := inbound.One(h, n.host)
	uri, okURI := inbound.One(h, n.uri)
	switch {
	case !okMethod:
		return inbound.Doubt(n.method + missingOrRepeated)
	case !okHost:
		return inbound.Doubt(n.host + missingOrRepeated)
	case !okURI:
		return inbound.Doubt(n.uri + missingOrRepeated)
	}
	return inbound.Vouch(method, host, uri, trusted.Client(h["X-Forwarded-For"]))
}

const missingOrRepeated = " is missing or repeated"
