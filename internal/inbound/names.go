package inbound

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"authd/internal/auth"
)

// DefaultHeaders are the names of the identity headers.
var DefaultHeaders = [auth.IdentityFields]string{
	auth.IdentityUser:   "X-Auth-User",
	auth.IdentityKey:    "X-Auth-Key",
	auth.IdentityKeyID:  "X-Auth-Key-Id",
	auth.IdentityGroups: "X-Auth-Groups",
	auth.IdentityScopes: "X-Auth-Scopes",
}

// HeaderNames are the canonical names of the identity headers, the default where one is empty.
func HeaderNames(names [auth.IdentityFields]string) [auth.IdentityFields]string {
	for i, name := range names {
		if name == "" {
			name = DefaultHeaders[i]
		}
		names[i] = http.CanonicalHeaderKey(name)
	}
	return names
}

// notForIdentity are headers that mean something else to HTTP, to a proxy or
// to authd.
var notForIdentity = []string{
	"Authorization", "Cache-Control", "Connection", "Content-Length", "Content-Type", "Cookie", "Date", "Host",
	"Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Ratelimit", "Ratelimit-Policy", "Retry-After", "Set-Cookie", "Te",
	"Trailer", "Transfer-Encoding", "Upgrade", "Www-Authenticate", "X-Real-Ip", "X-Request-Id",
}

// otherwiseUsed reports whether a header, by its canonical name, means
// something else: neither a key nor the identity can be told in it.
func otherwiseUsed(name string) bool {
	return strings.HasPrefix(name, "X-Forwarded-") || slices.Contains(notForIdentity, name)
}

// CheckIdentityHeader says why the identity can't be told in a header, by its canonical name.
func CheckIdentityHeader(name string) error {
	switch {
	case !httpguts.ValidHeaderFieldName(name):
		return errors.New("not the name of a header")
	case otherwiseUsed(name):
		return errors.New("this header has another meaning")
	}
	return nil
}
