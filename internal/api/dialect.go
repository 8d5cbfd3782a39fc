package api

import (
	"maps"
	"net/http"
	"slices"

	"authd/internal/inbound"
)

// A dialect reads the original request out of what its proxy sends: only from
// headers that this proxy always overwrites. It is asked only where a trusted
// peer is at the other end, and answers by [inbound.Vouch] or [inbound.Doubt]; it never
// guesses, and never looks at the credential.
//
// A new proxy is a file dialect_NAME.go and a line here.
type dialect func(r *http.Request, trusted inbound.Networks) inbound.Original

var dialects = map[string]dialect{
	"traefik": readTraefik,
}

func dialectNames() []string { return slices.Sorted(maps.Keys(dialects)) }

// readOriginal asks the dialect, if the peer may be believed at all.
func readOriginal(d dialect, r *http.Request, trusted inbound.Networks) inbound.Original {
	if d == nil {
		return inbound.Original{}
	}
	if !trusted.ContainPeer(r.RemoteAddr) {
		return inbound.Doubt(inbound.UntrustedPeer)
	}
	o := d(r, trusted)
	o.RequestID = inbound.ReadRequestID(r.Header)
	return o
}
