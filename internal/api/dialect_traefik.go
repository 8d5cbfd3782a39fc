package api

import (
	"net/http"

	"authd/internal/inbound"
)

// readTraefik reads what Traefik's ForwardAuth sends. The entry point removes
// a client's own X-Forwarded-* headers unless its trustForwardHeader is on;
// X-Real-Ip and everything else is not looked at.
func readTraefik(r *http.Request, trusted inbound.Networks) inbound.Original {
	return forwarded.read(r.Header, trusted)
}
