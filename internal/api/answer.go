package api

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"authd/internal/answer"
	"authd/internal/auth"
	"authd/internal/inbound"
)

// Value lists that go into answers as they are. net/http reads them only.
var (
	noStore    = []string{"no-store"}
	zeroLength = []string{"0"}
	closing    = []string{"close"}
	nothing    = []string{""}
	tooMany    = []string{"429"}
)

// answers writes answers.
type answers struct {
	identity            [auth.IdentityFields]string // header names, canonical
	returnAuthorization bool
	denials             *answer.Denials
}

func newAnswers(o *Options) *answers {
	return &answers{
		identity:            o.Headers,
		returnAuthorization: o.ReturnAuthorization,
		denials:             answer.NewDenials(inbound.Challenges(o.Sources, o.Realm)),
	}
}

// allow is exactly 200 and empty, with every identity header: one that is
// left out would let the client's own copy through on some proxies.
func (a *answers) allow(c *gin.Context, d *auth.Decision, fromAuthorization bool) {
	h := c.Writer.Header()
	for i, name := range a.identity {
		h[name] = d.Key.Told(i)
	}
	h["Cache-Control"] = noStore
	if c.Request.Method == http.MethodHead {
		h["Content-Length"] = zeroLength // net/http says so itself, but to HEAD
	}
	if a.returnAuthorization {
		h["Authorization"] = nothing
		if own := c.Request.Header["Authorization"]; len(own) > 0 && !fromAuthorization {
			h["Authorization"] = own
		}
	}
	c.Writer.WriteHeader(http.StatusOK)
}

// deny says no, in the words of the verdict and nothing more. The limit is
// the zero LimitState where no limit was the reason.
func (a *answers) deny(c *gin.Context, v *answer.Verdict, requestID string, limit auth.LimitState) {
	h := c.Writer.Header()
	body := a.denials.Write(h, v, requestID, limit)
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	c.Writer.WriteHeader(v.Status)
	_, _ = c.Writer.WriteString(body) // net/http keeps it back after HEAD; the client may be gone: nobody is left to tell
}

// denyMute says no to a proxy that passes on the status alone: a body would
// only end the connection. 429 would become 500, so it is a 403 that tells.
func (a *answers) denyMute(c *gin.Context, v *answer.Verdict, limit auth.LimitState) {
	h := c.Writer.Header()
	a.denials.Header(h, v, limit)
	h["Content-Length"] = zeroLength
	status := v.Status
	if status == http.StatusTooManyRequests {
		h["X-Auth-Status"] = tooMany
		status = http.StatusForbidden
	}
	c.Writer.WriteHeader(status)
}
