package api

import (
	"net/http"

	"authd/internal/inbound"
)

// readAPISIX reads what APISIX's forward-auth sends: X-Forwarded-Method,
// -Host, -Uri and -For of its own making, and of the client only the headers
// that request_headers names. One of the former that is named there in another
// case comes twice, and is not believed.
func readAPISIX(r *http.Request, trusted inbound.Networks) inbound.Original {
	return forwarded.read(r.Header, trusted)
}
