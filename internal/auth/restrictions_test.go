package auth_test

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"authd/internal/auth"
)

// naiveGlob is what a glob means, without any cleverness.
func naiveGlob(pattern, s string) bool {
	if pattern == "" {
		return s == ""
	}
	if pattern[0] == '*' {
		return naiveGlob(pattern[1:], s) || s != "" && naiveGlob(pattern, s[1:])
	}
	return s != "" && pattern[0] == s[0] && naiveGlob(pattern[1:], s[1:])
}

func TestGlobsMatchAsTheirMeaningSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab.*]{0,10}`).Draw(t, "pattern")
		s := rapid.StringMatching(`[ab.]{0,10}`).Draw(t, "s")
		if got, want := auth.MatchGlob(pattern, s), s != "" && naiveGlob(pattern, s); got != want {
			t.Errorf("%q on %q: %v, want %v", pattern, s, got, want)
		}
	})
}

// Hosts are ASCII: CanonicalHost sees to it, and checkHostGlob for the patterns.
func FuzzGlob(f *testing.F) {
	for _, pattern := range []string{"", "*", "**", "*.example.com", "a*", "*a*b*", "[::1]", "a.b", "*\n"} {
		for _, s := range []string{"", "a", "example.com", "x.example.com", "aXb", "axb", "[::1]", "a\nb"} {
			f.Add(pattern, s)
		}
	}
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if strings.ContainsFunc(pattern+s, func(r rune) bool { return r >= utf8.RuneSelf }) {
			return
		}
		if got, want := auth.MatchGlob(pattern, s), s != "" && globs([]string{pattern}).MatchString(s); got != want {
			t.Errorf("%q on %q: %v, want %v", pattern, s, got, want)
		}
	})
}

// A matcher that backtracks over every star would need longer than the universe has.
func TestGlobsOfManyStarsEnd(t *testing.T) {
	done := make(chan bool)
	go func() { done <- auth.MatchGlob(strings.Repeat("*a", 99)+"*b", strings.Repeat("a", 253)) }()
	select {
	case matched := <-done:
		if matched {
			t.Error("a pattern that ends in b matches a's")
		}
	case <-time.After(time.Minute):
		t.Fatal("a glob of many stars takes for ever")
	}
}

func TestParseCIDR(t *testing.T) {
	for s, want := range map[string]string{
		"10.0.0.0/8":              "10.0.0.0/8",
		"10.1.2.3/8":              "10.0.0.0/8",
		"10.1.2.3":                "10.1.2.3/32",
		"::1":                     "::1/128",
		"2001:db8::/32":           "2001:db8::/32",
		"0.0.0.0/0":               "0.0.0.0/0",
		"::/0":                    "::/0",
		"::ffff:10.1.2.3":         "10.1.2.3/32",
		"::ffff:10.1.2.3/104":     "10.0.0.0/8",
		"::ffff:0.0.0.0/96":       "0.0.0.0/0",
		"2001:DB8:0:0:0:0:0:1/64": "2001:db8::/64",
	} {
		if got, err := auth.ParseCIDR(s); err != nil || got.String() != want {
			t.Errorf("%q: %v, %v; want %s", s, got, err, want)
		}
	}
	for _, s := range []string{"", "10", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "::1/129", "fe80::1%eth0", "fe80::%eth0/64", "10.0.0.0/8 ", "localhost", "010.0.0.1"} {
		if p, err := auth.ParseCIDR(s); err == nil {
			t.Errorf("%q is taken for %v", s, p)
		}
	}
}

func FuzzParseCIDR(f *testing.F) {
	for _, s := range []string{"10.0.0.0/8", "::ffff:10.0.0.1/100", "::ffff:0:0/90", "fe80::1%x", "1.2.3.4", "/", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := auth.ParseCIDR(s)
		if err != nil {
			return
		}
		if again, err := auth.ParseCIDR(p.String()); err != nil || again != p {
			t.Errorf("%q is %v, and that is %v (%v)", s, p, again, err)
		}
		if !p.IsValid() || !p.Contains(p.Addr()) || p.Masked() != p {
			t.Errorf("%q is %v", s, p)
		}
	})
}

func TestNormalizeThenValidate(t *testing.T) {
	r := auth.Restrictions{
		Hosts: []string{"*.Example.COM", "[::1]"}, Methods: []string{"get", "Version-Control"}, Paths: []string{"/a"},
		CIDRs: []netip.Prefix{netip.MustParsePrefix("10.1.2.3/8"), netip.MustParsePrefix("::ffff:10.0.0.0/104")},
	}
	r.Normalize()
	if err := r.Validate(); err != nil {
		t.Error(err)
	}
	if !slices.Equal(r.Hosts, []string{"*.example.com", "[::1]"}) || !slices.Equal(r.Methods, []string{"GET", "VERSION-CONTROL"}) {
		t.Errorf("normalized to %v and %v", r.Hosts, r.Methods)
	}
	if r.CIDRs[0].String() != "10.0.0.0/8" || r.CIDRs[1] != r.CIDRs[0] {
		t.Errorf("networks became %v", r.CIDRs)
	}
	for name, bad := range map[string]auth.Restrictions{
		"host with a port":          {Hosts: []string{"example.com:8080"}},
		"host with a final dot":     {Hosts: []string{"example.com."}},
		"host with a slash":         {Hosts: []string{"example.com/a"}},
		"host with a question":      {Hosts: []string{"exampl?.com"}},
		"host of a look-alike":      {Hosts: []string{"\u212aelvin.example"}},
		"empty host":                {Hosts: []string{""}},
		"method of a look-alike":    {Methods: []string{"PO\u017fT"}},
		"method with a blank":       {Methods: []string{"GET POST"}},
		"empty method":              {Methods: []string{""}},
		"path without a slash":      {Paths: []string{"a"}},
		"path with a dot segment":   {Paths: []string{"/a/.."}},
		"path that is encoded":      {Paths: []string{"/a%20b"}},
		"empty network":             {CIDRs: []netip.Prefix{{}}},
		"too many hosts":            {Hosts: slices.Repeat([]string{"a"}, auth.MaxItems+1)},
		"too many networks":         {CIDRs: slices.Repeat([]netip.Prefix{netip.MustParsePrefix("::/0")}, auth.MaxItems+1)},
		"host that is far too long": {Hosts: []string{strings.Repeat("a", auth.MaxItem+1)}},
	} {
		bad.Normalize()
		if bad.Validate() == nil {
			t.Errorf("%s: taken", name)
		}
	}
	both := auth.Restrictions{Hosts: []string{"a:1"}, Paths: []string{"b"}}
	if err := both.Validate(); err == nil || !strings.Contains(err.Error(), "a:1") || !strings.Contains(err.Error(), `path "b"`) {
		t.Errorf("not every fault is told: %v", err)
	}
}

func TestRestrictionsKeepTheirFormInJSON(t *testing.T) {
	r := auth.Restrictions{Hosts: []string{"a"}, Methods: []string{"GET"}, Paths: []string{"/"}, CIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	b, err := json.Marshal(r)
	if want := `{"hosts":["a"],"methods":["GET"],"paths":["/"],"cidrs":["10.0.0.0/8"]}`; err != nil || string(b) != want {
		t.Fatalf("%s (%v), want %s", b, err, want)
	}
	var again auth.Restrictions
	if err := json.Unmarshal(b, &again); err != nil || again.IsZero() || again.CIDRs[0] != r.CIDRs[0] {
		t.Errorf("read back as %v (%v)", again, err)
	}
	if b, err := json.Marshal(auth.Restrictions{}); err != nil || string(b) != "{}" {
		t.Errorf("none are written as %s (%v)", b, err)
	}
}

func TestRestrictions(t *testing.T) {
	net10, net6 := netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")
	all := auth.Restrictions{Hosts: []string{"*.example.com", "other.example"}, Methods: []string{"GET", "HEAD"}, Paths: []string{"/v1/", "/health"}, CIDRs: []netip.Prefix{net10, net6}}
	good := auth.Request{Vouched: true, Method: "GET", Host: "a.example.com", Path: "/v1/x", Client: netip.MustParseAddr("10.9.9.9")}
	for name, c := range map[string]struct {
		change func(*auth.Request)
		want   auth.Reason
	}{
		"as it should be":          {func(*auth.Request) {}, auth.Allowed},
		"the other host":           {func(r *auth.Request) { r.Host = "other.example" }, auth.Allowed},
		"an IPv6 client":           {func(r *auth.Request) { r.Client = netip.MustParseAddr("2001:db8::7") }, auth.Allowed},
		"IPv4 mapped into IPv6":    {func(r *auth.Request) { r.Client = netip.MustParseAddr("::ffff:10.1.1.1") }, auth.Allowed},
		"an encoded path":          {func(r *auth.Request) { r.Path = "/v1/%78" }, auth.Allowed},
		"nobody vouches":           {func(r *auth.Request) { r.Vouched = false }, auth.Unvouched},
		"a parent host":            {func(r *auth.Request) { r.Host = "example.com" }, auth.ForbiddenHost},
		"a host with a suffix":     {func(r *auth.Request) { r.Host = "a.example.com.evil" }, auth.ForbiddenHost},
		"no host":                  {func(r *auth.Request) { r.Host = "" }, auth.ForbiddenHost},
		"another method":           {func(r *auth.Request) { r.Method = "POST" }, auth.ForbiddenMethod},
		"the method in lower case": {func(r *auth.Request) { r.Method = "get" }, auth.ForbiddenMethod},
		"no method":                {func(r *auth.Request) { r.Method = "" }, auth.ForbiddenMethod},
		"another path":             {func(r *auth.Request) { r.Path = "/v2/x" }, auth.ForbiddenPath},
		"a path that only begins":  {func(r *auth.Request) { r.Path = "/healthy" }, auth.ForbiddenPath},
		"the way out of a path":    {func(r *auth.Request) { r.Path = "/v1/../admin" }, auth.AmbiguousPath},
		"no path":                  {func(r *auth.Request) { r.Path = "" }, auth.AmbiguousPath},
		"another network":          {func(r *auth.Request) { r.Client = netip.MustParseAddr("192.0.2.1") }, auth.ForbiddenNetwork},
		"no address":               {func(r *auth.Request) { r.Client = netip.Addr{} }, auth.ForbiddenNetwork},
	} {
		req := good
		c.change(&req)
		if got := checkWith(t, auth.Record{Restrictions: all}, &req).Reason; got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	unvouched := auth.Request{}
	if got := checkWith(t, auth.Record{}, &unvouched).Reason; got != auth.Allowed {
		t.Errorf("a key without restrictions, nobody vouches: %s, want ok", got)
	}
}
