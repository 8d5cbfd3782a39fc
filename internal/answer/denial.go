package answer

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"authd/internal/auth"
)

// Value lists that go into headers as they are: whoever sends them only reads them.
var (
	noStore     = []string{"no-store"}
	problemType = []string{"application/problem+json"}
	oneSecond   = []string{"1"}
)

// Denials says no, in the words of a verdict and nothing more.
type Denials struct{ challenge []string }

// NewDenials makes Denials whose 401 carries the challenge.
func NewDenials(challenge string) *Denials { return &Denials{[]string{challenge}} }

// Write sets the header of a denial, all but its Content-Length, and gives
// its body. The limit is the zero LimitState where no limit was the reason.
func (d *Denials) Write(h http.Header, v *Verdict, requestID string, limit auth.LimitState) (body string) {
	d.Header(h, v, limit)
	h["Content-Type"] = problemType
	return v.problem + requestID + "\"}\n"
}

// Header sets what the header of a denial tells, whether a body follows or not.
func (d *Denials) Header(h http.Header, v *Verdict, limit auth.LimitState) {
	switch v.Status {
	case http.StatusUnauthorized:
		h["WWW-Authenticate"] = d.challenge
	case http.StatusServiceUnavailable:
		h["Retry-After"] = oneSecond
	case http.StatusTooManyRequests:
		seconds := max(1, (limit.RetryAfter+time.Second-1)/time.Second)
		h["Retry-After"] = []string{strconv.FormatInt(int64(seconds), 10)}
		if limit.State != "" {
			h["RateLimit"] = []string{limit.State}
			h["RateLimit-Policy"] = []string{limit.Policy}
		}
	}
	h["Cache-Control"] = noStore
}

// problemPrefix is an RFC 9457 problem up to the value of its last member, the request id.
func problemPrefix(status int, code, detail string) string {
	b, err := json.Marshal(struct {
		Title  string `json:"title"`
		Status int    `json:"status"`
		Code   string `json:"code"`
		Detail string `json:"detail"`
	}{http.StatusText(status), status, code, detail})
	if err != nil {
		panic(err) // strings and a number: it can't happen
	}
	return string(b[:len(b)-1]) + `,"request_id":"`
}
