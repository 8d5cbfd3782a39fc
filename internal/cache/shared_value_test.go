package cache

import (
	"crypto/sha256"
	"reflect"
	"strings"
	"testing"
	"time"

	"authd/internal/auth"
)

// fullKey has a value in every field.
func fullKey(t testing.TB) *auth.Key {
	t.Helper()
	network := func(s string) auth.Restrictions {
		p, err := auth.ParseCIDR(s)
		if err != nil {
			t.Fatal(err)
		}
		r := auth.Restrictions{Hosts: []string{"*.example.com", "[::1]"}, Methods: []string{"GET"}, Paths: []string{"/a b/", "/ü"}}
		r.CIDRs = append(r.CIDRs, p, p)
		return r
	}
	at := time.UnixMilli(1_700_000_000_123)
	r := &auth.Record{
		ID: "01", Name: "Partner ü, 1", Slug: "partner_1", User: "me@example.com", UserActive: true, Active: true,
		NotBefore: at, ExpiresAt: at.Add(time.Hour), RevokedAt: at, Groups: []string{"a", "b,c"}, Scopes: []string{"s p"},
		Restrictions: network("2001:db8::/32"),
		Limits:       auth.Limits{Rate: auth.Rate{Count: 100, Per: 1500 * time.Millisecond}, Burst: 7, Quota: auth.Quota{Count: 9, Per: "mo"}},
		UserLimits:   auth.Limits{Rate: auth.Rate{Count: 1, Per: time.Second}, Burst: 8, Quota: auth.Quota{Count: 10, Per: "h"}},
	}
	k := auth.NewKey(r, auth.SecretInfo{Digest: digest(1), ExpiresAt: at.Add(time.Minute)})
	k.Overridden = true
	return k
}

func pepper(t testing.TB, text string) auth.Pepper {
	t.Helper()
	if text == "" {
		return auth.Pepper{}
	}
	p, err := auth.NewPepper([]byte(strings.Repeat(text, auth.MinPepper)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func testSealer(t testing.TB, p, database string) *sealer {
	t.Helper()
	s, err := newSealer(pepper(t, p), database)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What comes out is what went in, in every field that a decision knows: one that is added to auth.Key
// and forgotten here would be lost in Redis.
func TestSharedValue(t *testing.T) {
	full := fullKey(t)
	for _, v := range []any{*full, *full.Grants, *full.Restrictions, *full.Limits, *full.UserLimits} {
		for i := range reflect.TypeOf(v).NumField() {
			f := reflect.TypeOf(v).Field(i)
			if f.IsExported() && reflect.ValueOf(v).Field(i).IsZero() {
				t.Errorf("%T.%s: the key of this test has no value there", v, f.Name)
			}
		}
	}
	plain := auth.NewKey(&auth.Record{ID: "02", Name: "b", Active: true}, auth.SecretInfo{Digest: digest(1)})
	bare := &auth.Key{Digest: digest(1)}
	bare.Encode()
	for _, p := range []string{"", "a"} {
		s := testSealer(t, p, "db")
		for _, k := range []*auth.Key{full, plain, bare} {
			e, ok := s.open(digest(1), s.seal(digest(1), &entry{key: k, stamp: 7, expiresAt: 9}))
			if !ok || e.stamp != 7 || e.expiresAt != 9 || !reflect.DeepEqual(e.key, k) {
				t.Errorf("%+v came out as %+v", k, e)
			}
		}
	}
}

func TestSharedValueRefused(t *testing.T) {
	for _, p := range []string{"", "a"} {
		s := testSealer(t, p, "db")
		value := s.seal(digest(1), &entry{key: fullKey(t), stamp: 7, expiresAt: 9})
		refused := func(what string, by *sealer, d auth.Digest, value []byte) {
			t.Helper()
			if _, ok := by.open(d, value); ok {
				t.Errorf("pepper %q: %s was taken", p, what)
			}
		}
		for i := range value {
			refused("a part", s, digest(1), value[:i])
			for bit := range 8 {
				value[i] ^= 1 << bit
				refused("a changed bit", s, digest(1), value)
				value[i] ^= 1 << bit
			}
		}
		refused("more", s, digest(1), append(value[:len(value):len(value)], 0))
		refused("another key's", s, digest(2), value)
		refused("one of another pepper", testSealer(t, "b", "db"), digest(1), value)
		refused("one of another database", testSealer(t, p, "other"), digest(1), value)
		newer := append([]byte{sharedVersion + 1}, value[1:len(value)-macLen]...)
		mac := s.mac(digest(1), newer)
		refused("one of a later version", s, digest(1), append(newer, mac[:]...))
		if _, ok := s.open(digest(1), value); !ok {
			t.Error("the value itself was refused")
		}
	}
	if a, b := testSealer(t, "a", "db"), testSealer(t, "a", "other"); a.name(digest(1)) == b.name(digest(1)) {
		t.Error("two databases have the same names")
	}
}

// FuzzSharedValue has the right checksum put to whatever it is given: without a pepper anybody can.
func FuzzSharedValue(f *testing.F) {
	s := testSealer(f, "", "db")
	d := digest(1)
	for _, k := range []*auth.Key{fullKey(f), {}} {
		value := s.seal(d, &entry{key: k, stamp: 1, expiresAt: 2})
		f.Add(value[:len(value)-macLen])
		f.Add(value[:len(value)/2])
	}
	f.Add([]byte{})
	f.Add(append(make([]byte, headerLen), 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01))
	f.Fuzz(func(t *testing.T, body []byte) {
		s.open(d, body)
		if len(body) > 0 {
			body[0] = sharedVersion
		}
		mac := s.mac(d, body)
		e, ok := s.open(d, append(body[:len(body):len(body)], mac[:]...))
		if !ok {
			return
		}
		if again, ok := s.open(d, s.seal(d, e)); !ok || !reflect.DeepEqual(again.key, e.key) || again.stamp != e.stamp {
			t.Errorf("%+v was taken, and %+v made of it", e, again)
		}
	})
}

// A digest is seen by others, so none may be the key of the MAC, whatever was sent as an API key.
func TestMACKeyIsNoDigest(t *testing.T) {
	p := pepper(t, "a")
	derived, err := p.Derive("x")
	if err != nil || len(derived) != sha256.Size {
		t.Fatal(derived, err)
	}
	other, _ := p.Derive("y")
	for what, sum := range map[string][]byte{"another label's": other, "the other pepper's": func() []byte { b, _ := pepper(t, "b").Derive("x"); return b }()} {
		if reflect.DeepEqual(derived, sum) {
			t.Errorf("the same as %s", what)
		}
	}
	for _, sent := range []string{"x", "authd derive", "authd derivex", "authd derive\x00x", "authd derive x", "authd derivex\x01", "x\x01"} {
		if d := p.Digest(auth.RawSecret(sent)); reflect.DeepEqual(derived, d[:]) {
			t.Errorf("%q has it as its digest", sent)
		}
	}
	if none, err := (auth.Pepper{}).Derive("x"); none != nil || err != nil {
		t.Errorf("without a pepper: %x, %v", none, err)
	}
}
