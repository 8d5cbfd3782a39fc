package api

import (
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"authd/internal/auth"
)

// A dialect reads the original request out of what its proxy sends: only from
// headers that this proxy always overwrites. It is asked only where a trusted
// peer is at the other end, and answers by [vouch] or [doubt]; it never
// guesses, and never looks at the credential.
//
// A new proxy is a file dialect_NAME.go and a line here.
type dialect func(r *http.Request, trusted networks) original

var dialects = map[string]dialect{
	"traefik": readTraefik,
}

func dialectNames() []string { return slices.Sorted(maps.Keys(dialects)) }

// original is the request that the proxy's client made, as far as it is
// known. The zero value is not vouched for.
type original struct {
	vouched bool
	why     string // it is not vouched for; for the log

	method    string
	host      string // as auth.CanonicalHost gives it
	path      string // raw, without the query
	query     string // raw
	client    netip.Addr
	requestID string // only from a trusted peer; empty where there is no good one
	madeID    bool   // the proxy makes requestID itself, whatever its client sent
}

const untrustedPeer = "the peer is not in verify.trusted_proxies"

// readOriginal asks the dialect, if the peer may be believed at all.
func readOriginal(d dialect, r *http.Request, trusted networks) original {
	if d == nil {
		return original{}
	}
	if !trusted.containPeer(r.RemoteAddr) {
		return doubt(untrustedPeer)
	}
	o := d(r, trusted)
	o.requestID = readRequestID(r.Header)
	return o
}

// vouch is the original request, or doubt where a part is not well-formed.
func vouch(method, host, uri string, client netip.Addr) original {
	host = auth.CanonicalHost(host)
	switch {
	case !isMethod(method):
		return doubt("the forwarded method is malformed")
	case host == "":
		return doubt("the forwarded host is malformed")
	case !isRequestTarget(uri):
		return doubt("the forwarded URI is malformed")
	}
	path, query, _ := strings.Cut(uri, "?")
	return original{vouched: true, method: method, host: host, path: path, query: query, client: client}
}

// doubt is an original request that is not vouched for, and why.
func doubt(why string) original { return original{why: why} }

// preflight reports a CORS preflight, judged by the original method.
func (o *original) preflight(h http.Header) bool {
	return o.vouched && o.method == http.MethodOptions && len(h["Origin"]) > 0 && len(h["Access-Control-Request-Method"]) > 0
}

// one returns the value of a header that is there exactly once and not empty.
func one(h http.Header, name string) (string, bool) {
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
