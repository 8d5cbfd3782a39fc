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
