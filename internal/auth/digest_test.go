package auth_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"testing"

	"authd/internal/auth"
)

func TestDigestKnownVectors(t *testing.T) {
	for name, c := range map[string]struct{ got, want string }{
		// FIPS 180-4, "abc"
		"SHA-256": {
			auth.Pepper{}.Digest(auth.RawSecret("abc")).String(),
			"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		},
		"SHA-256 of two blocks": {
			auth.Pepper{}.Digest(auth.RawSecret("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")).String(),
			"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
		},
		// RFC 4231, test case 1
		"HMAC-SHA-256": {
			mustPepper(t, strings.Repeat("\x0b", 20)).Digest(auth.RawSecret("Hi There")).String(),
			"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
		},
		// RFC 4231, test case 6: a pepper longer than a block
		"HMAC-SHA-256, long pepper": {
			mustPepper(t, strings.Repeat("\xaa", 131)).Digest(auth.RawSecret("Test Using Larger Than Block-Size Key - Hash Key First")).String(),
			"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
		},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", name, c.got, c.want)
		}
	}
}

// No two values may share a digest, not even those that are too long to be keys.
func TestDigestCutsNothing(t *testing.T) {
	most := strings.Repeat("x", auth.MaxSecret)
	for name, d := range digesters(t) {
		p := d.Current()
		if p.Digest(auth.RawSecret(most)) == p.Digest(auth.RawSecret(most+"y")) {
			t.Errorf("%s: a value and its first %d characters have one digest", name, auth.MaxSecret)
		}
		if first, again := p.Digest(auth.RawSecret("a")), p.Digest(auth.RawSecret("a")); first != again {
			t.Errorf("%s: the same value has two digests", name)
		}
	}
}

func TestDigestFromManyGoroutines(t *testing.T) {
	const pepper = "0123456789abcdef"
	p := mustPepper(t, pepper)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 500 {
				raw := strings.Repeat(fmt.Sprint(g), 1+i%90)
				mac := hmac.New(sha256.New, []byte(pepper))
				mac.Write([]byte(raw))
				if got := p.Digest(auth.RawSecret(raw)); got != auth.Digest(mac.Sum(nil)) {
					t.Errorf("a digest made beside others is wrong")
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestDigestAllocatesNothing(t *testing.T) {
	s := auth.NewSecret("ak")
	for name, d := range digesters(t) {
		p := d.Current()
		if n := testing.AllocsPerRun(1000, func() { p.Digest(s) }); n >= 1 && !raceEnabled {
			t.Errorf("%s: %v allocations a digest", name, n)
		}
	}
}

func TestParseDigest(t *testing.T) {
	d := auth.Pepper{}.Digest(auth.RawSecret("abc"))
	for name, s := range map[string]string{"lower case": d.String(), "upper case": strings.ToUpper(d.String())} {
		if got, err := auth.ParseDigest(s); err != nil || !got.Equal(d) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for name, s := range map[string]string{"empty": "", "short": d.String()[:62], "long": d.String() + "00", "not hex": "zz" + d.String()[2:], "odd": d.String()[:63]} {
		if _, err := auth.ParseDigest(s); err == nil {
			t.Errorf("%s: taken for a digest", name)
		}
	}
}

func TestPepper(t *testing.T) {
	if _, err := auth.NewPepper([]byte("fifteen bytes..")); err == nil {
		t.Error("a pepper of 15 bytes is taken")
	}
	a, b := mustPepper(t, "aaaaaaaaaaaaaaaa"), mustPepper(t, "bbbbbbbbbbbbbbbb")
	if a.ID() != mustPepper(t, "aaaaaaaaaaaaaaaa").ID() {
		t.Error("the same bytes get two ids")
	}
	if a.ID() == b.ID() || a.ID() == auth.NoPepper || len(a.ID()) != 8 {
		t.Errorf("ids %q and %q", a.ID(), b.ID())
	}
	if got := (auth.Pepper{}).ID(); got != auth.NoPepper {
		t.Errorf("plain SHA-256 is called %q", got)
	}
}

// The caller may wipe the bytes once the pepper is made.
func TestPepperKeepsItsOwnBytes(t *testing.T) {
	raw := []byte("0123456789abcdef")
	p, err := auth.NewPepper(raw)
	if err != nil {
		t.Fatal(err)
	}
	clear(raw)
	s := auth.RawSecret("a value of some kind")
	if p.Digest(s) != mustPepper(t, "0123456789abcdef").Digest(s) {
		t.Error("the digest follows what the caller did with the bytes")
	}
}

func TestPepperNeverPrints(t *testing.T) {
	const raw = "swordfish-0123456789"
	p := mustPepper(t, raw)
	d := auth.NewDigester("ak", p)
	for name, v := range map[string]any{
		"pepper": p, "pointer": &p, "digester": d, "digester by value": *d, "unexported": struct{ p auth.Pepper }{p},
		"checker": auth.NewChecker(d, mapFinder{}, nil, auth.Options{}),
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
			refuseIn(t, raw, name+" by "+verb, fmt.Sprintf(verb, v))
		}
	}
}

// From none to A to B: each step goes on trying what came right before it.
func TestTriedPeppers(t *testing.T) {
	a, b := mustPepper(t, "aaaaaaaaaaaaaaaa"), mustPepper(t, "bbbbbbbbbbbbbbbb")
	for name, c := range map[string]struct {
		given []auth.Pepper
		want  []string
	}{
		"none":             {nil, []string{auth.NoPepper}},
		"the first":        {[]auth.Pepper{a}, []string{a.ID(), auth.NoPepper}},
		"the second":       {[]auth.Pepper{b, a}, []string{b.ID(), a.ID()}},
		"one given twice":  {[]auth.Pepper{a, a}, []string{a.ID(), auth.NoPepper}},
		"none given twice": {[]auth.Pepper{{}}, []string{auth.NoPepper}},
		"back to none":     {[]auth.Pepper{{}, a}, []string{auth.NoPepper, a.ID()}},
	} {
		d := auth.NewDigester("ak", c.given...)
		var got []string
		for _, p := range d.Tried() {
			got = append(got, p.ID())
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) || d.Current().ID() != c.want[0] {
			t.Errorf("%s: tried are %v, want %v", name, got, c.want)
		}
		for _, p := range []auth.Pepper{a, b, {}} {
			if want := strings.Contains(fmt.Sprint(c.want), p.ID()); d.Tries(p.ID()) != want {
				t.Errorf("%s: Tries(%s) is %v", name, p.ID(), !want)
			}
		}
		if d.Prefix() != "ak" {
			t.Errorf("the prefix is %q", d.Prefix())
		}
	}
}
