package api

import (
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"

	"github.com/gin-gonic/gin"

	"authd/internal/auth"
)

// rescue turns a panic into a denial. The process lives on; what the log
// tells is where it was, and never what was in the request: the text of a
// panic is told only where the runtime wrote it. rt is nil beside /verify.
func (v *verifier) rescue(c *gin.Context, rt *route) {
	p := recover()
	if p == nil {
		return
	}
	what := fmt.Sprintf("a value of type %T", p)
	if err, ok := p.(runtime.Error); ok {
		what = err.Error()
	}
	if rt != nil {
		rt.counters.of(auth.Undecided).Inc()
	}
	id := newRequestID()
	v.log.log.LogAttrs(c.Request.Context(), slog.LevelError, "a request panicked: please report this",
		slog.String("panic", what), slog.String("request_id", id), slog.String("stack", string(debug.Stack())))
	if c.Writer.Written() {
		return
	}
	clear(c.Writer.Header())
	leaveBody(c) // whatever state the connection is in, it ends here
	v.deny(c, rt, undecided, id, auth.LimitState{})
}
