package auth

import (
	"net/netip"
	"strings"
)

// maxHost is the most that DNS lets a name have, in bytes.
const maxHost = 253

// CanonicalHost brings the host of a request to the form in which hosts are
// compared: lower case, no port, no final dot, IPv6 as RFC 5952 writes it.
// What is no host becomes "", which matches nothing.
func CanonicalHost(raw string) string {
	host := raw
	if strings.HasPrefix(host, "[") {
		return canonicalIPv6(host)
	}
	if i := strings.IndexByte(host, ':'); i >= 0 {
		if !portOrNothing(host[i:]) {
			return ""
		}
		host = host[:i]
	}
	host = strings.TrimSuffix(host, ".")
	if len(host) > maxHost || strings.HasPrefix(host, ".") || strings.HasSuffix(host, ".") || strings.Contains(host, "..") {
		return ""
	}
	for i := range len(host) {
		c := host[i]
		if !isBase62(c) && c != '.' && c != '-' && c != '_' {
			return ""
		}
	}
	return strings.ToLower(host)
}

func canonicalIPv6(host string) string {
	end := strings.IndexByte(host, ']')
	if end < 0 || !portOrNothing(host[end+1:]) {
		return ""
	}
	addr, err := netip.ParseAddr(host[1:end])
	if err != nil || !addr.Is6() || addr.Zone() != "" {
		return ""
	}
	return "[" + addr.String() + "]"
}

// portOrNothing reports whether s is empty or ":" and digits.
func portOrNothing(s string) bool {
	if s == "" {
		return true
	}
	return s[0] == ':' && len(s) <= 6 && strings.Trim(s[1:], "0123456789") == ""
}
