package auth

import (
	"net/netip"
	"time"
)

// Credential is what was found in the sources of a request.
type Credential struct {
	Secret  Secret // zero where none was sent
	Several bool   // more than one was, or one that a proxy joined
}

// Request is what the decision may look at. A dialect fills it.
type Request struct {
	Credential Credential
	Policy     *Policy // nil asks for a key and nothing more
	At         time.Time

	// Vouched reports whether the fields below were read from headers that a
	// trusted proxy overwrites. Where not, nothing may depend on them.
	Vouched bool
	Method  string
	Host    string     // as CanonicalHost gives it
	Path    string     // raw, as the client sent it, without the query
	Client  netip.Addr // the zero Addr where unknown, which lies in no network
	// RequestID is the same for a request and its repetitions, when a proxy asks
	// again because a connection died. It is the proxy's own making, never what
	// a client sent (who repeats an id would be counted once); empty where the
	// proxy makes none, and then each request is a new one.
	RequestID string
	// Preflight reports a CORS preflight: OPTIONS with Origin and Access-Control-Request-Method.
	Preflight bool
}
