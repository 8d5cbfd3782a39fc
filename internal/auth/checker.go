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

// anything is what the default policy asks: a key, and nothing more.
var anything Requirement

// Check decides whether the request passes, and as whom, in this order:
//
//  1. what the policy asks of this request
//  2. the credential: exactly one, its shape and checksum; no look-up otherwise
//  3. the look-up, by digest
//  4. the key: overridden, revoked, disabled, user, not-before, expiry
//  5. the groups and scopes that the policy asks for; the key's restrictions
//  6. rate limit and quota
//
// The first step that objects names the reason.
func (c *Checker) Check(ctx context.Context, req *Request) Decision {
	d := c.decide(ctx, req)
	if d.Key != nil && c.options.Observer != nil {
		c.options.Observer.Observe(d.Key, d.Reason, req.At, req.Client)
	}
	return d
}

func (c *Checker) decide(ctx context.Context, req *Request) Decision {
	need := &anything
	unruled := Allowed // why no requirement could be found
	if req.Policy != nil {
		if need, unruled = req.Policy.requirement(req); unruled != Allowed {
			need = &anything
		}
	}
	if need.Preflight && req.Preflight && req.Vouched {
		return Decision{Reason: AllowedPreflight}
	}
	if r := c.judgeCredential(req.Credential); r != Allowed {
		if r == MissingCredential && need.Anonymous {
			return Decision{Reason: AllowedAnonymous}
		}
		return Decision{Reason: r}
	}
	key, err := c.find(ctx, req.Credential.Secret)
	if err != nil {
		return undecided(err)
	}
	if r := c.judge(key, need, unruled, req); r != Allowed {
		return Decision{Reason: r, Key: key}
	}
	return c.count(ctx, key, req)
}

// judge runs steps 4 and 5 of Check. What the policy could not decide is told
// only to those who have a good key.
func (c *Checker) judge(key *Key, need *Requirement, unruled Reason, req *Request) Reason {
	if r := c.judgeKey(key, req.At.UnixMilli()); r != Allowed {
		return r
	}
	if unruled != Allowed {
		return unruled
	}
	if r := need.judge(key.Grants); r != Allowed {
		return r
	}
	return judgeRestrictions(key, req)
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

// find looks the key up under each pepper that is tried. An outage under one
// of them is an outage, even if another would not know the key.
func (c *Checker) find(ctx context.Context, s Secret) (*Key, error) {
	for _, p := range c.digester.peppers {
		d := p.Digest(s)
		key, err := c.finder.ByDigest(ctx, d)
		if err == nil {
			if key == nil || !key.Digest.Equal(d) {
				return nil, errors.New("a look-up answered with another key than the one that was asked for")
			}
			return key, nil
		}
		if !unknown(err) {
			return nil, err
		}
	}
	return nil, ErrKeyNotFound
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
func undecided(err error) Decision {
	switch {
	case unknown(err):
		return Decision{Reason: UnknownKey}
	case errors.Is(err, ErrLeaseLost):
		return Decision{Reason: LeaseLost, Err: err}
	}
	return Decision{Reason: Unavailable, Err: err}
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
func (c *Checker) count(ctx context.Context, k *Key, req *Request) Decision {
	if k.Limits == nil && k.UserLimits == nil {
		return Decision{Reason: Allowed, Key: k}
	}
	if c.limiter == nil {
		return Decision{Reason: Unavailable, Key: k, Err: errors.New("the key or its user has limits, and nothing counts them")}
	}
	state, err := c.limiter.Take(ctx, k, req.At, req.RequestID)
	if err != nil {
		return Decision{Reason: Unavailable, Key: k, Err: err}
	}
	return Decision{Reason: state.Reason, Key: k, Limit: state}
}
