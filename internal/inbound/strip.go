package inbound

import (
	"net/url"
	"slices"
	"strings"
)

// Header is the canonical name of the header, where the source is one of its own.
func (s Source) Header() (name string, ok bool) { return s.name, s.kind == headerSource }

// Parameter is the name of the query's parameter, where the source is one.
func (s Source) Parameter() (name string, ok bool) { return s.name, s.kind == querySource }

// Cookie is the name of the cookie, where the source is one.
func (s Source) Cookie() (name string, ok bool) { return s.name, s.kind == cookieSource }

// Spellings are the ways in which a parameter's name is written in a raw query:
// who removes it without decoding has to know them.
func Spellings(query, name string) (found []string) {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		raw, _, _ := strings.Cut(pair, "=")
		if key, err := url.QueryUnescape(raw); err == nil && key == name && !slices.Contains(found, raw) {
			found = append(found, raw)
		}
	}
	return found
}

// WithoutCookies are the Cookie lines in one, without the cookies of these
// names, to the letter otherwise; found reports whether there was one.
func WithoutCookies(lines, names []string) (rest string, found bool) {
	var kept []string
	for _, line := range lines {
		for pair := range strings.SplitSeq(line, ";") {
			pair = strings.Trim(pair, " \t")
			key, _, _ := strings.Cut(pair, "=")
			if slices.Contains(names, key) {
				found = true
			} else if pair != "" {
				kept = append(kept, pair)
			}
		}
	}
	return strings.Join(kept, "; "), found
}
