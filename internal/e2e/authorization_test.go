package e2e

import (
	"strings"
	"testing"
)

// Authorization belongs to the application, unless it was the key: it reaches the service to the letter, or not at all.
func checkAuthorization(t *testing.T, c *chain) {
	const basic, token, other = "Basic dXNlcjpwYXNzd29yZA==", "Bearer eyJhbGciOiJub25lIn0.e30.", `Digest username="u", realm="r"`
	good := c.authd.key("good")
	asBearer := "Bearer " + strings.TrimPrefix(good, "API-KEY: ")
	for _, x := range []struct {
		name, target, key, sent string
		want                    int
		as, arrives             string
	}{
		{"the application's password beside a key", "/orders/1", good, basic, 200, login, basic},
		{"its token beside a key", "/orders/1", good, token, 200, login, token},
		{"another scheme beside a key", "/orders/1", good, other, 200, login, other},
		{"its password beside a bad key", "/orders/1", "API-KEY: this-is-no-key-at-all", basic, 401, "", ""},
		{"its password alone", "/orders/1", "", basic, 401, "", ""},
		{"its password where no key is needed", "/public/1", "", basic, 200, "", basic},
		{"the key", "/orders/1", "", asBearer, 200, login, ""},
		{"the key where none is needed", "/public/1", "", asBearer, 200, login, ""},
		{"a token that is no key", "/orders/1", "", token, 401, "", ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			q := ask{target: x.target, lines: lines("Authorization: " + x.sent)}
			if x.key != "" {
				q.lines = append(q.lines, x.key)
			}
			_, s := c.want(t, x.want, q)
			if s == nil {
				return
			}
			s.as(t, x.as)
			if got := strings.Join(s.header["Authorization"], "|"); got != x.arrives {
				t.Errorf("Authorization arrives as %q, want %q", withoutKey(c, got), x.arrives)
			}
		})
	}
}

// withoutKey is for messages.
func withoutKey(c *chain, text string) string {
	if c.authd.carries(text) {
		return "(a key)"
	}
	return text
}
