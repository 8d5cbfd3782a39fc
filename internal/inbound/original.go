package inbound

import (
	"net/http"
	"net/netip"
	"strings"

	"authd/internal/auth"
)

// Original is the request that the proxy's client made, as far as it is
// known. The zero value is not vouched for.
type Original struct {
	Vouched bool
	Why     string // it is not vouched for; for the log

	Method    string
	Host      string // as auth.CanonicalHost gives it
	Path      string // raw, without the query
	Query     string // raw
	Client    netip.Addr
	RequestID string // only from a trusted peer; empty where there is no good one
	MadeID    bool   // the proxy makes RequestID itself, whatever its client sent
}

// UntrustedPeer is why nothing is believed of a peer that is not trusted.
const UntrustedPeer = "the peer is not in verify.trusted_proxies"

// Vouch is the original request, or Doubt where a part is not well-formed.
func Vouch(method, host, uri string, client netip.Addr) Original {
	host = auth.CanonicalHost(host)
	switch {
	case !isMethod(method):
		return Doubt("the forwarded method is malformed")
	case host == "":
		return Doubt("the forwarded host is malformed")
	case !isRequestTarget(uri):
		return Doubt("the forwarded URI is malformed")
	}
	path, query, _ := strings.Cut(uri, "?")
	return Original{Vouched: true, Method: method, Host: host, Path: path, Query: query, Client: client}
}

// Doubt is an original request that is not vouched for, and why.
func Doubt(why string) Original { return Original{Why: why} }

// Preflight reports a CORS preflight, judged by the original method.
func (o *Original) Preflight(h http.Header) bool {
	return o.Vouched && o.Method == http.MethodOptions && len(h["Origin"]) > 0 && len(h["Access-Control-Request-Method"]) > 0
}

// One returns the value of a header that is there exactly once and not empty.
func One(h http.Header, name string) (string, bool) {
	lines := h[name]
	if len(lines) != 1 {
		return "", false
	}
	return lines[0], lines[0] != ""
}

// isMethod is stricter than HTTP: a method in lower case is one that an
// upstream might take for another than a rule does.
func isMethod(s string) bool {
	for i := range len(s) {
		if c := s[i]; !('A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return s != "" && len(s) <= 32
}

// isRequestTarget wants the origin form: a path, perhaps a query, no blanks and no controls.
func isRequestTarget(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == 0x7f {
			return false
		}
	}
	return s != "" && s[0] == '/'
}
