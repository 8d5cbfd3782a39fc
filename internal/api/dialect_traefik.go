package api

import "net/http"

// readTraefik reads what Traefik's ForwardAuth sends. The entry point removes
// a client's own X-Forwarded-* headers unless its trustForwardHeader is on;
// X-Real-Ip and everything else is not looked at.
func readTraefik(r *http.Request, trusted networks) original {
	return forwarded.read(r.Header, trusted)
}
