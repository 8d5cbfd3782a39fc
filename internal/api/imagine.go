package api

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"authd/internal/auth"
	"authd/internal/inbound"
)

// Imagined is a request that nobody makes, for authd explain: as a trusted
// proxy would tell of it.
type Imagined struct {
	Proxy  string // a dialect; "" or NoProxy for plain /verify
	Method string
	URL    string // http://host/path; empty where it is not known
	Client netip.Addr
}

// Request is what the Checker would be told, but for the credential, the policy
// and the time; and why nothing of it would be believed, if it would not.
func (i Imagined) Request() (req auth.Request, why string, err error) {
	switch {
	case i.Proxy == "" || i.Proxy == NoProxy:
		return req, "plain /verify believes no forwarded header: ask as a proxy", nil
	case !slices.Contains(dialectNames(), i.Proxy):
		return req, "", fmt.Errorf("proxy %q: %s or one of %s is wanted", i.Proxy, NoProxy, strings.Join(dialectNames(), ", "))
	case i.URL == "":
		return req, "it is not known what is asked for: give a URL", nil
	}
	host, target, err := cutURL(i.URL)
	if err != nil {
		return req, "", err
	}
	o := inbound.Vouch(i.Method, host, target, i.Client)
	return auth.Request{Vouched: o.Vouched, Method: o.Method, Host: o.Host, Path: o.Path, Client: o.Client}, o.Why, nil
}

// cutURL parts a URL without touching what it has: an upstream reads the path as it was sent.
func cutURL(raw string) (host, target string, err error) {
	rest, ok := strings.CutPrefix(raw, "https://")
	if !ok {
		rest, ok = strings.CutPrefix(raw, "http://")
	}
	if !ok {
		return "", "", errors.New("a URL is wanted: https://host/path")
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	host, target = rest[:end], rest[end:]
	target, _, _ = strings.Cut(target, "#") // no client sends it
	if !strings.HasPrefix(target, "/") {
		target = "/" + target
	}
	return host, target, nil
}
