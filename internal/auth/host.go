package auth

import (
	"net/netip"
	"strings"
)

// CanonicalHost brings the host of a request to the form in which hosts are
// compared: lower case, no port, no final dot. What is no host becomes "",
// which matches nothing.
func CanonicalHost(raw string) string {
	host := raw
	if strings.HasPrefix(host, "[") {
		end := strings.IndexByte(host, ']')
		if end < 0 || !portOrNothing(host[end+1:]) {
			return ""
		}
		if _, err := netip.ParseAddr(host[1:end]); err != nil {
			return ""
		}
		return strings.ToLower(host[:end+1])
	}
	if i := strings.IndexByte(host, ':'); i >= 0 {
		if !portOrNothing(host[i:]) {
			return ""
		}
		host = host[:i]
	}
	host = strings.TrimSuffix(host, ".")
	for i := range len(host) {
		c := host[i]
		if !isBase62(c) && c != '.' && c != '-' && c != '_' {
			return ""
		}
	}
	return strings.ToLower(host)
}

// portOrNothing reports whether s is empty or ":" and digits.
func portOrNothing(s string) bool {
	if s == "" {
		return true
	}
	return s[0] == ':' && len(s) <= 6 && strings.Trim(s[1:], "0123456789") == ""
}
