package answer

import (
	"net/http"

	"authd/internal/auth"
)

// Result is a verdict in one word, as metrics tell it.
type Result uint8

// The results.
const (
	Allow Result = iota
	Deny
	Limited
	Error
	WouldDeny // passed, and a policy that only shadows would have denied it

	Results // how many there are
)

var resultNames = [Results]string{"allow", "deny", "limited", "error", "would_deny"}

// String is the word.
func (r Result) String() string { return resultNames[r] }

// Result is the verdict in one word.
func (v *Verdict) Result() Result {
	switch v.Status {
	case http.StatusOK:
		return Allow
	case http.StatusTooManyRequests:
		return Limited
	case http.StatusServiceUnavailable:
		return Error
	}
	return Deny
}

// ResultOf is the decision in one word.
func ResultOf(d *auth.Decision) Result {
	if d.Would != auth.Undecided && d.Reason.Allows() {
		return WouldDeny
	}
	return Of(d.Reason).Result()
}
