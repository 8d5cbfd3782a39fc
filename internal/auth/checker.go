package auth

import (
	"context"
	"errors"
)

// Checker decides. It is safe for concurrent use, and takes no lock of its own.
type Checker struct {
	digester *Digester
	finder   Finder
	limiter  Limiter
	options  Options
}

// Options are the operator's choices that touch the decision.
type Options struct {
	AllowInactiveUsers bool     // as Odoo's module does; off by default
	Observer           Observer // told of what came of known keys; may be nil
}

// NewChecker wires a Checker.
func NewChecker(d *Digester, f Finder, l Limiter, o Options) *Checker {
	return &Checker{digester: d, finder: f, limiter: l, options: o}
}

// Check decides whether the request passes, and as whom, by the steps of
// decide. Where the policy only shadows, the request passes if it would without
// a policy, and Decision.Would says what the policy objects to.
func (c *Checker) Check(ctx context.Context, req *Request) Decision {
	var a asking
	a.d.Reason = c.decide(ctx, req, &a)
	if a.d.Key != nil && c.options.Observer != nil {
		c.options.Observer.Observe(a.d.Key, a.d.Reason, req.At, req.Client)
	}
	return a.d
}

// asking is a decision under way. The request is no part of it: what stands in
// here is handed to a Limiter, and a request that was would be made on the heap.
type asking struct {
	need    *Requirement
	unruled Reason // why no requirement could be found; Allowed where it was
	shadow  bool
	report  *Explanation // nil: nobody wants to know more than the decision
	d       Decision
}

// decide asks, in this order:
//
//  1. what the policy asks of this request
//  2. the credential: exactly one, its shape and checksum; no look-up otherwise
//  3. the look-up, by digest
//  4. the key: overridden, revoked, disabled, user, not-before, expiry
//  5. the groups and scopes that the policy asks for
//  6. the key's restrictions
//  7. rate limit and quota
//
// The first step that objects names the reason.
func (c *Checker) decide(ctx context.Context, req *Request, a *asking) Reason {
	if r := a.require(req); a.ends(StepPolicy, r) {
		return r
	}
	if r := c.askCredential(req.Credential, a); a.ends(StepCredential, r) {
		return r
	}
	if r := c.look(ctx, req.Credential.Secret, a); a.ends(StepLookup, r) {
		return r
	}
	if r := c.judgeKey(a.d.Key, req.At.UnixMilli()); a.ends(StepKey, r) {
		return r
	}
	if r := a.judgeGrants(); a.ends(StepGrants, r) {
		return r
	}
	if r := judgeRestrictions(a.d.Key, req); a.ends(StepRestrictions, r) {
		return r
	}
	r := c.count(ctx, req, a)
	a.ends(StepLimits, r)
	return r
}

// ends reports whether a step is the last: it objects, and nobody wants to
// know what those after it would say.
func (a *asking) ends(s Step, r Reason) bool {
	if a.report == nil {
		return r != Allowed
	}
	return a.report.note(s, r)
}

// anything is what the default policy asks: a key, and nothing more.
var anything Requirement

// require finds what the policy asks of the request.
func (a *asking) require(req *Request) Reason {
	a.need, a.unruled = &anything, Allowed
	if p := req.Policy; p != nil {
		a.shadow = p.shadow
		if a.need, a.unruled = p.requirement(req); a.unruled != Allowed {
			a.need = &anything
		}
	}
	if !a.need.Preflight || !req.Preflight || !req.Vouched {
		return Allowed
	}
	if !a.shadow {
		return AllowedPreflight
	}
	a.need = &anything // the policy would let it pass, whoever's it is
	return Allowed
}

func (c *Checker) askCredential(cred Credential, a *asking) Reason {
	if a.report != nil && a.report.known != nil {
		return Allowed
	}
	r := c.judgeCredential(cred)
	if r == MissingCredential && a.need.Anonymous && !a.shadow {
		return AllowedAnonymous
	}
	return r
}

// judgeGrants comes after the key itself was judged: what the policy could not
// decide is told only to those who have a good key.
func (a *asking) judgeGrants() Reason {
	r := a.unruled
	if r == Allowed {
		r = a.need.judge(a.d.Key.Grants)
	}
	if r != Allowed && a.shadow {
		a.d.Would = r
		return Allowed
	}
	return r
}

func (c *Checker) judgeCredential(cred Credential) Reason {
	switch s := cred.Secret; {
	case cred.Several:
		return SeveralCredentials
	case s.IsZero():
		return MissingCredential
	case s.len() < MinImported || s.len() > MaxSecret || !s.Visible():
		return MalformedCredential
	case s.ownFormat(c.digester.prefix) && !s.checksumOK():
		return BadChecksum
	}
	return Allowed
}

// look finds the key, or the reason why there is none.
func (c *Checker) look(ctx context.Context, s Secret, a *asking) Reason {
	var err error
	if a.report != nil && a.report.known != nil {
		a.d.Key, err = c.findKnown(ctx, a.report.known)
	} else {
		a.d.Key, err = c.find(ctx, s)
	}
	if err == nil {
		return Allowed
	}
	r := undecided(err)
	if r != UnknownKey {
		a.d.Err = err
	}
	return r
}

// find looks the key up under each pepper that is tried. An outage under one
// of them is an outage, even if another would not know the key.
func (c *Checker) find(ctx context.Context, s Secret) (*Key, error) {
	for _, p := range c.digester.peppers {
		if key, err := c.under(ctx, p.Digest(s)); err == nil || !unknown(err) {
			return key, err
		}
	}
	return nil, ErrKeyNotFound
}

// under looks a digest up.
func (c *Checker) under(ctx context.Context, d Digest) (*Key, error) {
	key, err := c.finder.ByDigest(ctx, d)
	if err != nil {
		return nil, err
	}
	if key == nil || !key.Digest.Equal(d) {
		return nil, errors.New("a look-up answered with another key than the one that was asked for")
	}
	return key, nil
}

// ErrLeaseLost says that this replica has not followed the change log for too
// long, and so can't say anything about any key. It is an ErrUnavailable.
var ErrLeaseLost error = leaseLost{}

type leaseLost struct{}

func (leaseLost) Error() string { return "this replica has not followed the change log for too long" }
func (leaseLost) Unwrap() error { return ErrUnavailable }

// unknown reports whether a look-up's error says "no such key", and nothing
// that casts a doubt on it.
func unknown(err error) bool {
	return errors.Is(err, ErrKeyNotFound) && !errors.Is(err, ErrUnavailable) &&
		!errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// undecided turns a look-up's error into a denial. What is not a clear "no such key" is an outage.
func undecided(err error) Reason {
	switch {
	case unknown(err):
		return UnknownKey
	case errors.Is(err, ErrLeaseLost):
		return LeaseLost
	}
	return Unavailable
}

func (c *Checker) judgeKey(k *Key, now int64) Reason {
	switch {
	case k.Overridden:
		return Overridden
	case k.Revoked:
		return Revoked
	case !k.Active:
		return Disabled
	case !k.UserActive && !c.options.AllowInactiveUsers:
		return UserInactive
	case k.NotBefore != 0 && now < k.NotBefore:
		return NotYetValid
	case over(k.ExpiresAt, now):
		return Expired
	case over(k.SecretExpiresAt, now):
		return SecretExpired
	}
	return Allowed
}

// over reports whether a moment has come. To a clock that was never set, or
// stands before 1970, every such moment has: an end that can't be told has come.
func over(end, now int64) bool { return end != 0 && (now >= end || now <= 0) }

func judgeRestrictions(k *Key, req *Request) Reason {
	if k.Restrictions == nil {
		return Allowed
	}
	return k.Restrictions.judge(req)
}

// count takes the request off the limits of the key and its user, and is the last to object.
func (c *Checker) count(ctx context.Context, req *Request, a *asking) Reason {
	k := a.d.Key
	if k.Limits == nil && k.UserLimits == nil {
		return Allowed
	}
	if a.report != nil {
		a.report.Uncounted = true
		return Allowed
	}
	if c.limiter == nil {
		a.d.Err = errors.New("the key or its user has limits, and nothing counts them")
		return Unavailable
	}
	state, err := c.limiter.Take(ctx, k, req.At, req.RequestID)
	if err != nil {
		a.d.Err = err
		return Unavailable
	}
	a.d.Limit = state
	return state.Reason
}
