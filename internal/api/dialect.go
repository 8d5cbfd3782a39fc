package api

import (
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"authd/internal/auth"
)

// dialect is how one kind of proxy asks, and what it makes of the answer.
//
// A new proxy is a file dialect_NAME.go and a line here.
type dialect struct {
	// read finds the original request in what the proxy sends: only in what this
	// proxy always overwrites. It is asked only where a trusted peer is at the
	// other end, and answers by [vouch] or [doubt]; it never guesses, and never
	// looks at the credential.
	read func(r *http.Request, trusted networks) original

	makesID bool // the proxy overwrites X-Request-Id with an id that it has made
	below   bool // the original path follows the policy in the path of the question
	mute    bool // of a denial the proxy passes on the status alone, and knows 401 and 403 only
}

var dialects = map[string]*dialect{
	"apisix":        {read: readAPISIX},
	"caddy":         {read: readCaddy},
	"envoy":         {read: readEnvoy, below: true},
	"haproxy":       {read: readHAProxy},
	"ingress-nginx": {read: readIngressNginx, mute: true},
	"nginx":         {read: readNginx, makesID: true, mute: true},
	"traefik":       {read: readTraefik},
}

func dialectNames() []string { return slices.Sorted(maps.Keys(dialects)) }

// plainNames are the dialects that plain /verify can be.
func plainNames() []string {
	return slices.DeleteFunc(dialectNames(), func(name string) bool { return dialects[name].below })
}

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
	madeID    bool   // requestID is the proxy's own making, whatever its client sent
}

const untrustedPeer = "the peer is not in verify.trusted_proxies"

// readOriginal asks the dialect, if the peer may be believed at all.
func readOriginal(d *dialect, r *http.Request, trusted networks) original {
	if d == nil {
		return original{}
	}
	if !trusted.containPeer(r.RemoteAddr) {
		return doubt(untrustedPeer)
	}
	o := d.read(r, trusted)
	o.requestID = readRequestID(r.Header)
	o.madeID = d.makesID && o.requestID != ""
	return o
}

// headerNames are those in which a proxy hands on the original request, canonical.
type headerNames struct{ method, host, uri string }

var forwarded = headerNames{"X-Forwarded-Method", "X-Forwarded-Host", "X-Forwarded-Uri"}

// read takes each header that is there exactly once, and the client out of
// X-Forwarded-For, in which every proxy adds to what came before it.
func (n headerNames) read(h http.Header, trusted networks) original {
	method, okMethod := one(h, n.method)
	host, okHost := one(h, n.host)
	uri, okURI := one(h, n.uri)
	switch {
	case !okMethod:
		return doubt(n.method + missingOrRepeated)
	case !okHost:
		return doubt(n.host + missingOrRepeated)
	case !okURI:
		return doubt(n.uri + missingOrRepeated)
	}
	return vouch(method, host, uri, trusted.client(h["X-Forwarded-For"]))
}

const missingOrRepeated = " is missing or repeated"

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
