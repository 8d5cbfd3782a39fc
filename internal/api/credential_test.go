package api

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"authd/internal/answer"
	"authd/internal/auth"
)

// sent is what a client sends, and what has to come of it.
type sentCase struct {
	name    string
	headers []string
	status  int
	reason  auth.Reason // as the log has it; Undecided where net/http answers itself
}

func checkSent(t *testing.T, f *fixture, path string, cases []sentCase) {
	t.Helper()
	for _, c := range cases {
		w := f.send(head("GET "+path+" HTTP/1.1", c.headers...))
		if w.status != c.status {
			t.Errorf("%s: answered %d, want %d", c.name, w.status, c.status)
			continue
		}
		if c.reason != auth.Undecided {
			if got := f.logged()["reason"]; got != c.reason.String() {
				t.Errorf("%s: the reason is %v, want %s", c.name, got, c.reason)
			}
		}
	}
}

func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z':
			return r - 'A' + 'a'
		}
		return r
	}, s)
}

func TestCredentialHeaders(t *testing.T) {
	f := start(t, nil)
	k, other := f.keys.add("One", nil), f.keys.add("Two", nil)
	foreign := f.keys.addSecret(auth.RawSecret("Swordfish-0123456789!#$%&'*+.^_`|~:/?=@()<>[]{}\\\""), "Three", nil)
	checkSent(t, f, "/verify", []sentCase{
		{"none", nil, 401, auth.MissingCredential},
		{"empty", []string{"API-KEY:"}, 401, auth.MissingCredential},
		{"blank", []string{"API-KEY:   \t "}, 401, auth.MissingCredential},
		{"one", []string{"API-KEY: " + k}, 200, auth.Allowed},
		{"lower case header", []string{"api-key: " + k}, 200, auth.Allowed},
		{"mixed case header", []string{"aPi-kEy: " + k}, 200, auth.Allowed},
		{"upper case header", []string{"X-API-KEY: " + k}, 200, auth.Allowed},
		{"the other header", []string{"x-api-key: " + k}, 200, auth.Allowed},
		{"no blank after the colon", []string{"API-KEY:" + k}, 200, auth.Allowed},
		{"blanks around", []string{"API-KEY: \t " + k + " \t "}, 200, auth.Allowed},
		{"a value of some other system", []string{"API-KEY: " + foreign}, 200, auth.Allowed},
		{"repeated", []string{"API-KEY: " + k, "API-KEY: " + k}, 401, auth.SeveralCredentials},
		{"repeated in another case", []string{"API-KEY: " + k, "api-key: " + k}, 401, auth.SeveralCredentials},
		{"repeated, once empty", []string{"API-KEY: " + k, "API-KEY:"}, 401, auth.SeveralCredentials},
		{"two keys", []string{"API-KEY: " + k, "API-KEY: " + other}, 401, auth.SeveralCredentials},
		{"joined", []string{"API-KEY: " + k + ", " + k}, 401, auth.SeveralCredentials},
		{"joined without a blank", []string{"API-KEY: " + k + "," + other}, 401, auth.SeveralCredentials},
		{"a comma behind", []string{"API-KEY: " + k + ","}, 401, auth.SeveralCredentials},
		{"a comma alone", []string{"API-KEY: ,"}, 401, auth.SeveralCredentials},
		{"two headers agree", []string{"API-KEY: " + k, "X-API-Key: " + k}, 200, auth.Allowed},
		{"two headers disagree", []string{"API-KEY: " + k, "X-API-Key: " + other}, 401, auth.SeveralCredentials},
		{"two headers disagree in case", []string{"API-KEY: " + k, "X-API-Key: " + swapCase(k)}, 401, auth.SeveralCredentials},
		{"one of two headers empty", []string{"API-KEY:", "X-API-Key: " + k}, 200, auth.Allowed},
		{"the second repeated", []string{"API-KEY: " + k, "X-API-Key: " + k, "X-API-Key: " + k}, 401, auth.SeveralCredentials},
		{"another case", []string{"API-KEY: " + swapCase(k)}, 401, auth.UnknownKey}, // "AK_" is not our prefix: a foreign value
		{"another case of a foreign value", []string{"API-KEY: " + swapCase(foreign)}, 401, auth.UnknownKey},
		{"another case behind the prefix", []string{"API-KEY: ak_" + swapCase(k[3:])}, 401, auth.BadChecksum},
		{"cut", []string{"API-KEY: " + k[:len(k)-1]}, 401, auth.UnknownKey},
		{"longer", []string{"API-KEY: " + k + "x"}, 401, auth.UnknownKey},
		{"a blank within", []string{"API-KEY: " + k[:9] + " " + k[9:]}, 401, auth.MalformedCredential},
		{"two words", []string{"API-KEY: Bearer " + k}, 401, auth.MalformedCredential},
		{"quoted", []string{`API-KEY: "` + k + `"`}, 401, auth.UnknownKey},
		{"folded", []string{"API-KEY: " + k[:9] + "\r\n " + k[9:]}, 401, auth.MalformedCredential},
		{"too short", []string{"API-KEY: 0123456"}, 401, auth.MalformedCredential},
		{"too long", []string{"API-KEY: " + strings.Repeat("x", 513)}, 401, auth.MalformedCredential},
		{"non-ASCII", []string{"API-KEY: " + k + "é"}, 401, auth.MalformedCredential},
		{"no UTF-8", []string{"API-KEY: " + k + "\xff"}, 401, auth.MalformedCredential},
		{"a no-break space", []string{"API-KEY: " + k + "\u00a0"}, 401, auth.MalformedCredential},
		{"a NUL", []string{"API-KEY: " + k + "\x00"}, 400, auth.Undecided},
		{"a NUL within", []string{"API-KEY: " + k[:9] + "\x00" + k[9:]}, 400, auth.Undecided},
		{"a control character", []string{"API-KEY: " + k + "\x01"}, 400, auth.Undecided},
		{"a bare CR", []string{"API-KEY: " + k + "\rX: y"}, 400, auth.Undecided},
		{"a blank before the colon", []string{"API-KEY : " + k}, 400, auth.Undecided},
		{"another header", []string{"API_KEY: " + k}, 401, auth.MissingCredential},
		{"a longer name", []string{"API-KEYS: " + k}, 401, auth.MissingCredential},
	})
}

func TestBearer(t *testing.T) {
	f := start(t, nil)
	k, other := f.keys.add("One", nil), f.keys.add("Two", nil)
	basic := base64.StdEncoding.EncodeToString([]byte("user:" + k))
	checkSent(t, f, "/verify", []sentCase{
		{"bearer", []string{"Authorization: Bearer " + k}, 200, auth.Allowed},
		{"in lower case", []string{"authorization: bearer " + k}, 200, auth.Allowed},
		{"in any case", []string{"AUTHORIZATION: bEARER " + k}, 200, auth.Allowed},
		{"several blanks", []string{"Authorization: Bearer   " + k + "  "}, 200, auth.Allowed},
		{"a tab", []string{"Authorization: Bearer\t" + k}, 401, auth.MissingCredential},
		{"no value", []string{"Authorization: Bearer"}, 401, auth.MissingCredential},
		{"no scheme", []string{"Authorization: " + k}, 401, auth.MissingCredential},
		{"another scheme", []string{"Authorization: Token " + k}, 401, auth.MissingCredential},
		{"a longer scheme", []string{"Authorization: Bearers " + k}, 401, auth.MissingCredential},
		{"basic, which is off", []string{"Authorization: Basic " + basic}, 401, auth.MissingCredential},
		{"two values", []string{"Authorization: Bearer " + k + " " + k}, 401, auth.MalformedCredential},
		{"joined", []string{"Authorization: Bearer " + k + ", Bearer " + k}, 401, auth.SeveralCredentials},
		{"repeated", []string{"Authorization: Bearer " + k, "Authorization: Bearer " + k}, 401, auth.SeveralCredentials},
		{"beside another scheme", []string{"Authorization: Basic " + basic, "Authorization: Bearer " + k}, 401, auth.SeveralCredentials},
		{"Proxy-Authorization", []string{"Proxy-Authorization: Bearer " + k}, 401, auth.MissingCredential},
		{"a header of its own goes before", []string{"API-KEY: " + k, "Authorization: Bearer junk-junk-junk-junk"}, 200, auth.Allowed},
		{"and is judged alone", []string{"API-KEY: " + mistyped(k), "Authorization: Bearer " + other}, 401, auth.BadChecksum},
		{"several headers of its own hide it", []string{"API-KEY: " + k + "," + k, "Authorization: Bearer " + other}, 401, auth.SeveralCredentials},
		{"an empty header of its own does not", []string{"API-KEY:", "Authorization: Bearer " + k}, 200, auth.Allowed},
	})
}

func TestBasic(t *testing.T) {
	f := start(t, func(o *Options) { o.Sources = mustSources(t, "header:API-KEY", "basic", "bearer") })
	k := f.keys.add("One", nil)
	basic := func(s string) []string {
		return []string{"Authorization: bAsIc " + base64.StdEncoding.EncodeToString([]byte(s))}
	}
	checkSent(t, f, "/verify", []sentCase{
		{"the password", basic("user:" + k), 200, auth.Allowed},
		{"the password, without a user", basic(":" + k), 200, auth.Allowed},
		{"the user, without a password", basic(k + ":"), 200, auth.Allowed},
		{"a user and a bad password", basic(k + ":" + mistyped(k)), 401, auth.BadChecksum},
		{"a colon in the password", basic("user:" + k + ":"), 401, auth.UnknownKey},
		{"no colon", basic(k), 401, auth.MalformedCredential},
		{"neither", basic(":"), 401, auth.MissingCredential},
		{"a NUL", basic("user:" + k + "\x00"), 401, auth.MalformedCredential},
		{"non-ASCII", basic("user:" + k + "é"), 401, auth.MalformedCredential},
		{"a comma", basic("user:" + k + "," + k), 401, auth.MalformedCredential},
		{"no base64", []string{"Authorization: Basic ***"}, 401, auth.MalformedCredential},
		{"nothing", []string{"Authorization: Basic "}, 401, auth.MissingCredential},
		{"joined", []string{"Authorization: Basic a, Basic b"}, 401, auth.SeveralCredentials},
		{"bearer beside it", []string{"Authorization: Bearer " + k}, 200, auth.Allowed},
	})
}

func TestQueryAndCookieAreOffByDefault(t *testing.T) {
	f := start(t, nil)
	k := f.keys.add("One", nil)
	checkSent(t, f, "/verify?api_key="+k+"&key="+k+"&API-KEY="+k, []sentCase{
		{"query and cookie", []string{"Cookie: API-KEY=" + k + "; api_key=" + k}, 401, auth.MissingCredential},
	})
}

func TestQuery(t *testing.T) {
	f := start(t, func(o *Options) { o.Sources = mustSources(t, "header:API-KEY", "query:api_key") })
	k := f.keys.add("One", nil)
	encoded := "%" + strings.ToUpper(hex(k[0])) + k[1:]
	for query, want := range map[string]auth.Reason{
		"api_key=" + k:                          auth.Allowed,
		"a=b&api_key=" + k + "&c":               auth.Allowed,
		"api_key=" + encoded:                    auth.Allowed,
		"%61pi_key=" + k:                        auth.Allowed,
		"api_key=" + k + "&api_key=" + k:        auth.SeveralCredentials,
		"api_key=" + k + "&api%5Fkey=":          auth.SeveralCredentials,
		"api_key=":                              auth.MissingCredential,
		"api_key":                               auth.MissingCredential,
		"API_KEY=" + k:                          auth.MissingCredential,
		"api_key=%zz" + k:                       auth.MalformedCredential,
		"api_key=+" + k:                         auth.MalformedCredential,
		"api_key=" + k + "%00":                  auth.MalformedCredential,
		"api_key=" + k + "%2C" + k:              auth.MalformedCredential,
		"api_key=" + url.QueryEscape(k+"é"):     auth.MalformedCredential,
		"x;api_key=" + k:                        auth.MissingCredential,
		"api_key=" + mistyped(k) + "&API_KEY=x": auth.BadChecksum,
	} {
		// Where a proxy vouches for the original URI, the query is that one, and the one of our own address is nobody's.
		for path, headers := range map[string][]string{
			"/verify?" + query:         nil,
			"/verify/traefik?" + query: nil, // nothing is vouched for
			"/verify/traefik":          traefik("GET", "a.test", "/x?"+query, "192.0.2.7"),
			"/verify/traefik?api_key=" + auth.NewSecret("ak").Reveal(): traefik("GET", "a.test", "/x?"+query, "192.0.2.7"),
		} {
			w := f.send(head("GET "+path+" HTTP/1.1", headers...))
			if got := f.logged()["reason"]; got != want.String() || w.status != answer.Of(want).Status {
				t.Errorf("%s with %q: %d, %v, want %s", path, headers, w.status, got, want)
			}
		}
	}
	checkSent(t, f, "/verify/traefik?api_key="+k, []sentCase{
		{"our own query where another is vouched for", traefik("GET", "a.test", "/x", "192.0.2.7"), 401, auth.MissingCredential},
	})
	checkSent(t, f, "/verify?api_key="+mistyped(k), []sentCase{
		{"a header goes before", []string{"API-KEY: " + k}, 200, auth.Allowed},
	})
}

func hex(c byte) string { return string("0123456789abcdef"[c>>4]) + string("0123456789abcdef"[c&15]) }

func TestCookie(t *testing.T) {
	f := start(t, func(o *Options) { o.Sources = mustSources(t, "cookie:key", "header:API-KEY") })
	k := f.keys.add("One", nil)
	checkSent(t, f, "/verify", []sentCase{
		{"alone", []string{"Cookie: key=" + k}, 200, auth.Allowed},
		{"among others", []string{"Cookie: a=b; key=" + k + " ; c"}, 200, auth.Allowed},
		{"in another line", []string{"Cookie: a=b", "Cookie: key=" + k}, 200, auth.Allowed},
		{"twice", []string{"Cookie: key=" + k + "; key=" + k}, 401, auth.SeveralCredentials},
		{"twice, in two lines", []string{"Cookie: key=" + k, "Cookie: key="}, 401, auth.SeveralCredentials},
		{"another case", []string{"Cookie: Key=" + k}, 401, auth.MissingCredential},
		{"empty", []string{"Cookie: key="}, 401, auth.MissingCredential},
		{"quoted", []string{`Cookie: key="` + k + `"`}, 401, auth.UnknownKey},
		{"an equals sign within", []string{"Cookie: key=" + k + "=" + k}, 401, auth.UnknownKey},
		{"a blank before the value", []string{"Cookie: key= " + k}, 401, auth.MalformedCredential},
		{"a comma", []string{"Cookie: key=" + k + ",key=" + k}, 401, auth.MalformedCredential},
		{"a header goes before, wherever it is listed", []string{"API-KEY: " + mistyped(k), "Cookie: key=" + k}, 401, auth.BadChecksum},
	})
}

// Some 16 KiB of header are answered as any other; what is beyond net/http refuses. Nothing is a 5xx, and nothing hangs.
func TestOverlongHeaders(t *testing.T) {
	f := start(t, nil)
	k := f.keys.add("One", nil)
	long := func(n int) string { return strings.Repeat("x", n) }
	checkSent(t, f, "/verify", []sentCase{
		{"a key of 15 KiB", []string{"API-KEY: " + long(15<<10)}, 401, auth.MalformedCredential},
		{"a bearer of 16 KiB", []string{"Authorization: Bearer " + long(16<<10)}, 401, auth.MalformedCredential},
		{"a key beside 16 KiB", []string{"API-KEY: " + k, "Cookie: a=" + long(16<<10)}, 200, auth.Allowed},
		{"a key beside a thousand headers", append(many(1000), "API-KEY: "+k), 200, auth.Allowed},
		{"64 KiB in a header", []string{"API-KEY: " + long(64<<10)}, 431, auth.Undecided},
		{"64 KiB in many headers", append(many(5000), "API-KEY: "+k), 431, auth.Undecided},
		{"64 KiB of a header's name", []string{long(64<<10) + ": x", "API-KEY: " + k}, 431, auth.Undecided},
	})
	if w := f.send(head("GET /verify?"+long(64<<10)+" HTTP/1.1", "API-KEY: "+k)); w.status != 431 {
		t.Errorf("a URI of 64 KiB is answered %d", w.status)
	}
	checkSent(t, f, "/verify", []sentCase{{"the server lives", []string{"API-KEY: " + k}, 200, auth.Allowed}})
}

func many(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = "H" + string(rune('a'+i%26)) + ": " + string(rune('a'+i/26%26))
	}
	return list
}

func TestReturnAuthorization(t *testing.T) {
	f := start(t, func(o *Options) {
		o.ReturnAuthorization = true
		o.Policies = map[string]*auth.Policy{"open": mustPolicy(t, "open", auth.Requirement{Anonymous: true})}
	})
	k := f.keys.add("One", nil)
	for _, c := range []struct {
		name, path string
		headers    []string
		want       []string
	}{
		{"it was the key", "/verify", []string{"Authorization: Bearer " + k}, []string{""}},
		{"there was none", "/verify", []string{"API-KEY: " + k}, []string{""}},
		{"it is the upstream's", "/verify", []string{"API-KEY: " + k, "Authorization: Basic dTpw"}, []string{"Basic dTpw"}},
		{"it is the upstream's bearer", "/verify", []string{"API-KEY: " + k, "Authorization: Bearer e30.e30."}, []string{"Bearer e30.e30."}},
		{"repeated as it came", "/verify", []string{"API-KEY: " + k, "Authorization: A b", "Authorization: C d"}, []string{"A b", "C d"}},
		{"on a route without a key", "/verify/traefik/open", []string{"Authorization: Basic dTpw"}, []string{"Basic dTpw"}},
		{"on a route without a key, none", "/verify/traefik/open", nil, []string{""}},
	} {
		w := f.send(head("GET "+c.path+" HTTP/1.1", c.headers...))
		if got := w.values("Authorization"); w.status != 200 || strings.Join(got, "|") != strings.Join(c.want, "|") || len(got) != len(c.want) {
			t.Errorf("%s: %d, Authorization %q, want %q", c.name, w.status, got, c.want)
		}
	}
	for _, headers := range [][]string{nil, {"Authorization: Basic dTpw"}, {"API-KEY: " + mistyped(k), "Authorization: Basic dTpw"}} {
		if w := f.send(head("GET /verify HTTP/1.1", headers...)); w.status != 401 || len(w.values("Authorization")) != 0 {
			t.Errorf("a denial: %d with Authorization %q", w.status, w.values("Authorization"))
		}
	}
	off := start(t, nil)
	k = off.keys.add("One", nil)
	if w := off.send(head("GET /verify HTTP/1.1", "API-KEY: "+k, "Authorization: Basic dTpw")); w.status != 200 || len(w.values("Authorization")) != 0 {
		t.Errorf("without the option: %d with Authorization %q", w.status, w.values("Authorization"))
	}
}
