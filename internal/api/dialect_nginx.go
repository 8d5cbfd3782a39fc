package api

import (
	"net/http"
	"strings"

	"authd/internal/inbound"
)

// nginxOriginal are the headers that an operator's proxy_set_header sets, as
// the configuration that comes with authd does:
//
//	X-Original-Method  $request_method
//	X-Original-Host    $host
//	X-Original-URI     $request_uri
//	X-Forwarded-For    $remote_addr
//	X-Request-Id       $request_id
//
// auth_request passes all other headers on as the client sent them, its
// X-Forwarded-* and X-Original-URL too. So these five are all that is looked at.
var nginxOriginal = headerNames{"X-Original-Method", "X-Original-Host", "X-Original-Uri"}

// readNginx reads what nginx's auth_request sends. nginx repeats a question
// whose connection died, with the same $request_id.
func readNginx(r *http.Request, trusted inbound.Networks) inbound.Original {
	return nginxOriginal.read(r.Header, trusted)
}

// readIngressNginx reads what ingress-nginx sends, whose template for auth-url
// sets X-Original-URL, X-Original-Method and X-Forwarded-For and no other header that
// tells of the request: X-Forwarded-Host, X-Original-URI and X-Original-Host are the
// client's, and so may be X-Request-Id. The URL holds the client's Host
// header to the letter, and whatever is no host is not believed.
func readIngressNginx(r *http.Request, trusted inbound.Networks) inbound.Original {
	method, okMethod := inbound.One(r.Header, "X-Original-Method")
	url, okURL := inbound.One(r.Header, "X-Original-Url")
	switch {
	case !okMethod:
		return inbound.Doubt("X-Original-Method" + missingOrRepeated)
	case !okURL:
		return inbound.Doubt("X-Original-Url" + missingOrRepeated)
	}
	host, uri, ok := splitURL(url)
	if !ok {
		return inbound.Doubt("X-Original-Url is not http:// or https://, a host and a path")
	}
	return inbound.Vouch(method, host, uri, trusted.Client(r.Header["X-Forwarded-For"]))
}

// splitURL cuts "scheme://host/path?query" where the first slash behind the
// scheme is. What a URL may have in the place of the host besides, nobody reads into it.
func splitURL(url string) (host, uri string, ok bool) {
	rest, ok := strings.CutPrefix(url, "https://")
	if !ok {
		rest, ok = strings.CutPrefix(url, "http://")
	}
	slash := strings.IndexByte(rest, '/')
	if !ok || slash < 0 {
		return "", "", false
	}
	return rest[:slash], rest[slash:], true
}
