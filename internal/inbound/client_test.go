package inbound

import (
	"net/netip"
	"strings"
	"testing"
)

func cidrs(list ...string) (out []netip.Prefix) {
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

var proxies = Networks(cidrs("10.0.0.0/8", "127.0.0.0/8", "2001:db8:aaaa::/48"))

func TestClientIsTheRightMostThatIsNoProxy(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  string // empty: unknown
	}{
		{"nothing", nil, ""},
		{"one", []string{"192.0.2.7"}, "192.0.2.7"},
		{"a client's own entry on the left", []string{"198.51.100.1, 192.0.2.7"}, "192.0.2.7"},
		{"a proxy on the right", []string{"198.51.100.1, 192.0.2.7, 10.0.0.1"}, "192.0.2.7"},
		{"proxies on the right", []string{"192.0.2.7, 10.0.0.1,10.0.0.2 ,\t127.0.0.1"}, "192.0.2.7"},
		{"a proxy's address in front", []string{"10.0.0.1, 192.0.2.7"}, "192.0.2.7"},
		{"in several lines", []string{"198.51.100.1", "192.0.2.7", "10.0.0.1"}, "192.0.2.7"},
		{"all are proxies", []string{"10.0.0.3, 10.0.0.2", "10.0.0.1"}, "10.0.0.3"},
		{"with a port", []string{"192.0.2.7:1234"}, "192.0.2.7"},
		{"IPv6", []string{"2001:db8::7"}, "2001:db8::7"},
		{"IPv6 in brackets", []string{"[2001:db8::7]"}, "2001:db8::7"},
		{"IPv6 with a port", []string{"[2001:db8::7]:1234"}, "2001:db8::7"},
		{"IPv6 behind a proxy of IPv6", []string{"2001:db8::7, 2001:db8:aaaa::1"}, "2001:db8::7"},
		{"IPv4 in IPv6", []string{"::ffff:192.0.2.7"}, "192.0.2.7"},
		{"a proxy's IPv4 in IPv6", []string{"192.0.2.7, ::ffff:10.0.0.1"}, "192.0.2.7"},
		{"junk on the left", []string{"junk, 192.0.2.7"}, "192.0.2.7"},
		{"junk on the right", []string{"192.0.2.7, junk"}, ""},
		{"junk between", []string{"192.0.2.7, junk, 10.0.0.1"}, ""},
		{"unknown", []string{"unknown"}, ""},
		{"an empty line", []string{""}, ""},
		{"an empty entry", []string{"192.0.2.7, , 10.0.0.1"}, ""},
		{"a comma behind", []string{"192.0.2.7,"}, ""},
		{"an empty line on the right", []string{"192.0.2.7", ""}, ""},
		{"blanks within", []string{"192.0.2.7 10.0.0.1"}, ""},
		{"a zone", []string{"fe80::1%eth0"}, ""},
		{"a zone in brackets", []string{"[fe80::1%eth0]"}, ""},
		{"IPv4 in brackets", []string{"[192.0.2.7]"}, ""},
		{"a bracket too few", []string{"[2001:db8::7"}, ""},
		{"junk behind brackets", []string{"[2001:db8::7]x"}, ""},
		{"an empty port", []string{"192.0.2.7:"}, ""},
		{"no port", []string{"192.0.2.7:http"}, ""},
		{"a long port", []string{"192.0.2.7:123456"}, ""},
		{"octal", []string{"192.0.2.007"}, ""},
		{"short", []string{"192.0.2"}, ""},
		{"a number", []string{"3221225991"}, ""},
		{"quoted", []string{`"192.0.2.7"`}, ""},
		{"for=", []string{"for=192.0.2.7"}, ""},
		{"a network", []string{"192.0.2.0/24"}, ""},
		{"a NUL", []string{"192.0.2.7\x00"}, ""},
		{"as many hops as are read", []string{"192.0.2.7" + strings.Repeat(",10.0.0.1", maxHops-1)}, "192.0.2.7"},
		{"one hop more", []string{"192.0.2.7" + strings.Repeat(",10.0.0.1", maxHops)}, ""},
	} {
		got := ""
		if a := proxies.Client(c.lines); a.IsValid() {
			got = a.String()
		}
		if got != c.want {
			t.Errorf("%s: the client of %q is %q, want %q", c.name, c.lines, got, c.want)
		}
	}
}

// slowClient is another way to read the same thing: all entries, from the right.
func slowClient(n Networks, lines []string) (netip.Addr, bool) {
	entries := strings.Split(strings.Join(lines, ","), ",")
	if len(lines) == 0 {
		return netip.Addr{}, false
	}
	var last netip.Addr
	for i := len(entries) - 1; i >= 0; i-- {
		s := strings.Trim(entries[i], " \t")
		a, err := netip.ParseAddr(s)
		if ap, perr := netip.ParseAddrPort(s); err != nil && perr == nil {
			a, err = ap.Addr(), nil
		}
		if inner, ok := strings.CutPrefix(s, "["); err != nil && ok && strings.HasSuffix(inner, "]") {
			if a, err = netip.ParseAddr(strings.TrimSuffix(inner, "]")); err == nil && a.Is4() {
				return netip.Addr{}, false
			}
		}
		if err != nil || a.Zone() != "" || len(entries)-i > maxHops {
			return netip.Addr{}, false
		}
		if last = a.Unmap(); !n.Contain(last) {
			return last, true
		}
	}
	return last, true
}

func FuzzForwardedFor(f *testing.F) {
	for _, s := range []string{
		"", "192.0.2.7", "192.0.2.7, 10.0.0.1", "192.0.2.7\n10.0.0.1", "[2001:db8::7]:1, ::ffff:10.0.0.1", "junk,10.0.0.1", ",", "1.2.3.4:99999",
		"[::1", "[1.2.3.4]", "fe80::1%lo", "192.0.2.7" + strings.Repeat(",10.0.0.1", maxHops), "[::ffff:1.2.3.4]", "::", "1.2.3.4:0",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var lines []string
		if s != "" {
			lines = strings.Split(s, "\n")
		}
		got := proxies.Client(lines)
		want, ok := slowClient(proxies, lines)
		switch {
		case got.IsValid() && got.Zone() != "" || got.Is4In6():
			t.Errorf("%q: the client is %v, which compares with nothing", lines, got)
		case got.IsValid() && !ok && !bigPort(s):
			t.Errorf("%q: the client is %v, want it unknown", lines, got)
		case ok && got != want:
			t.Errorf("%q: the client is %v, want %v", lines, got, want)
		}
	})
}

// bigPort reports a port above 65535: netip refuses it, and to us it does not matter.
func bigPort(s string) bool {
	for _, e := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == '\n' }) {
		i := strings.LastIndexByte(e, ':')
		if port := strings.TrimLeft(strings.Trim(e[i+1:], " \t"), "0"); i >= 0 && isPort(strings.TrimRight(e[i:], " \t")) && (len(port) > 4 || port == "") {
			return true
		}
	}
	return false
}
