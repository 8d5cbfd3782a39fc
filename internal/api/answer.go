package api

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"authd/internal/auth"
)

// Value lists that go into answers as they are. net/http reads them only.
var (
	noStore     = []string{"no-store"}
	zeroLength  = []string{"0"}
	problemType = []string{"application/problem+json"}
	oneSecond   = []string{"1"}
	closing     = []string{"close"}
	tooMany     = []string{"429"}
	nothing     = []string{""}
)

// answers writes answers.
type answers struct {
	identity            [auth.IdentityFields]string // header names, canonical
	returnAuthorization bool
	challenge           []string
	problems            map[*verdict]string // the body up to the request id
}

func newAnswers(o *Options) *answers {
	a := &answers{
		identity:            o.Headers,
		returnAuthorization: o.ReturnAuthorization,
		challenge:           []string{challenges(o.Sources, o.Realm)},
		problems:            map[*verdict]string{notFound: problemPrefix(notFound)},
	}
	for _, v := range verdicts {
		a.problems[v] = problemPrefix(v)
	}
	return a
}

// problemPrefix is an RFC 9457 problem up to the value of its last member, the request id.
func problemPrefix(v *verdict) string {
	b, err := json.Marshal(struct {
		Title  string `json:"title"`
		Status int    `json:"status"`
		Code   string `json:"code"`
		Detail string `json:"detail"`
	}{http.StatusText(v.status), v.status, v.code, v.detail})
	if err != nil {
		panic(err) // strings and a number: it can't happen
	}
	return string(b[:len(b)-1]) + `,"request_id":"`
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

func limitHeaders(h http.Header, l *auth.LimitState) {
	h["RateLimit"] = []string{l.State}
	h["RateLimit-Policy"] = []string{l.Policy}
}

// deny says no, in the words of the verdict and nothing more. The limit is
// the zero LimitState where no limit was the reason.
func (a *answers) deny(c *gin.Context, v *verdict, requestID string, limit auth.LimitState) {
	h := c.Writer.Header()
	a.denialHeaders(h, v, limit)
	body := a.problems[v] + requestID + "\"}\n"
	h["Content-Type"] = problemType
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	c.Writer.WriteHeader(v.status)
	_, _ = c.Writer.WriteString(body) // net/http keeps it back after HEAD; the client may be gone: nobody is left to tell
}

// denyMute says no to a proxy that passes on the status alone: a body would
// only end the connection. 429 would become 500, so it is a 403 that tells.
func (a *answers) denyMute(c *gin.Context, v *verdict, limit auth.LimitState) {
	h := c.Writer.Header()
	a.denialHeaders(h, v, limit)
	h["Content-Length"] = zeroLength
	status := v.status
	if status == http.StatusTooManyRequests {
		h["X-Auth-Status"] = tooMany
		status = http.StatusForbidden
	}
	c.Writer.WriteHeader(status)
	c.Writer.WriteHeaderNow()
}

func (a *answers) denialHeaders(h http.Header, v *verdict, limit auth.LimitState) {
	h["Cache-Control"] = noStore
	switch v.status {
	case http.StatusUnauthorized:
		h["WWW-Authenticate"] = a.challenge
	case http.StatusServiceUnavailable:
		h["Retry-After"] = oneSecond
	case http.StatusTooManyRequests:
		seconds := max(1, (limit.RetryAfter+time.Second-1)/time.Second)
		h["Retry-After"] = []string{strconv.FormatInt(int64(seconds), 10)}
		if limit.State != "" {
			limitHeaders(h, &limit)
		}
	}
}
