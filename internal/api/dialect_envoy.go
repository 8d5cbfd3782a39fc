package api

import (
	"net/http"
	"strings"

	"authd/internal/inbound"
)

const envoyPath = verifyPath + "/envoy/"

// readEnvoy reads what Envoy's ext_authz sends over HTTP: the original
// request's own method, Host, path and query, with path_prefix before the
// path, and of its headers those that allowed_headers names. So no header tells of
// the request but X-Forwarded-For, to which Envoy adds its peer where use_remote_address is on.
//
// The path is cut out of the request line: decoded, it would not be what the client sent.
func readEnvoy(r *http.Request, trusted inbound.Networks) inbound.Original {
	rest, ok := strings.CutPrefix(r.RequestURI, envoyPath)
	slash := strings.IndexAny(rest, "/?")
	if !ok || slash < 0 || rest[slash] != '/' || strings.IndexByte(rest[:slash], '%') >= 0 {
		return inbound.Doubt("the forwarded URI is missing: path_prefix is /verify/envoy/<policy>, and the original path follows")
	}
	return inbound.Vouch(r.Method, r.Host, rest[slash:], trusted.Client(r.Header["X-Forwarded-For"]))
}
