package inbound

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"authd/internal/auth"
)

// Credentials reads the key of a request out of the configured sources.
type Credentials struct {
	headers []string // canonical names; read all together, before the others
	others  []Source // in order: the first that holds something counts
}

// NewCredentials makes a reader of sources.
func NewCredentials(sources []Source) *Credentials {
	c := &Credentials{}
	for _, s := range sources {
		if s.kind == headerSource {
			c.headers = append(c.headers, s.name)
		} else {
			c.others = append(c.others, s)
		}
	}
	return c
}

var (
	several = auth.Credential{Several: true}
	// malformed stands for what can't be a key whatever it is read as: too short for one.
	malformed = auth.Credential{Secret: auth.RawSecret("?")}
)

// Read finds the credential. A header of its own goes before all other
// sources, which are then not looked at. fromAuthorization reports whether
// Authorization held what is judged, well-formed or not.
func (c *Credentials) Read(h http.Header, query string) (cred auth.Credential, fromAuthorization bool) {
	cred = c.readHeaders(h)
	for i := 0; i < len(c.others) && !sent(cred); i++ {
		s := &c.others[i]
		switch s.kind {
		case querySource:
			cred = readQuery(query, s.name)
		case cookieSource:
			cred = readCookie(h["Cookie"], s.name)
		default:
			cred = readAuthorization(h["Authorization"], s.kind)
			fromAuthorization = sent(cred)
		}
	}
	return cred, fromAuthorization
}

func sent(c auth.Credential) bool { return c.Several || !c.Secret.IsZero() }

// readHeaders reads the dedicated headers. Two that agree are one.
func (c *Credentials) readHeaders(h http.Header) auth.Credential {
	found := ""
	for _, name := range c.headers {
		lines := h[name]
		if len(lines) == 0 {
			continue
		}
		v := lines[0]
		if len(lines) > 1 || strings.IndexByte(v, ',') >= 0 || v != "" && found != "" && v != found {
			return several
		}
		if v != "" {
			found = v
		}
	}
	return auth.Credential{Secret: auth.RawSecret(found)}
}

// readAuthorization reads one scheme. Another scheme is the upstream's: not sent, to us.
func readAuthorization(lines []string, kind sourceKind) auth.Credential {
	if len(lines) == 0 {
		return auth.Credential{}
	}
	if len(lines) > 1 {
		return several
	}
	want := "bearer"
	if kind == basicSource {
		want = "basic"
	}
	scheme, rest, _ := strings.Cut(lines[0], " ")
	if !strings.EqualFold(scheme, want) {
		return auth.Credential{}
	}
	rest = strings.Trim(rest, " ")
	switch {
	case strings.IndexByte(rest, ',') >= 0:
		return several
	case kind == basicSource:
		return readBasic(rest)
	}
	return auth.Credential{Secret: auth.RawSecret(rest)} // a blank within is for auth to refuse
}

// readBasic takes the password, or the user name where there is no password.
func readBasic(encoded string) auth.Credential {
	if encoded == "" {
		return auth.Credential{}
	}
	b, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return malformed
	}
	user, password, ok := strings.Cut(string(b), ":")
	if !ok {
		return malformed
	}
	if password == "" {
		password = user
	}
	return auth.Credential{Secret: auth.RawSecret(password)}
}

// readQuery finds the parameter in a raw query.
func readQuery(query, name string) auth.Credential {
	var found auth.Credential
	seen := false
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		rawKey, rawValue, _ := strings.Cut(pair, "=")
		if key, err := url.QueryUnescape(rawKey); err != nil || key != name {
			continue
		}
		if seen {
			return several
		}
		seen = true
		value, err := url.QueryUnescape(rawValue)
		if err != nil {
			found = malformed
			continue
		}
		found = auth.Credential{Secret: auth.RawSecret(value)}
	}
	return found
}

// readCookie finds the cookie in the Cookie lines, its value to the letter.
func readCookie(lines []string, name string) auth.Credential {
	var found auth.Credential
	seen := false
	for _, line := range lines {
		for line != "" {
			var pair string
			pair, line, _ = strings.Cut(line, ";")
			key, value, _ := strings.Cut(strings.Trim(pair, " \t"), "=")
			if key != name {
				continue
			}
			if seen {
				return several
			}
			seen = true
			found = auth.Credential{Secret: auth.RawSecret(value)}
		}
	}
	return found
}
