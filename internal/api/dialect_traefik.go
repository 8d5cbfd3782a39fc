package api

import "net/http"

// readTraefik reads what Traefik's ForwardAuth sends. The entry point removes
// a client's own X-Forwarded-* headers unless its trustForwardHeader is on;
// X-Real-Ip and everything else is not looked at.
func readTraefik(r *http.Request, trusted networks) original {
	h := r.Header
	method, okMethod := one(h, "X-Forwarded-Method")
	host, okHost := one(h, "X-Forwarded-Host")
	uri, okURI := one(h, "X-Forwarded-Uri")
	switch {
	case !okMethod:
		return doubt("X-Forwarded-Method is missing or repeated")
	case !okHost:
		return doubt("X-Forwarded-Host is missing or repeated")
	case !okURI:
		return doubt("X-Forwarded-Uri is missing or repeated")
	}
	return vouch(method, host, uri, trusted.client(h["X-Forwarded-For"]))
}
