package inbound

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"authd/internal/auth"
)

// Everybody who reads a query or a cookie by the book finds the same value.
func FuzzQueryAndCookie(f *testing.F) {
	for _, s := range []string{"", "key=a", "key=a&key=b", "%6bey=a", "key=%41+", "key", "key=%zz", "a&key=;b", "key=a=b&&=", "Key=a", "key=a; key=b", " key=a ;b", "key=\"a\"", "=key", "key\t=a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := readQuery(s, "key")
		if values, err := url.ParseQuery(s); err == nil {
			sameValue(t, "query", s, got, values["key"])
		}
		got = readCookie(strings.Split(s, "\n"), "key")
		if strings.ContainsAny(s, "\r\n\"") {
			return // net/http unquotes, and we read to the letter; no header holds a CR
		}
		if cookies, err := http.ParseCookie(s); err == nil {
			var values []string
			for _, c := range cookies {
				if c.Name == "key" {
					values = append(values, c.Value)
				}
			}
			sameValue(t, "cookie", s, got, values)
		}
	})
}

func sameValue(t *testing.T, what, s string, got auth.Credential, want []string) {
	t.Helper()
	switch {
	case len(want) > 1 && !got.Several:
		t.Errorf("%s %q has several values, and is not read so", what, s)
	case len(want) == 1 && (got.Several || got.Secret.Reveal() != want[0]):
		t.Errorf("%s %q is read as %q (several: %v), want %q", what, s, got.Secret.Reveal(), got.Several, want[0])
	case len(want) == 0 && sent(got):
		t.Errorf("%s %q is read as %q, and holds none", what, s, got.Secret.Reveal())
	}
}
