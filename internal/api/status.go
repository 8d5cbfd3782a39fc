package api

import (
	"net/http"

	"authd/internal/auth"
)

// verdict is what a client is told of a decision.
type verdict struct {
	status int
	code   string // for programs
	detail string // for people
}

// What the client is told is coarser than the reason: everything that is
// wrong with a credential looks the same, and so does everything that a good
// one may not do.
var (
	allowed   = &verdict{status: http.StatusOK}
	missing   = &verdict{http.StatusUnauthorized, "missing_credential", "No API key was sent."}
	invalid   = &verdict{http.StatusUnauthorized, "invalid_credential", "The API key is not valid."}
	forbidden = &verdict{http.StatusForbidden, "forbidden", "The request is not permitted."}
	limited   = &verdict{http.StatusTooManyRequests, "rate_limited", "The API key is used too often. Try again later."}
	exhausted = &verdict{http.StatusTooManyRequests, "quota_exceeded", "The quota of the API key is used up. Try again later."}
	undecided = &verdict{http.StatusServiceUnavailable, "unavailable", "The API key can't be checked right now. Try again."}

	notFound = &verdict{http.StatusNotFound, "not_found", "There is nothing here. A proxy asks /verify or /verify/<proxy>/<policy>."}
)

// verdicts is the one table from reason to answer.
var verdicts = [auth.Reasons]*verdict{
	auth.Undecided: undecided,

	auth.Allowed:          allowed,
	auth.AllowedAnonymous: allowed,
	auth.AllowedPreflight: allowed,

	auth.MissingCredential:   missing,
	auth.SeveralCredentials:  invalid,
	auth.MalformedCredential: invalid,
	auth.BadChecksum:         invalid,

	auth.UnknownKey:    invalid,
	auth.Revoked:       invalid,
	auth.Overridden:    invalid,
	auth.Disabled:      invalid,
	auth.UserInactive:  invalid,
	auth.NotYetValid:   invalid,
	auth.Expired:       invalid,
	auth.SecretExpired: invalid,

	auth.ForbiddenGroup:   forbidden,
	auth.ForbiddenScope:   forbidden,
	auth.ForbiddenHost:    forbidden,
	auth.ForbiddenMethod:  forbidden,
	auth.ForbiddenPath:    forbidden,
	auth.ForbiddenNetwork: forbidden,
	auth.AmbiguousPath:    forbidden,
	auth.Unvouched:        forbidden,
	auth.UnknownPolicy:    forbidden,
	auth.UnknownProxy:     forbidden,
	auth.AliasedHeader:    forbidden,

	auth.RateLimited:   limited,
	auth.QuotaExceeded: exhausted,

	auth.Unavailable: undecided,
	auth.LeaseLost:   undecided,
}

// verdictOf never lets an unheard-of reason pass.
func verdictOf(r auth.Reason) *verdict {
	if r < auth.Reasons && verdicts[r] != nil {
		return verdicts[r]
	}
	return undecided
}

// result is the verdict in one word, as metrics tell it.
type result uint8

const (
	resultAllow result = iota
	resultDeny
	resultLimited
	resultError
	results // how many there are
)

var resultNames = [results]string{"allow", "deny", "limited", "error"}

func (r result) String() string { return resultNames[r] }

func (v *verdict) result() result {
	switch v.status {
	case http.StatusOK:
		return resultAllow
	case http.StatusTooManyRequests:
		return resultLimited
	case http.StatusServiceUnavailable:
		return resultError
	}
	return resultDeny
}
