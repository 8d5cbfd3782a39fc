package api

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

// bodyGrace is how long a connection whose request announced a body stays
// open after the answer, so that what is under way is read away and the
// client is not reset before it has read the answer.
const bodyGrace = 20 * time.Millisecond

// leaveBody answers a request that announces a body without waiting for it.
// Some proxies announce the client's body and never send it; a server that
// keeps the connection would wait for it in vain, or take the next request
// for it. So the connection closes, and net/http, which sends the answer
// before it looks for the rest, is given no time to.
func leaveBody(c *gin.Context) {
	c.Writer.Header()["Connection"] = closing
	// An error means that there is no connection, and so nothing to wait for.
	_ = http.NewResponseController(c.Writer).SetReadDeadline(time.Now().Add(bodyGrace))
}
