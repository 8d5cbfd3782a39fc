package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
)

// The reference stands for what authd sends: a header that it leaves out would make authd look dear.
func TestConstants(t *testing.T) {
	gin.SetMode(gin.TestMode)
	for _, c := range []struct {
		name    string
		handler gin.HandlerFunc
		headers []string
	}{
		{"empty", empty, nil},
		{"constants", constants, []string{
			"X-Auth-User", "X-Auth-Key", "X-Auth-Key-Id", "X-Auth-Groups", "X-Auth-Scopes", "Cache-Control", "Content-Length",
		}},
	} {
		r := gin.New()
		r.GET("/verify", c.handler)
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/verify", http.NoBody))
		if w.Code != http.StatusOK || w.Body.Len() != 0 || len(w.Header()) != len(c.headers) {
			t.Errorf("%s: status %d, %d bytes, headers %v", c.name, w.Code, w.Body.Len(), w.Header())
		}
		for _, h := range c.headers {
			if w.Header().Get(h) == "" {
				t.Errorf("%s: no %s", c.name, h)
			}
		}
	}
}
