package extauthz

import (
	"net/http"
	"strings"

	"authd/internal/inbound"
)

// strip is what the upstream must not see of a request that passes: the credential.
type strip struct {
	headers    []string // in lower case
	parameters []string // of the query, as they are written there
	cookie     string   // what is left of Cookie; empty: it stays as it is, or is among the headers
}

// stripper knows the places of the credential. A header, a parameter and a
// cookie that a source names are ours, and go whether they were the credential or
// not; Authorization may be the upstream's, and goes only where it was.
type stripper struct {
	headers    []string // always removed, in lower case; its capacity is its length
	parameters []string
	cookies    []string
}

func newStripper(sources []inbound.Source) *stripper {
	s := &stripper{}
	for _, source := range sources {
		if name, ok := source.Header(); ok {
			s.headers = append(s.headers, strings.ToLower(name))
		} else if name, ok := source.Parameter(); ok {
			s.parameters = append(s.parameters, name)
		} else if name, ok := source.Cookie(); ok {
			s.cookies = append(s.cookies, name)
		}
	}
	s.headers = s.headers[:len(s.headers):len(s.headers)]
	return s
}

func (s *stripper) of(h http.Header, query string, fromAuthorization bool) strip {
	out := strip{headers: s.headers}
	if fromAuthorization {
		out.headers = append(out.headers, "authorization")
	}
	for _, name := range s.parameters {
		out.parameters = append(out.parameters, inbound.Spellings(query, name)...)
	}
	if cookies := h["Cookie"]; len(s.cookies) > 0 && len(cookies) > 0 {
		rest, found := inbound.WithoutCookies(cookies, s.cookies)
		switch {
		case found && rest == "":
			out.headers = append(out.headers, "cookie")
		case found:
			out.cookie = rest
		}
	}
	return out
}
