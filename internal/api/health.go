package api

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

// Check is one thing that readiness looks at.
type Check struct {
	Name     string
	OK       bool
	Advisory bool   // shown by /readyz?verbose; does not make the process unready
	Detail   string // shown by /readyz?verbose; no secrets
}

// health serves /healthz, which is about the process alone, and /readyz,
// which is about whether requests should be sent here.
func (v *verifier) health(e *gin.Engine, ready func() []Check) {
	live := func(c *gin.Context) { text(c, http.StatusOK, "ok\n") }
	readiness := func(c *gin.Context) {
		defer v.rescue(c, nil)
		var checks []Check
		if ready != nil {
			checks = ready()
		}
		status, word := http.StatusOK, "ready\n"
		for _, check := range checks {
			if !check.OK && !check.Advisory {
				status, word = http.StatusServiceUnavailable, "not ready\n"
			}
		}
		if c.Request.URL.Query().Has("verbose") {
			word = verbose(checks) + word
		}
		text(c, status, word)
	}
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		e.Handle(method, "/healthz", live)
		e.Handle(method, "/readyz", readiness)
	}
}

func verbose(checks []Check) string {
	var b strings.Builder
	for _, c := range checks {
		switch {
		case c.OK:
			b.WriteString("[+] ")
		case c.Advisory:
			b.WriteString("[!] ")
		default:
			b.WriteString("[-] ")
		}
		b.WriteString(c.Name)
		if c.Detail != "" {
			b.WriteString(": " + strings.Join(strings.Fields(c.Detail), " ")) // a line each
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func text(c *gin.Context, status int, s string) {
	c.Writer.Header()["Cache-Control"] = noStore
	if c.Request.ContentLength != 0 {
		leaveBody(c)
	}
	c.String(status, "%s", s)
}
