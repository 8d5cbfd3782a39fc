package auth

import "context"

// Step is a question of a decision, in the order of [Checker.Check].
type Step uint8

// The steps of a decision.
const (
	StepPolicy Step = iota
	StepCredential
	StepLookup
	StepKey
	StepGrants
	StepRestrictions
	StepLimits
	Steps // how many there are
)

// Explanation is a decision with what every step of it saw.
type Explanation struct {
	Decision
	Steps [Steps]StepReport
	Need  Requirement // what the policy asks of this request
	Rule  int         // which of its rules asks it, from 1 on; 0: the policy itself
	// Uncounted reports that the key has limits: whether they are used up is
	// known to those who count, and asking them would cost the key a request.
	Uncounted bool

	known *SecretInfo
	first Reason // what ended it
}

// StepReport is what one step came to.
type StepReport struct {
	Asked  bool   // without it, an earlier step left nothing to ask
	Reason Reason // Allowed where the step goes on
	Shadow bool   // the reason decides nothing: the policy only shadows
}

// Explain takes the steps of Check, and goes on after the first objection, so
// that all of them are told. Its Decision is Check's, but for limits, which it
// takes nothing off. With known, the request carries a value of which only
// this is known; without, its Credential counts.
func (c *Checker) Explain(ctx context.Context, req *Request, known *SecretInfo) Explanation {
	e := Explanation{known: known, first: Allowed}
	a := asking{report: &e}
	c.decide(ctx, req, &a)
	e.Decision, e.Need = a.d, *a.need
	e.Reason = e.first
	if req.Policy != nil {
		e.Rule = req.Policy.ruleOf(a.need)
	}
	if a.d.Would != Undecided {
		e.Steps[StepGrants].Reason, e.Steps[StepGrants].Shadow = a.d.Would, true
	}
	return e
}

// note takes down what a step came to, and reports whether there is nothing
// to ask after it: without a key, there is not.
func (e *Explanation) note(s Step, r Reason) bool {
	e.Steps[s] = StepReport{Asked: true, Reason: r}
	if e.first == Allowed {
		e.first = r
	}
	return r != Allowed && s <= StepLookup
}

// findKnown looks up a value that only its digest is known of: under the
// pepper that made it, if that is one that requests are tried under.
func (c *Checker) findKnown(ctx context.Context, known *SecretInfo) (*Key, error) {
	if !c.digester.Tries(known.PepperID) {
		return nil, ErrKeyNotFound
	}
	return c.under(ctx, known.Digest)
}

var stepNames = [Steps]string{
	StepPolicy: "policy", StepCredential: "credential", StepLookup: "look-up", StepKey: "key",
	StepGrants: "groups and scopes", StepRestrictions: "restrictions", StepLimits: "limits",
}

// String names the step for people.
func (s Step) String() string { return stepNames[s] }
