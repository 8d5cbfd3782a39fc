package auth_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"math"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"authd/internal/auth"
)

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// checksumOf computes the last six characters of an own key in another way than the code does.
func checksumOf(body string) string {
	sum := crc32.Checksum([]byte(body), crc32.MakeTable(crc32.IEEE))
	out := ""
	for range 6 {
		out = string(alphabet[sum%62]) + out
		sum /= 62
	}
	return out
}

func TestNewSecretHasThePublishedFormat(t *testing.T) {
	shape := regexp.MustCompile(`^ak_[0-9A-Za-z]{36}$`)
	if bits := 30 * math.Log2(62); bits < 178 {
		t.Fatalf("30 characters hold %f bits", bits)
	}
	seen := map[string]bool{}
	for range 1000 {
		s := auth.NewSecret("ak").Reveal()
		if !shape.MatchString(s) {
			t.Fatalf("a key of %d characters does not have the form prefix_30+6", len(s))
		}
		if got, want := s[len(s)-6:], checksumOf(s[:len(s)-6]); got != want {
			t.Fatalf("the checksum is %q, want %q", got, want)
		}
		if seen[s] {
			t.Fatal("the same key was made twice")
		}
		seen[s] = true
		if err := auth.RawSecret(s).Acceptable("ak"); err != nil {
			t.Fatalf("a key of our own is not acceptable: %v", err)
		}
	}
}

func TestChecksumKnownValue(t *testing.T) {
	const key = "ak_0000000000000000000000000000001dZEUY"
	if err := auth.RawSecret(key).Acceptable("ak"); err != nil {
		t.Errorf("a key that was made in the past is refused: %v", err)
	}
}

// Were bytes taken modulo 62 without rejection, the first 8 characters would
// come up a quarter more often: chi-squared would be around 2000.
func TestNewSecretFavoursNoCharacter(t *testing.T) {
	count := map[byte]float64{}
	const keys = 4000
	for range keys {
		for _, c := range []byte(auth.NewSecret("ak").Reveal()[3:33]) {
			count[c]++
		}
	}
	want, chi := float64(keys*30)/62, 0.0
	for i := range len(alphabet) {
		d := count[alphabet[i]] - want
		chi += d * d / want
	}
	if chi > 200 { // 61 degrees of freedom: beyond 200 once in 10^16 runs
		t.Errorf("characters are not evenly spread: chi-squared %.0f", chi)
	}
}

func TestAcceptable(t *testing.T) {
	own := auth.NewSecret("ak").Reveal()
	mistyped := own[:10] + string(other(own[10])) + own[11:]
	for name, c := range map[string]struct {
		raw  string
		want error
	}{
		"own":                        {own, nil},
		"own, mistyped":              {mistyped, auth.ErrSecretChecksum},
		"own, other case":            {swapCase(own), auth.ErrSecretChecksum},
		"own, with another sign":     {own[:10] + "-" + own[11:], nil},
		"own, cut by one":            {own[:len(own)-1], nil}, // no longer our format: a foreign value
		"another prefix":             {"zz" + mistyped[2:], nil},
		"prefix and other separator": {"ak-" + mistyped[3:], nil},
		"16 characters":              {strings.Repeat("x", 16), nil},
		"15 characters":              {strings.Repeat("x", 15), auth.ErrSecretShort},
		"empty":                      {"", auth.ErrSecretShort},
		"512 characters":             {strings.Repeat("x", 512), nil},
		"513 characters":             {strings.Repeat("x", 513), auth.ErrSecretLong},
		"every visible character":    {visible(), nil},
		"a comma":                    {"0123456789abcdef,", auth.ErrSecretChars},
		"a blank":                    {"0123456789 abcdef", auth.ErrSecretChars},
		"a blank at the end":         {"0123456789abcdef ", auth.ErrSecretChars},
		"a tab":                      {"0123456789\tabcdef", auth.ErrSecretChars},
		"a NUL":                      {"0123456789abcdef\x00", auth.ErrSecretChars},
		"a newline":                  {"0123456789abcdef\n", auth.ErrSecretChars},
		"DEL":                        {"0123456789abcdef\x7f", auth.ErrSecretChars},
		"non-ASCII":                  {"0123456789abcdefé", auth.ErrSecretChars},
		"a look-alike of K":          {"0123456789abcde\u212a", auth.ErrSecretChars},
	} {
		if err := auth.RawSecret(c.raw).Acceptable("ak"); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestHintShowsNoMoreThanItSays(t *testing.T) {
	own := auth.NewSecret("ak").Reveal()
	for name, c := range map[string]struct{ raw, want string }{
		"own":              {own, own[:7] + "…"},
		"foreign":          {"swordfish-swordfish", "sw…"},
		"own, mistyped":    {own[:10] + string(other(own[10])) + own[11:], "…"},
		"too short":        {"abc", "…"},
		"one character":    {"a", "…"},
		"empty":            {"", "…"},
		"control at front": {"\r\n0123456789abcdef", "…"},
		"too long":         {strings.Repeat("x", 513), "…"},
	} {
		if got := auth.RawSecret(c.raw).Hint("ak"); got != c.want {
			t.Errorf("%s: the hint is %q, want %q", name, got, c.want)
		}
	}
}

var (
	ownForm     = regexp.MustCompile(`\Aak_[0-9A-Za-z]{36}\z`)
	carriedForm = regexp.MustCompile(`\A[!-+\--~]+\z`)
)

// What may become a key, what a request may carry, and what is shown of it must agree.
func FuzzSecretFormat(f *testing.F) {
	own := "ak_0000000000000000000000000000001dZEUY"
	for _, s := range []string{
		"", own, own[:38], own + "0", own[:38] + "Z", "AK" + own[2:], "zz" + own[2:], "ak-" + own[3:], "ak_" + own, own[:20] + "," + own[21:], own[:20] + "é" + own[22:],
		"0123456789abcde", "0123456789abcdef", strings.Repeat("x", 512), strings.Repeat("x", 513), "0123456789abcdef\n", "0123456789 abcdef", "0123456789abcdef\x00",
	} {
		f.Add(s)
	}
	d := auth.NewDigester("ak")
	c := auth.NewChecker(d, mapFinder{}, nil, auth.Options{})
	f.Fuzz(func(t *testing.T, raw string) {
		want, reason, hint := error(nil), auth.UnknownKey, "…"
		switch {
		case raw == "":
			want, reason = auth.ErrSecretShort, auth.MissingCredential
		case len(raw) < 8:
			want, reason = auth.ErrSecretShort, auth.MalformedCredential
		case len(raw) < 16: // an import may have brought it along
			if want = auth.ErrSecretShort; !carriedForm.MatchString(raw) {
				reason = auth.MalformedCredential
			}
		case len(raw) > 512:
			want, reason = auth.ErrSecretLong, auth.MalformedCredential
		case !carriedForm.MatchString(raw):
			want, reason = auth.ErrSecretChars, auth.MalformedCredential
		case !ownForm.MatchString(raw):
			hint = raw[:2] + "…"
		case raw[33:] != checksumOf(raw[:33]):
			want, reason = auth.ErrSecretChecksum, auth.BadChecksum
		default:
			hint = raw[:7] + "…"
		}
		s := auth.RawSecret(raw)
		if err := s.Acceptable("ak"); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", raw, err, want)
		}
		if got := s.Hint("ak"); got != hint {
			t.Errorf("%q: the hint is %q, want %q", raw, got, hint)
		}
		if got := c.Check(t.Context(), &auth.Request{Credential: auth.Credential{Secret: s}, At: noon}).Reason; got != reason {
			t.Errorf("%q: %s, want %s", raw, got, reason)
		}
	})
}

// hidden has the secret where fmt can call no method of it.
type hidden struct {
	secret auth.Secret
	inner  *hidden
	list   []auth.Secret
}

type shown struct {
	Secret  auth.Secret
	Pointer *auth.Secret
	List    []auth.Secret
	Map     map[string]auth.Secret
	Request auth.Request
}

func TestSecretNeverPrints(t *testing.T) {
	const raw = "swordfish-0123456789"
	s := auth.RawSecret(raw)
	values := map[string]any{
		"value": s, "pointer": &s, "list": []auth.Secret{s}, "array": [1]auth.Secret{s}, "map": map[string]auth.Secret{"k": s},
		"struct":            shown{s, &s, []auth.Secret{s}, map[string]auth.Secret{"k": s}, auth.Request{Credential: auth.Credential{Secret: s}}},
		"credential":        auth.Credential{Secret: s},
		"request":           &auth.Request{Credential: auth.Credential{Secret: s}},
		"unexported fields": hidden{secret: s, inner: &hidden{secret: s}, list: []auth.Secret{s}},
		"any":               struct{ v any }{s},
		"error":             fmt.Errorf("key %v: %w", s, errors.New("no")),
	}
	for name, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%p", "%t", "%T", "%w", "%U", "%10.3s", "%-20v"} {
			refuseIn(t, raw, name+" by "+verb, fmt.Sprintf(verb, v))
		}
		refuseIn(t, raw, name+" by Println", fmt.Sprintln(v))
		if b, err := json.Marshal(v); err == nil {
			refuseIn(t, raw, name+" by json", string(b))
		}
		if b, err := xml.Marshal(v); err == nil {
			refuseIn(t, raw, name+" by xml", string(b))
		}
		var buf bytes.Buffer
		for _, h := range []slog.Handler{slog.NewTextHandler(&buf, nil), slog.NewJSONHandler(&buf, nil)} {
			slog.New(h).Info("x", "v", v, slog.Group("g", "v", v))
			slog.New(h).With("v", v).Info("x")
		}
		refuseIn(t, raw, name+" by slog", buf.String())
	}
	if got := fmt.Sprintf("%v|%+v|%#v|%s|%q|%x|%d", s, s, s, s, s, s, s); got != strings.Repeat("[redacted]|", 6)+"[redacted]" {
		t.Errorf("a secret prints as %s", got)
	}
	if b, err := json.Marshal(map[string]any{"a": s}); err != nil || string(b) != `{"a":"[redacted]"}` {
		t.Errorf("a secret marshals as %s (%v)", b, err)
	}
	refuseIn(t, raw, "a panic", func() (msg string) {
		defer func() { msg = fmt.Sprint(recover()) }()
		panic(s)
	}())
	if s.String() != "[redacted]" {
		t.Error("a secret has a text")
	}
	if s.Reveal() != raw || auth.RawSecret("").Reveal() != "" || !auth.RawSecret("").IsZero() || s.IsZero() {
		t.Error("Reveal does not give back what was wrapped")
	}
	_, _ = fmt.Fprint(io.Discard, s)
}

// refuseIn fails where text holds the secret, or a piece of it, in any usual spelling.
func refuseIn(t *testing.T, secret, where, text string) {
	t.Helper()
	decimal := strings.Trim(fmt.Sprintf("%d", []byte(secret)), "[]")
	for _, spelling := range []string{secret, secret[:6], hex.EncodeToString([]byte(secret[:6])), strings.ToUpper(hex.EncodeToString([]byte(secret[:6]))), decimal[:20]} {
		if strings.Contains(text, spelling) {
			t.Errorf("%s: the secret is in the output", where)
			return
		}
	}
}

func other(c byte) byte {
	if c == 'x' {
		return 'y'
	}
	return 'x'
}

// swapCase turns the case of all that comes after the prefix.
func swapCase(own string) string {
	return own[:3] + strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, own[3:])
}

// visible lists what a header carries without any doubt.
func visible() string {
	var b strings.Builder
	for c := byte('!'); c <= '~'; c++ {
		if c != ',' {
			b.WriteByte(c)
		}
	}
	return b.String()
}
