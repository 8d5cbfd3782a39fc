package api

import (
	"net/http"

	"authd/internal/inbound"
)

// readTraefik reads what Traefik's ForwardAuth sends. The entry point removes
// a client's own X-Forwarded-* headers unless its trustForwardHeader is on;
// X-Real-Ip and everything else is not looked at.
func readTraefik(r *http.Request, trusted inbound.Networks) inbound.Original {
	h := r.Header
	method, okMethod := inbound.One(h, "X-Forwarded-Method")
	host, okHost := inbound.One(h, "X-Forwarded-Host")
	uri, okURI := inbound.One(h, "X-Forwarded-Uri")
	switch {
	case !okMethod:
		return inbound.Doubt("X-Forwarded-Method is missing or repeated")
	case !okHost:
		return inbound.Doubt("X-Forwarded-Host is missing or repeated")
	case !okURI:
		return inbound.Doubt("X-Forwarded-Uri is missing or repeated")
	}
	return inbound.Vouch(method, host, uri, trusted.Client(h["X-Forwarded-For"]))
}
