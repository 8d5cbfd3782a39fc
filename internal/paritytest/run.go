package paritytest

import (
	"testing"

	"authd/internal/auth"
)

// Answer is what came of a case, as the transport's proxy and client are told.
type Answer struct {
	Reason     string                      // as the log tells it
	Status     int                         // that the client gets from a proxy configured as it should be
	Code       string                      // of the problem; Untold where the transport has no body
	Challenge  bool                        // WWW-Authenticate was told
	RetryAfter string                      // seconds
	Limit      string                      // RateLimit
	Identity   [auth.IdentityFields]string // that reaches the upstream; a field that was not set at all is Untold
}

// Untold stands for what the transport does not tell.
const Untold = "(untold)"

// Ask sends a case the way a proxy would, all of whose headers it passes on
// besides those that the proxy overwrites.
type Ask func(t *testing.T, c Case) Answer

// Run judges every case over a transport. Open starts it over the World; mute
// says that it tells no code on a denial.
func Run(t *testing.T, mute bool, open func(t *testing.T, w *World) Ask) {
	t.Helper()
	w := newWorld(t)
	ask := open(t, w)
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) {
			for i, h := range c.Headers {
				c.Headers[i] = w.fill(t, h)
			}
			c.Query = w.fill(t, c.Query)
			w.finder.err = c.Outage
			defer func() { w.finder.err = nil }()
			if got, want := ask(t, c), w.want(c, mute); got != want {
				t.Errorf("the answer is\n%+v, want\n%+v", got, want)
			}
		})
	}
}

// want is the answer that a case must have.
func (w *World) want(c Case, mute bool) Answer {
	a := Answer{Reason: c.Reason.String(), Status: c.Status, Code: c.Code, Challenge: c.Status == 401}
	for i := range a.Identity {
		a.Identity[i] = Untold
		if c.Reason.Allows() {
			a.Identity[i] = w.keys[c.Key].Told(i)[0]
		}
	}
	switch c.Reason {
	case auth.RateLimited:
		a.RetryAfter, a.Limit = "2", limitStates[c.limited].State
	case auth.QuotaExceeded:
		a.RetryAfter, a.Limit = "3600", limitStates[c.limited].State
	case auth.Unavailable, auth.LeaseLost:
		a.RetryAfter = "1"
	}
	if mute && !c.Reason.Allows() {
		a.Code = Untold
	}
	return a
}
