package config

import (
	"errors"
	"fmt"
	"net/netip"

	"authd/internal/auth"
)

var (
	loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	// private leaves out link-local addresses, where clouds keep their metadata, and
	// 100.64.0.0/10, which providers share among customers.
	private = append(loopback[:len(loopback):len(loopback)],
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
		netip.MustParsePrefix("fc00::/7"))
)

// trusted are the networks of verify.trusted_proxies.
func (l *Loaded) trusted() []netip.Prefix {
	const path = "verify.trusted_proxies"
	var out []netip.Prefix
	list := l.Config.Verify.TrustedProxies
	for _, s := range list {
		switch s {
		case "private":
			out = append(out, private...)
		case "loopback":
			out = append(out, loopback...)
		case "none":
			if len(list) > 1 {
				l.note(path, errors.New("none stands alone: others are listed beside it"))
			}
		default:
			p, err := auth.ParseCIDR(s)
			if err != nil {
				l.note(path, fmt.Errorf("%s is no network: private, loopback, none, a network such as 10.0.0.0/8 or an address are wanted", shown(s)))
				continue
			}
			out = append(out, p)
		}
	}
	return out
}
