package auth_test

import (
	"net/url"
	"path"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"authd/internal/auth"
)

func TestCanonicalPathAccepts(t *testing.T) {
	for raw, want := range map[string]string{
		"/":                      "/",
		"/a":                     "/a",
		"/a/":                    "/a/",
		"/a/b.c/..d/e../...":     "/a/b.c/..d/e../...",
		"/.well-known/x":         "/.well-known/x",
		"/a%20b":                 "/a b",
		"/caf%C3%A9":             "/café",
		"/café":                  "/café",
		"/%41%62":                "/Ab",
		"/a:b@c!$&'()*+=,~-_":    "/a:b@c!$&'()*+=,~-_",
		"/" + long(auth.MaxPath): "/" + long(auth.MaxPath),
	} {
		if got, ok := auth.CanonicalPath(raw); !ok || got != want {
			t.Errorf("%.40q: %.40q, %v; want %.40q", raw, got, ok, want)
		}
	}
}

// long fills a path up to n bytes.
func long(n int) string { return strings.Repeat("x", n-1) }

func TestCanonicalPathRefuses(t *testing.T) {
	for _, raw := range []string{
		"", "a", "*", "http://host/a", "host:80", " /a", // no path
		"/.", "/..", "/./", "/../", "/a/.", "/a/..", "/a/./b", "/a/../b", "/public/../admin", // dot segments
		"//", "//a", "/a//", "/a//b", "///", // empty segments
		"/%2e", "/%2E%2e", "/a/%2e%2e/b", "/a/.%2e/b", "/a/%2e./b", "/a%2eb", // hidden dots
		"/%2f", "/a%2fb", "/a%2Fb", "/%2fadmin", // hidden slashes
		"/%5c", "/a%5Cb", `/a\b`, `/a\..\b`, `\a`, // backslashes
		"/%252e", "/%25", "/a%252fb", "/a%2525", // double encoding
		"/a;b", "/a%3bb", "/a/..;/b", "/;x/a", // parameters
		"/a#b", "/a%23b", "/a?b", "/a%3fb", "/?", // what begins another part of the target
		"/%00", "/a%00b", "/a\x00", "/%0a", "/%0D", "/a\tb", "/a\x7f", "/%7f", "/%1f", // control characters
		"/%", "/%a", "/%zz", "/%u002e", "/a%", "/a%4", "/%-1", "/%+1", // no encoding at all
		"/%ff", "/\xff", "/%c0%ae", "/%c0%af", "/%e0%80%af", "/\xc0\xae", "/%ed%a0%80", // invalid and overlong UTF-8
		"/" + long(auth.MaxPath+1),
	} {
		if got, ok := auth.CanonicalPath(raw); ok {
			t.Errorf("%.40q is read as %.40q, want it refused", raw, got)
		}
	}
}

func TestPathUnder(t *testing.T) {
	for _, c := range []struct {
		path, prefix string
		want         bool
	}{
		{"/a", "/a", true}, {"/a/", "/a", true}, {"/a/b", "/a", true}, {"/ab", "/a", false}, {"/", "/a", false}, {"/A", "/a", false},
		{"/a/", "/a/", true}, {"/a/b", "/a/", true}, {"/a", "/a/", false}, {"/ab", "/a/", false},
		{"/", "/", true}, {"/a", "/", true}, {"", "/", false}, {"/b/a", "/a", false},
	} {
		if got := auth.PathUnder(c.path, c.prefix); got != c.want {
			t.Errorf("PathUnder(%q, %q) is %v", c.path, c.prefix, got)
		}
	}
}

func TestCheckPathPrefix(t *testing.T) {
	for _, s := range []string{"/", "/a", "/a/", "/café au lait"} {
		if err := auth.CheckPathPrefix(s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, s := range []string{"", "a", "/a%20b", "/a?b", "/a;b", "//a", "/a/../b", "*"} {
		if auth.CheckPathPrefix(s) == nil {
			t.Errorf("%q is taken for a prefix", s)
		}
	}
}

// readings are what upstreams of all kinds may make of a raw path. One that decodes nothing is none of them: where the
// prefix has to be encoded itself, as "/a b" has, it knows the same path by its encoded name.
func readings(raw string) (out []string) {
	for range 3 { // decoded once, twice, thrice
		d, err := url.PathUnescape(raw)
		if err != nil {
			break
		}
		out = append(out, d)
		raw = d
	}
	for _, r := range out {
		back := strings.ReplaceAll(r, `\`, "/")
		var bare []string // segments without their parameters
		for _, s := range strings.Split(back, "/") {
			s, _, _ = strings.Cut(s, ";")
			bare = append(bare, s)
		}
		out = append(out, back, strings.Join(bare, "/"))
		for _, end := range []string{"?", "#", ";", "\x00", "\n", "\r"} {
			cut, _, _ := strings.Cut(r, end)
			out = append(out, cut)
		}
	}
	for i, r := range out {
		out[i] = path.Clean("/" + r)
	}
	return out
}

// checkPath holds a path that was accepted against decoders of others.
func checkPath(t interface{ Errorf(string, ...any) }, raw, prefix string) {
	got, ok := auth.CanonicalPath(raw)
	if !ok {
		return
	}
	if d, err := url.PathUnescape(raw); err != nil || d != got {
		t.Errorf("%q is read as %q, net/url reads %q (%v)", raw, got, d, err)
	}
	if d := slowDecode(raw); d != got {
		t.Errorf("%q is read as %q, byte by byte it is %q", raw, got, d)
	}
	if c := path.Clean(got); c != got && c+"/" != got {
		t.Errorf("%q is read as %q, cleaned it is %q", raw, got, c)
	}
	if !utf8.ValidString(got) || strings.ContainsAny(got, "\\;#?%\x00\r\n") {
		t.Errorf("%q is read as %q", raw, got)
	}
	if again, ok := auth.CanonicalPath(got); !ok || again != got {
		t.Errorf("%q is read as %q, and that as %q, %v", raw, got, again, ok)
	}
	if auth.CheckPathPrefix(prefix) != nil || !auth.PathUnder(got, prefix) {
		return
	}
	for _, r := range readings(raw) {
		if !auth.PathUnder(r, path.Clean(prefix)) {
			t.Errorf("%q is taken to lie under %q, and might be read as %q", raw, prefix, r)
		}
	}
}

// slowDecode undoes percent-encoding in its own way.
func slowDecode(raw string) string {
	parts := strings.Split(raw, "%")
	for i, p := range parts[1:] {
		hi, lo := strings.IndexByte("0123456789abcdef", p[0]|0x20), strings.IndexByte("0123456789abcdef", p[1]|0x20)
		parts[i+1] = string([]byte{byte(hi*16 + lo)}) + p[2:]
	}
	return strings.Join(parts, "")
}

func TestEveryDecoderAgreesOnCanonicalPaths(t *testing.T) {
	pieces := rapid.SampledFrom([]string{
		"/", "/", "/", "a", "admin", "public", ".", "..", "%2e", "%2E", "%2f", "%5c", `\`, ";", "#", "?", "%00", "%25", "%", "é", "%C3%A9", "\xff", "%ff", " ", "%20", "+", "~", "%41", "\x00",
	})
	prefixes := rapid.SampledFrom([]string{"/", "/public", "/public/", "/a", "/admin/a"})
	rapid.Check(t, func(t *rapid.T) {
		checkPath(t, "/"+strings.Join(rapid.SliceOfN(pieces, 0, 12).Draw(t, "raw"), ""), prefixes.Draw(t, "prefix"))
	})
}

func FuzzCanonicalPath(f *testing.F) {
	for _, raw := range []string{"/", "/public/../admin", "/public/%2e%2e/admin", "//admin", "/%2fadmin", "/public/..;/admin", "/a%C3%A9", "/public/%252e%252e/admin", `/public/..\admin`, "/public?x"} {
		f.Add(raw, "/public")
	}
	f.Add("/a/b", "/a/")
	f.Add("/a%20b/c", "/a b")
	f.Add("/%70ublic/a", "/public/")
	f.Fuzz(func(t *testing.T, raw, prefix string) { checkPath(t, raw, prefix) })
}

func FuzzPathUnder(f *testing.F) {
	for _, prefix := range []string{"/", "/a", "/a/", "", "//", "/a/b"} {
		for _, path := range []string{"/", "/a", "/a/", "/ab", "/a/b", "", "//a", "/a//"} {
			f.Add(path, prefix)
		}
	}
	f.Fuzz(func(t *testing.T, path, prefix string) {
		under := auth.PathUnder(path, prefix)
		if want := liesUnder(path, []string{prefix}); under != want {
			t.Errorf("%q under %q: %v, want %v", path, prefix, under, want)
		}
		if !under {
			return
		}
		if !auth.PathUnder(path+"/x", prefix) {
			t.Errorf("%q lies under %q, and what is below it does not", path, prefix)
		}
		if auth.PathUnder(strings.TrimSuffix(prefix, "/")+"x", prefix) {
			t.Errorf("%q has a neighbour below itself", prefix)
		}
	})
}
