package api

import (
	"net/http"

	"authd/internal/inbound"
)

// readHAProxy reads what a script of HAProxy's sends: the client's headers,
// but X-Forwarded-Method, -Host, -Uri and -For in the place of the client's
// own. Ours sets them itself; for auth-request "http-request set-header" has
// to, before it. That one joins repeated headers by ", ", and in none of the
// first three a blank is well-formed.
func readHAProxy(r *http.Request, trusted inbound.Networks) inbound.Original {
	return forwarded.read(r.Header, trusted)
}
