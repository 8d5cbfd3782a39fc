package api

import (
	"net/http"

	"authd/internal/inbound"
)

// readCaddy reads what Caddy's forward_auth sends. It sets X-Forwarded-Method
// and -Uri, and its reverse proxy -For and -Host, whatever the client sent;
// only from a peer in Caddy's trusted_proxies it keeps the last two. The query of the
// question may be the client's, which Caddy appends to a path without one: nothing is read there.
func readCaddy(r *http.Request, trusted inbound.Networks) inbound.Original {
	return forwarded.read(r.Header, trusted)
}
