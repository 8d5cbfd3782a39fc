package inbound

import "net/http"

// Aliases finds headers that an upstream might take for an identity header:
// X_Auth_User reaches a CGI or WSGI application under the very name of
// X-Auth-User, and no proxy overwrites it.
type Aliases struct {
	names   []string // of the identity headers
	lengths uint64   // bit n: a name has n bytes, modulo 64
}

// NewAliases looks for aliases of these names, written as those of the requests are.
func NewAliases(names []string) *Aliases {
	a := &Aliases{names: names}
	for _, n := range names {
		a.lengths |= 1 << (len(n) & 63)
	}
	return a
}

// In reports whether the request carries one. Names of another length, nearly
// all, are passed over at once.
func (a *Aliases) In(h http.Header) bool {
	for name := range h {
		if a.Has(name) {
			return true
		}
	}
	return false
}

// Has reports whether a name is an alias, and not one of the names themselves.
func (a *Aliases) Has(name string) bool {
	if a.lengths&(1<<(len(name)&63)) == 0 {
		return false
	}
	for _, n := range a.names {
		if name != n && SameHeader(name, n) {
			return true
		}
	}
	return false
}

// SameHeader reports whether two names are one to somebody who reads every
// character but letters and digits alike, and does not tell case.
func SameHeader(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if foldHeader(a[i]) != foldHeader(b[i]) {
			return false
		}
	}
	return true
}

func foldHeader(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c + 'a' - 'A'
	case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		return c
	}
	return '-'
}
