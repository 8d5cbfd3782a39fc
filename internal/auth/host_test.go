package auth_test

import (
	"net/netip"
	"strings"
	"testing"

	"authd/internal/auth"
)

func TestCanonicalHost(t *testing.T) {
	for raw, want := range map[string]string{
		"example.com":            "example.com",
		"EXAMPLE.Com":            "example.com",
		"example.com:8080":       "example.com",
		"example.com:":           "example.com",
		"example.com.":           "example.com",
		"example.com.:443":       "example.com",
		"a_b-c.example":          "a_b-c.example",
		"xn--caf-dma.example":    "xn--caf-dma.example",
		"10.0.0.1:80":            "10.0.0.1",
		"[::1]":                  "[::1]",
		"[::1]:443":              "[::1]",
		"[2001:DB8:0:0::0001]":   "[2001:db8::1]",
		"localhost":              "localhost",
		strings.Repeat("a", 253): strings.Repeat("a", 253),

		"":                       "",
		".":                      "",
		":80":                    "",
		"..":                     "",
		"a..b":                   "",
		".a":                     "",
		"a..":                    "",
		"a b":                    "",
		" a":                     "",
		"a/b":                    "",
		"a@b":                    "",
		"a,b":                    "",
		"a:b":                    "",
		"a:80:90":                "",
		"a:123456":               "",
		"a:-1":                   "",
		"a%41":                   "",
		"café.example":           "",
		"\u212aelvin.example":    "", // the Kelvin sign, which lower-cases to k
		"a\x00b":                 "",
		"*.example.com":          "",
		"[::1":                   "",
		"[::1]x":                 "",
		"[]":                     "",
		"[10.0.0.1]":             "",
		"[fe80::1%eth0]":         "",
		"[fe80::1%\u212a*]":      "",
		"::1":                    "",
		strings.Repeat("a", 254): "",
	} {
		if got := auth.CanonicalHost(raw); got != want {
			t.Errorf("CanonicalHost(%.40q) is %.40q, want %.40q", raw, got, want)
		}
	}
}

func FuzzCanonicalHost(f *testing.F) {
	for _, s := range []string{"", "Example.COM:443", "[::FFFF:10.0.0.1]:80", "[fe80::1%25eth0]", "a..", "\u212a", "a:b:c", "[", "host.:"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got := auth.CanonicalHost(raw)
		if got == "" {
			return
		}
		if again := auth.CanonicalHost(got); again != got {
			t.Errorf("%q becomes %q, and that %q", raw, got, again)
		}
		if shout := auth.CanonicalHost(strings.ToUpper(raw)); shout != got {
			t.Errorf("%q becomes %q, in upper case %q", raw, got, shout)
		}
		if inner, ok := strings.CutPrefix(got, "["); ok {
			if _, err := netip.ParseAddr(strings.TrimSuffix(inner, "]")); err != nil {
				t.Errorf("%q becomes %q: %v", raw, got, err)
			}
			return
		}
		if strings.Trim(got, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" || len(got) > 253 {
			t.Errorf("%q becomes %q", raw, got)
		}
	})
}
