package inbound

import (
	"net/netip"
	"strings"
)

// Networks are the peers that are trusted.
type Networks []netip.Prefix

// Contain reports whether an address lies in one of them.
func (n Networks) Contain(a netip.Addr) bool {
	for _, p := range n {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// ContainPeer reports whether the other end of a connection is trusted.
func (n Networks) ContainPeer(remoteAddr string) bool {
	if len(n) == 0 {
		return false
	}
	a, ok := PeerOf(remoteAddr)
	return ok && n.Contain(a)
}

// PeerOf reads http.Request.RemoteAddr. The zone of a link-local peer comes
// from the kernel, and no network has one.
func PeerOf(remoteAddr string) (netip.Addr, bool) {
	ap, err := netip.ParseAddrPort(remoteAddr)
	if err != nil {
		return netip.Addr{}, false
	}
	return ap.Addr().Unmap().WithZone(""), true
}

// maxHops bounds how many entries of X-Forwarded-For are looked at.
const maxHops = 32

// Client finds the client's address in the lines of X-Forwarded-For: the
// right-most entry that is not a trusted proxy, or the left-most where all
// are. It is the zero Addr where an entry on the way there is no address.
func (n Networks) Client(lines []string) netip.Addr {
	var last netip.Addr
	hops := 0
	for i := len(lines) - 1; i >= 0; i-- {
		rest, more := lines[i], true
		for more {
			entry := rest
			cut := strings.LastIndexByte(rest, ',')
			if more = cut >= 0; more {
				entry, rest = rest[cut+1:], rest[:cut]
			}
			a, ok := parseHop(strings.Trim(entry, " \t"))
			if hops++; !ok || hops > maxHops {
				return netip.Addr{}
			}
			if !n.Contain(a) {
				return a
			}
			last = a
		}
	}
	return last
}

// parseHop reads an address as proxies write it: with or without a port,
// IPv6 with or without brackets. Zones are refused: they mean nothing here.
func parseHop(s string) (netip.Addr, bool) {
	switch {
	case strings.HasPrefix(s, "["):
		end := strings.IndexByte(s, ']')
		if end < 0 || end+1 < len(s) && !isPort(s[end+1:]) {
			return netip.Addr{}, false
		}
		s = s[1:end]
		if strings.IndexByte(s, ':') < 0 {
			return netip.Addr{}, false
		}
	default:
		if i := strings.IndexByte(s, ':'); i >= 0 && i == strings.LastIndexByte(s, ':') {
			if !isPort(s[i:]) {
				return netip.Addr{}, false
			}
			s = s[:i]
		}
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, false
	}
	return a.Unmap(), true
}

// isPort reports whether s is a colon and up to five digits.
func isPort(s string) bool {
	return len(s) >= 2 && len(s) <= 6 && s[0] == ':' && strings.Trim(s[1:], "0123456789") == ""
}
