package api

import (
	"github.com/gin-gonic/gin"

	"authd/internal/answer"
	"authd/internal/auth"
	"authd/internal/inbound"
)

// rescue turns a panic into a denial. The process lives on. rt is nil beside /verify.
func (v *verifier) rescue(c *gin.Context, rt *route) {
	p := recover()
	if p == nil {
		return
	}
	if rt != nil {
		rt.counters.Panicked()
	}
	id := inbound.NewRequestID()
	v.log.Panicked(c.Request.Context(), p, id)
	if c.Writer.Written() {
		return
	}
	clear(c.Writer.Header())
	leaveBody(c) // whatever state the connection is in, it ends here
	v.deny(c, rt, answer.Of(auth.Undecided), id, auth.LimitState{})
}
