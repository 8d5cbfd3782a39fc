package answer

import "net/http"

// Result is a verdict in one word, as metrics tell it.
type Result uint8

// The results.
const (
	Allow Result = iota
	Deny
	Limited
	Error

	Results // how many there are
)

var resultNames = [Results]string{"allow", "deny", "limited", "error"}

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
