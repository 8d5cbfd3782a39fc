package cache

import (
	"reflect"
	"testing"

	"authd/internal/auth"
)

// What is unpacked is what was packed, for the key that was asked for.
func TestPacked(t *testing.T) {
	p := newPacked(10)
	k := fullKey(t)
	p.set(k.Digest, &entry{key: k, stamp: 7, expiresAt: 9})
	e := p.get(k.Digest)
	if e == nil || !reflect.DeepEqual(e.key, k) || e.stamp != 7 || e.expiresAt != 9 {
		t.Errorf("%+v came back as %+v", k, e)
	}
	other := k.Digest
	other[len(other)-1]++ // it has the same place
	if e := p.get(other); e != nil {
		t.Errorf("the key of another digest was answered: %+v", e)
	}
	bare := &auth.Key{Digest: digest(2), Name: "bare"}
	bare.Encode()
	p.set(bare.Digest, &entry{key: bare})
	if e := p.get(bare.Digest); e == nil || !reflect.DeepEqual(e.key, bare) {
		t.Errorf("%+v came back as %+v", bare, e)
	}
	p.invalidate(bare.Digest)
	if e := p.get(bare.Digest); e != nil {
		t.Error("it is there after it was taken out")
	}
}

// A key that has not been in use is still known, and judged as strictly as one that has.
func TestKeysThatAreNotInUse(t *testing.T) {
	s, f, l := newCached(t, auth.OutageDeny)
	s.put(digest(1), key(1, "a"))
	mustPoll(t, f)
	expectKey(t, l, digest(1), "a")
	asked := s.asked()
	for range 2 {
		l.used.InvalidateAll()
		expectKey(t, l, digest(1), "a")
	}
	if s.asked() != asked {
		t.Error("the store was asked for a key that is known")
	}
	l.used.InvalidateAll()
	s.put(digest(1), nil)
	mustPoll(t, f)
	expectErr(t, l, digest(1), auth.ErrKeyNotFound)
	if found, _ := l.size(); found != 0 {
		t.Errorf("%d keys are known after the only one has gone", found)
	}
}

func BenchmarkUnpack(b *testing.B) {
	p := newPacked(10)
	k := key(1, "Partner sync")
	k.Grants = auth.NewGrants([]string{"partner", "staff"}, []string{"shop:read", "shop:write"})
	p.set(k.Digest, &entry{key: k, stamp: 7, expiresAt: 9})
	b.ReportAllocs()
	for b.Loop() {
		if p.get(k.Digest) == nil {
			b.Fatal("not there")
		}
	}
}
