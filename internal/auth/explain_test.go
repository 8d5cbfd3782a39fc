package auth_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"authd/internal/auth"
)

// What explain says is what the Checker decides, of whatever request. Limits
// aside: it takes nothing off them, and says so.
func TestExplainIsTheChecker(t *testing.T) {
	seen := map[auth.Reason]bool{}
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		for range 30 {
			c, req := w.checker(), w.request(t)
			e := c.Explain(context.Background(), req, nil)
			if w.takes != 0 {
				t.Fatal("explaining cost the key a request")
			}
			if e.Uncounted {
				w.limited, w.noLimiter = auth.Allowed, false
			}
			agree(t, &e, w.checker().Check(context.Background(), req))
			w.takes = 0
			seen[e.Reason] = true
			w.drawRequest(t)
		}
	})
	if len(seen) < 15 {
		t.Errorf("these worlds show %d reasons only", len(seen))
	}
}

// The same of a value that only its digest is known of.
func TestExplainOfADigestIsTheChecker(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		w.sent, w.several, w.noLimiter, w.limited = auth.NewSecret("ak").Reveal(), false, false, auth.Allowed
		c, req := w.checker(), w.request(t)
		d := auth.NewDigester("ak").Current().Digest(req.Credential.Secret)
		unsent := *req
		unsent.Credential = auth.Credential{}
		e := c.Explain(context.Background(), &unsent, &auth.SecretInfo{Digest: d, PepperID: auth.NoPepper})
		agree(t, &e, c.Check(context.Background(), req))
		e = c.Explain(context.Background(), &unsent, &auth.SecretInfo{Digest: d, PepperID: "0badcafe"})
		if e.Reason.Allows() && e.Reason != auth.AllowedPreflight {
			t.Fatalf("a value under a pepper that is not tried: %s", e.Reason)
		}
	})
}

func agree(t *rapid.T, e *auth.Explanation, d auth.Decision) {
	name := func(k *auth.Key) string {
		if k == nil {
			return ""
		}
		return k.Name
	}
	if e.Reason != d.Reason || e.Would != d.Would && d.Reason.Allows() || name(e.Key) != name(d.Key) || (e.Err == nil) != (d.Err == nil) {
		t.Fatalf("explained as %s (would: %s), and decided as %s (would: %s)", e.Reason, e.Would, d.Reason, d.Would)
	}
	first := auth.Allowed
	for _, s := range e.Steps {
		if first == auth.Allowed && s.Asked && !s.Shadow {
			first = s.Reason
		}
	}
	if first != e.Reason {
		t.Fatalf("explained as %s, and the first step that says anything says %s", e.Reason, first)
	}
}

// A policy that only shadows changes no answer, and tells what it would have changed.
func TestShadowDecidesNothing(t *testing.T) {
	would := 0
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		w.shadow, w.noPolicy = false, false
		for range 10 {
			if shadowed(t, w) {
				would++
			}
			w.drawRequest(t)
		}
	})
	if would < 5 {
		t.Errorf("%d requests would have been denied: these worlds show nothing", would)
	}
}

// shadowed compares the answers with the policy, with its shadow and without
// it, and reports whether the shadow objects.
func shadowed(t *rapid.T, w *world) bool {
	asked, shadow, bare := w.request(t), w.request(t), w.request(t)
	shadow.Policy, bare.Policy = asked.Policy.Shadow(), nil
	if !shadow.Policy.Shadows() || asked.Policy.Shadows() {
		t.Fatal("the policy itself was changed")
	}
	ctx := context.Background()
	got, plain, strict := w.checker().Check(ctx, shadow), w.checker().Check(ctx, bare), w.checker().Check(ctx, asked)
	if got.Reason != plain.Reason {
		t.Fatalf("decided as %s, and without a policy as %s", got.Reason, plain.Reason)
	}
	want := auth.Undecided
	if !strict.Reason.Allows() {
		want = strict.Reason
	}
	if got.Reason == auth.Allowed && got.Would != want {
		t.Fatalf("it would have been %s, and was decided as %s", got.Would, strict.Reason)
	}
	return got.Reason == auth.Allowed && want != auth.Undecided
}

// All objections are told, not the first alone.
func TestExplainGoesOn(t *testing.T) {
	r := goodRecord()
	r.Active, r.Restrictions.Methods, r.Limits.Rate = false, []string{"GET"}, auth.Rate{Count: 1, Per: 1e9}
	policy, err := auth.NewPolicy("p", auth.Requirement{}, []auth.Rule{{Methods: []string{"GET"}}, {Groups: []string{"other"}}})
	if err != nil {
		t.Fatal(err)
	}
	d := auth.NewDigester("ak")
	known := auth.SecretInfo{Digest: d.Current().Digest(auth.NewSecret("ak")), PepperID: auth.NoPepper}
	c := auth.NewChecker(d, mapFinder{known.Digest: auth.NewKey(&r, known)}, nil, auth.Options{})
	e := c.Explain(context.Background(), &auth.Request{Policy: policy, At: noon, Vouched: true, Method: "POST"}, &known)
	if e.Reason != auth.Disabled || e.Rule != 2 || !slices.Equal(e.Need.Groups, []string{"other"}) || !e.Uncounted {
		t.Errorf("%s by rule %d, uncounted %v", e.Reason, e.Rule, e.Uncounted)
	}
	var got []auth.Reason
	for s, report := range e.Steps {
		if !report.Asked {
			t.Errorf("step %s was not asked", auth.Step(s))
		}
		got = append(got, report.Reason)
	}
	want := []auth.Reason{auth.Allowed, auth.Allowed, auth.Allowed, auth.Disabled, auth.ForbiddenGroup, auth.ForbiddenMethod, auth.Allowed}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	// Without a key there is nothing to ask.
	e = c.Explain(context.Background(), &auth.Request{At: noon}, &auth.SecretInfo{PepperID: auth.NoPepper})
	if e.Reason != auth.UnknownKey || e.Steps[auth.StepKey].Asked || e.Key != nil {
		t.Errorf("an unknown digest: %s", e.Reason)
	}
}
