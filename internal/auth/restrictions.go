package auth

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Restrictions bind a key to requests of a kind. An empty list does not restrict.
type Restrictions struct {
	Hosts   []string       `json:"hosts,omitempty"`   // globs, lower case, without port: * is any run of characters
	Methods []string       `json:"methods,omitempty"` // upper case
	Paths   []string       `json:"paths,omitempty"`   // prefixes, see PathUnder
	CIDRs   []netip.Prefix `json:"cidrs,omitempty"`   // networks of the client
}

// IsZero reports whether nothing is restricted.
func (r Restrictions) IsZero() bool {
	return len(r.Hosts)+len(r.Methods)+len(r.Paths)+len(r.CIDRs) == 0
}

// Validate reports every fault. It expects lists as [Restrictions.Normalize] leaves them.
func (r Restrictions) Validate() error {
	errs := []error{
		checkList("host", r.Hosts, checkHostGlob),
		checkList("method", r.Methods, checkMethod),
		checkList("path", r.Paths, CheckPathPrefix),
	}
	if len(r.CIDRs) > MaxItems {
		errs = append(errs, fmt.Errorf("more than %d networks", MaxItems))
	}
	if slices.ContainsFunc(r.CIDRs, func(p netip.Prefix) bool { return !p.IsValid() }) {
		errs = append(errs, errors.New("a network is empty: 10.0.0.0/8, 2001:db8::/32 or a single address are wanted"))
	}
	return errors.Join(errs...)
}

// Normalize brings hosts to lower case, methods to upper case, and networks to
// the form that ParseCIDR gives. It takes ASCII letters only: others are for
// Validate to refuse, not to be folded into their look-alikes.
func (r *Restrictions) Normalize() {
	for i, h := range r.Hosts {
		r.Hosts[i] = strings.Map(func(c rune) rune {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			return c
		}, h)
	}
	for i, m := range r.Methods {
		r.Methods[i] = strings.Map(func(c rune) rune {
			if 'a' <= c && c <= 'z' {
				c -= 'a' - 'A'
			}
			return c
		}, m)
	}
	for i, p := range r.CIDRs {
		r.CIDRs[i] = canonicalPrefix(p)
	}
}

func (r Restrictions) clone() Restrictions {
	return Restrictions{slices.Clone(r.Hosts), slices.Clone(r.Methods), slices.Clone(r.Paths), slices.Clone(r.CIDRs)}
}

// ParseCIDR reads a network (10.0.0.0/8) or a single address.
func ParseCIDR(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return canonicalPrefix(netip.PrefixFrom(a, a.BitLen())), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("%q is no network: 10.0.0.0/8, 2001:db8::/32 or a single address are wanted", s)
	}
	return canonicalPrefix(p), nil
}

// canonicalPrefix clears the bits of the host, and writes IPv4 that is mapped
// into IPv6 as IPv4: a request's address is compared in that form.
func canonicalPrefix(p netip.Prefix) netip.Prefix {
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p.Masked()
}

func checkHostGlob(s string) error {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.IndexByte(".-_*:[]", c) >= 0) {
			return errors.New("a host is letters, digits, '-', '.', and '*' for any run of characters; international names in their xn-- form")
		}
	}
	if !strings.HasPrefix(s, "[") && strings.Contains(s, ":") || strings.HasSuffix(s, ".") {
		return errors.New("hosts are compared without port and without a final dot")
	}
	return nil
}

func checkMethod(s string) error {
	for i := range len(s) {
		if c := s[i]; !('A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return errors.New("not an HTTP method")
		}
	}
	return nil
}

// judge returns Allowed where the request meets the restrictions, or else the reason why not.
func (r *Restrictions) judge(req *Request) Reason {
	if !req.Vouched {
		return Unvouched
	}
	if len(r.Hosts) > 0 && !slices.ContainsFunc(r.Hosts, func(g string) bool { return matchGlob(g, req.Host) }) {
		return ForbiddenHost
	}
	if len(r.Methods) > 0 && !slices.Contains(r.Methods, req.Method) {
		return ForbiddenMethod
	}
	if len(r.Paths) > 0 {
		path, ok := CanonicalPath(req.Path)
		if !ok {
			return AmbiguousPath
		}
		if !slices.ContainsFunc(r.Paths, func(p string) bool { return PathUnder(path, p) }) {
			return ForbiddenPath
		}
	}
	if len(r.CIDRs) > 0 && !slices.ContainsFunc(r.CIDRs, func(p netip.Prefix) bool { return p.Contains(req.Client.Unmap()) }) {
		return ForbiddenNetwork
	}
	return Allowed
}

// matchGlob reports whether s matches a pattern in which * is any run of
// characters. It needs time in the product of the lengths at most. An empty s
// matches nothing: a host that is not known is no host.
func matchGlob(pattern, s string) bool {
	if s == "" {
		return false
	}
	star, mark, p, i := -1, 0, 0, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && pattern[p] == s[i]:
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
