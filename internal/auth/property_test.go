package auth_test

import (
	"context"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"authd/internal/auth"
)

// What passes is what the rules permit, and nothing else: they are stated
// once more, in another way, and both must agree.
func TestDecisionsAgreeWithTheRules(t *testing.T) {
	passed, denied := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		for range 30 {
			d := w.checker().Check(context.Background(), w.request(t))
			want := w.permits()
			if d.Reason.Allows() != want {
				t.Fatalf("the decision is %s, and the rules permit it: %v\n%+v", d.Reason, want, w)
			}
			if want {
				passed++
			} else {
				denied++
			}
			if d.Reason == auth.Allowed && (d.Key == nil || d.Key.Name != w.record.Name) {
				t.Fatalf("allowed as %v", d.Key)
			}
			w.drawRequest(t)
		}
	})
	if passed < 20 || denied < 20 {
		t.Errorf("%d requests passed and %d did not: these worlds show nothing", passed, denied)
	}
}

// Of a request that nobody vouches for, the credential alone decides.
func TestNothingDependsOnWhatNobodyVouchesFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		w.req.Vouched = false
		bare, told := w.request(t), w.request(t)
		bare.Method, bare.Host, bare.Path, bare.Client, bare.Preflight = "", "", "", netip.Addr{}, false
		told.Method = rapid.OneOf(rapid.SampledFrom(methods), rapid.String()).Draw(t, "any method")
		told.Host = rapid.OneOf(rapid.SampledFrom([]string{"a.example.com", "b.x"}), rapid.String()).Draw(t, "any host")
		told.Path = rapid.OneOf(rapid.SampledFrom(sent), rapid.String()).Draw(t, "any path")
		told.Preflight = rapid.Bool().Draw(t, "any preflight")
		c := w.checker()
		a, b := c.Check(context.Background(), bare), c.Check(context.Background(), told)
		if a.Reason != b.Reason || (a.Key == nil) != (b.Key == nil) || a.Limit != b.Limit {
			t.Fatalf("without a word of it: %s, with method %q, host %q, path %q, client %s: %s", a.Reason, told.Method, told.Host, told.Path, told.Client, b.Reason)
		}
	})
}
