package answer

import (
	"net/http"

	"authd/internal/auth"
)

// Verdict is what a client is told of a decision.
type Verdict struct {
	Status int
	Code   string // for programs
	Detail string // for people

	problem string // the body up to the request id
}

func verdict(status int, code, detail string) *Verdict {
	return &Verdict{status, code, detail, problemPrefix(status, code, detail)}
}

// What the client is told is coarser than the reason: everything that is
// wrong with a credential looks the same, and so does everything that a good
// one may not do.
var (
	allowed   = &Verdict{Status: http.StatusOK}
	missing   = verdict(http.StatusUnauthorized, "missing_credential", "No API key was sent.")
	invalid   = verdict(http.StatusUnauthorized, "invalid_credential", "The API key is not valid.")
	forbidden = verdict(http.StatusForbidden, "forbidden", "The request is not permitted.")
	limited   = verdict(http.StatusTooManyRequests, "rate_limited", "The API key is used too often. Try again later.")
	exhausted = verdict(http.StatusTooManyRequests, "quota_exceeded", "The quota of the API key is used up. Try again later.")
	undecided = verdict(http.StatusServiceUnavailable, "unavailable", "The API key can't be checked right now. Try again.")
)

// NotFound is for a question that is none: it has no reason.
var NotFound = verdict(http.StatusNotFound, "not_found", "There is nothing here. A proxy asks /verify or /verify/<proxy>/<policy>.")

// verdicts is the one table from reason to answer.
var verdicts = [auth.Reasons]*Verdict{
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

// Of is the verdict on a reason. It never lets an unheard-of reason pass.
func Of(r auth.Reason) *Verdict {
	if r < auth.Reasons && verdicts[r] != nil {
		return verdicts[r]
	}
	return undecided
}
