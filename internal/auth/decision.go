package auth

import "fmt"

// Reason says exactly why a request passes or not. Logs and metrics tell it;
// clients are told the coarser code that package answer gives it.
type Reason uint8

// The zero Reason is a denial: what nobody decided does not pass.
const (
	Undecided Reason = iota

	Allowed
	AllowedAnonymous // the policy asks for no key here, and none was sent
	AllowedPreflight // a CORS preflight that the policy lets pass

	MissingCredential   // no source held one
	SeveralCredentials  // repeated, comma-joined, or two sources that disagree
	MalformedCredential // too long, too short, or other than visible ASCII
	BadChecksum         // our format, mistyped or cut

	UnknownKey
	Revoked
	Overridden // the database's value of a record that has a section
	Disabled
	UserInactive
	NotYetValid
	Expired
	SecretExpired // replaced by a rotation, and the overlap is over

	ForbiddenGroup
	ForbiddenScope
	ForbiddenHost
	ForbiddenMethod
	ForbiddenPath
	ForbiddenNetwork
	AmbiguousPath // a rule looks at the path, and upstreams might read it differently
	Unvouched     // host, method, path or client matter, and no trusted proxy vouches for them
	UnknownPolicy
	UnknownProxy
	AliasedHeader // a header whose name an upstream might take for an identity header

	RateLimited
	QuotaExceeded

	Unavailable // the key could not be looked up
	LeaseLost   // this replica has not followed the change log for too long

	Reasons // how many there are
)

var reasonNames = [Reasons]string{
	Undecided: "undecided",
	Allowed:   "ok", AllowedAnonymous: "anonymous", AllowedPreflight: "preflight",
	MissingCredential: "missing_credential", SeveralCredentials: "several_credentials",
	MalformedCredential: "malformed_credential", BadChecksum: "bad_checksum",
	UnknownKey: "unknown_key", Revoked: "revoked", Overridden: "overridden", Disabled: "disabled",
	UserInactive: "user_inactive", NotYetValid: "not_yet_valid", Expired: "expired", SecretExpired: "secret_expired",
	ForbiddenGroup: "forbidden_group", ForbiddenScope: "forbidden_scope", ForbiddenHost: "forbidden_host",
	ForbiddenMethod: "forbidden_method", ForbiddenPath: "forbidden_path", ForbiddenNetwork: "forbidden_network",
	AmbiguousPath: "ambiguous_path", Unvouched: "unvouched_request", UnknownPolicy: "unknown_policy",
	UnknownProxy: "unknown_proxy", AliasedHeader: "aliased_header",
	RateLimited: "rate_limited", QuotaExceeded: "quota_exceeded",
	Unavailable: "unavailable", LeaseLost: "lease_lost",
}

// String is the reason as logs and metric labels write it.
func (r Reason) String() string {
	if r < Reasons {
		return reasonNames[r]
	}
	return fmt.Sprintf("reason_%d", uint8(r))
}

// Allows reports whether a request with this reason passes.
func (r Reason) Allows() bool {
	return r == Allowed || r == AllowedAnonymous || r == AllowedPreflight
}

// Decision is the answer to a Request. The zero Decision denies.
type Decision struct {
	Reason Reason
	Key    *Key       // who it is, also on a denial where it is known; for logs then
	Limit  LimitState // where the key stands, if it is limited and was counted
	Err    error      // why it is unavailable; for logs, never for the client
	Detail string     // what the operator may want to know more; for logs, never for the client
	Would  Reason     // what a policy that only shadows objects to; Undecided where it does not
}
