package api

import (
	"net/http"

	"authd/internal/inbound"
)

// readHAProxy reads what HAProxy's auth-request script sends: the client's
// headers, once "http-request set-header" has put X-Forwarded-Method, -Host,
// -Uri and -For in the place of the client's own. The script joins repeated
// headers by ", ", and in none of the first three a blank is well-formed.
func readHAProxy(r *http.Request, trusted inbound.Networks) inbound.Original {
	return forwarded.read(r.Header, trusted)
}
