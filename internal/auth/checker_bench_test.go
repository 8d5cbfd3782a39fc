package auth_test

import (
	"context"
	"testing"
	"time"

	"authd/internal/auth"
)

// mapFinder is a warm cache: one look-up in a map.
type mapFinder map[auth.Digest]*auth.Key

func (m mapFinder) ByDigest(_ context.Context, d auth.Digest) (*auth.Key, error) {
	if k := m[d]; k != nil {
		return k, nil
	}
	return nil, auth.ErrKeyNotFound
}

func (m mapFinder) ByName(context.Context, string) (*auth.Key, error) {
	return nil, auth.ErrKeyNotFound
}

// warm returns a Checker that knows one key, and a request that carries it.
func warm(tb testing.TB, d *auth.Digester, s auth.Secret) (*auth.Checker, *auth.Request) {
	tb.Helper()
	r := goodRecord()
	k := auth.NewKey(&r, auth.SecretInfo{Digest: d.Current().Digest(s)})
	c := auth.NewChecker(d, mapFinder{k.Digest: k}, nil, auth.Options{})
	req := &auth.Request{Credential: auth.Credential{Secret: s}, At: noon}
	if got := c.Check(context.Background(), req); got.Reason != auth.Allowed {
		tb.Fatalf("the key is answered %s, want ok", got.Reason)
	}
	return c, req
}

func digesters(tb testing.TB) map[string]*auth.Digester {
	tb.Helper()
	return map[string]*auth.Digester{
		"plain":  auth.NewDigester("ak"),
		"pepper": auth.NewDigester("ak", mustPepper(tb, "0123456789abcdef0123456789abcdef")),
	}
}

func BenchmarkCheckWarm(b *testing.B) {
	secrets := map[string]auth.Secret{
		"own":     auth.NewSecret("ak"),
		"foreign": auth.RawSecret("a-value-of-some-other-system-1234567890"),
	}
	for pepper, d := range digesters(b) {
		for kind, s := range secrets {
			b.Run(pepper+"/"+kind, func(b *testing.B) {
				c, req := warm(b, d, s)
				ctx := context.Background()
				b.ReportAllocs()
				for b.Loop() {
					if !c.Check(ctx, req).Reason.Allows() {
						b.Fatal("denied")
					}
				}
			})
		}
	}
}

func BenchmarkCheckWarmParallel(b *testing.B) {
	c, req := warm(b, auth.NewDigester("ak", mustPepper(b, "0123456789abcdef0123456789abcdef")), auth.NewSecret("ak"))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c.Check(context.Background(), req)
		}
	})
}

func BenchmarkCheckRefusedChecksum(b *testing.B) {
	c, _ := warm(b, auth.NewDigester("ak"), auth.NewSecret("ak"))
	raw := []byte(auth.NewSecret("ak").Reveal())
	raw[len(raw)-1] ^= 1
	req := &auth.Request{Credential: auth.Credential{Secret: auth.RawSecret(string(raw))}, At: noon}
	b.ReportAllocs()
	for b.Loop() {
		c.Check(context.Background(), req)
	}
}

func BenchmarkDigest(b *testing.B) {
	s := auth.NewSecret("ak")
	for name, d := range digesters(b) {
		b.Run(name, func(b *testing.B) {
			p := d.Current()
			b.ReportAllocs()
			for b.Loop() {
				p.Digest(s)
			}
		})
	}
}

// A decision on a known key is on the way of every request: it allocates nothing.
func TestCheckWarmAllocatesNothing(t *testing.T) {
	for name, d := range digesters(t) {
		t.Run(name, func(t *testing.T) {
			c, req := warm(t, d, auth.NewSecret("ak"))
			ctx := context.Background()
			if n := testing.AllocsPerRun(1000, func() { c.Check(ctx, req) }); n >= 1 && !raceEnabled {
				t.Errorf("%v allocations a decision, want none", n)
			}
		})
	}
}

func TestTakingInASecretAllocatesOnceAtMost(t *testing.T) {
	c, req := warm(t, auth.NewDigester("ak"), auth.NewSecret("ak"))
	raw, ctx := req.Credential.Secret.Reveal(), context.Background()
	n := testing.AllocsPerRun(1000, func() {
		c.Check(ctx, &auth.Request{Credential: auth.Credential{Secret: auth.RawSecret(raw)}, At: noon.Add(time.Second)})
	})
	if n > 1 && !raceEnabled {
		t.Errorf("%v allocations from header to decision, want at most one", n)
	}
}
