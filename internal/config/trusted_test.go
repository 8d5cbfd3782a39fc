package config

import (
	"net/netip"
	"testing"
)

func TestTrustedProxies(t *testing.T) {
	for list, c := range map[string]struct{ yes, no []string }{
		"private": {
			[]string{"127.0.0.1", "::1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd00::1", "fc00::1"},
			[]string{"172.32.0.1", "169.254.169.254", "100.64.0.1", "fe80::1", "8.8.8.8", "2001:db8::1", "0.0.0.0", "::"},
		},
		"loopback":                {[]string{"127.0.0.1", "127.255.0.1", "::1"}, []string{"10.0.0.1", "192.168.1.1"}},
		"none":                    {nil, []string{"127.0.0.1", "::1", "10.0.0.1"}},
		"":                        {nil, []string{"127.0.0.1", "::1", "10.0.0.1"}},
		"loopback, 192.0.2.0/24":  {[]string{"127.0.0.1", "192.0.2.255"}, []string{"192.0.3.0", "10.0.0.1"}},
		"192.0.2.7,2001:db8::/32": {[]string{"192.0.2.7", "2001:db8::7"}, []string{"192.0.2.8", "2001:db9::"}},
		"::ffff:192.0.2.0/120":    {[]string{"192.0.2.7"}, []string{"192.0.3.7"}},
		"192.0.2.7/24":            {[]string{"192.0.2.1"}, []string{"192.0.3.7"}},
	} {
		l, err := Load(Source{Environ: environ("AUTHD_VERIFY_TRUSTED_PROXIES=" + list)})
		if err != nil {
			t.Errorf("%q: %v", list, err)
		}
		trusts := func(s string) bool {
			for _, p := range l.Trusted {
				if p.Contains(netip.MustParseAddr(s)) {
					return true
				}
			}
			return false
		}
		for _, s := range c.yes {
			if !trusts(s) {
				t.Errorf("%q does not trust %s", list, s)
			}
		}
		for _, s := range c.no {
			if trusts(s) {
				t.Errorf("%q trusts %s", list, s)
			}
		}
	}
	for _, list := range []string{"Private", "10.0.0.0/33", "proxy.example.com", "fe80::1%eth0", "none,none", "*"} {
		if l, err := Load(Source{Environ: environ("AUTHD_VERIFY_TRUSTED_PROXIES=" + list)}); err == nil {
			t.Errorf("%q is read as %v", list, l.Trusted)
		}
	}
}
