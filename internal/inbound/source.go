package inbound

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Source is a place in a request where a key may be sent.
type Source struct {
	kind sourceKind
	name string // of the header (canonical), the query parameter or the cookie
	text string // as the operator wrote it
}

type sourceKind uint8

const (
	headerSource sourceKind = iota
	bearerSource
	basicSource
	querySource
	cookieSource
)

// String is the source as ParseSources reads it.
func (s Source) String() string { return s.text }

// InHeader reports whether the source is a header that could be taken for the one of this name.
func (s Source) InHeader(name string) bool { return s.kind == headerSource && SameHeader(name, s.name) }

// ParseSources reads "header:NAME", "bearer", "basic", "query:NAME" and
// "cookie:NAME", and reports every fault.
func ParseSources(list []string) ([]Source, error) {
	var sources []Source
	var errs []error
	for _, text := range list {
		s, err := parseSource(text)
		if err == nil && slices.ContainsFunc(sources, func(o Source) bool { return o.kind == s.kind && o.name == s.name }) {
			err = errors.New("listed twice")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("credential source %q: %w", text, err))
			continue
		}
		sources = append(sources, s)
	}
	return sources, errors.Join(errs...)
}

func parseSource(text string) (Source, error) {
	kind, name, _ := strings.Cut(text, ":")
	switch s := (Source{name: name, text: text}); {
	case text == "bearer":
		s.kind, s.name = bearerSource, ""
		return s, nil
	case text == "basic":
		s.kind, s.name = basicSource, ""
		return s, nil
	case kind == "header":
		s.kind, s.name = headerSource, http.CanonicalHeaderKey(name)
		return s, checkCredentialHeader(s.name)
	case kind == "query":
		s.kind = querySource
		return s, checkParameter(name)
	case kind == "cookie":
		s.kind = cookieSource
		return s, checkParameter(name)
	}
	return Source{}, errors.New("header:NAME, bearer, basic, query:NAME or cookie:NAME is wanted")
}

// checkCredentialHeader says why a header can't carry a key.
func checkCredentialHeader(name string) error {
	switch {
	case !httpguts.ValidHeaderFieldName(name):
		return errors.New("not the name of a header")
	case name == "Authorization":
		return errors.New("write bearer or basic")
	case name == "Cookie":
		return errors.New("write cookie:NAME")
	case otherwiseUsed(name):
		return errors.New("this header has another meaning")
	}
	return nil
}

func checkParameter(name string) error {
	if !httpguts.ValidHeaderFieldName(name) || len(name) > 64 {
		return errors.New("a name is 1 to 64 characters: letters, digits, '-', '_' and the like")
	}
	return nil
}

// challenge is what WWW-Authenticate says of the source (RFC 9110, section 11.6.1).
func (s Source) challenge(realm string) string {
	quoted := `realm="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(realm) + `"`
	switch s.kind {
	case bearerSource:
		return "Bearer " + quoted
	case basicSource:
		return "Basic " + quoted + `, charset="UTF-8"`
	}
	place, name, _ := strings.Cut(s.text, ":")
	return "ApiKey " + quoted + ", " + place + `="` + name + `"`
}

// Challenges is what WWW-Authenticate says: one line with a challenge per source.
func Challenges(sources []Source, realm string) string {
	list := make([]string, len(sources))
	for i, s := range sources {
		list[i] = s.challenge(realm)
	}
	return strings.Join(list, ", ")
}
