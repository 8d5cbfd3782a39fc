package inbound

import (
	"crypto/rand"
	"net/http"
)

// ReadRequestID takes the proxy's id where it can stand in a log line and in
// JSON as it is. It may be the client's own: it names a request, and proves nothing.
func ReadRequestID(h http.Header) string {
	id, ok := One(h, "X-Request-Id")
	if !ok || len(id) > 64 {
		return ""
	}
	for i := range len(id) {
		c := id[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-') {
			return ""
		}
	}
	return id
}

// NewRequestID is random, and always of one length: answers differ in nothing else.
func NewRequestID() string { return rand.Text() }
