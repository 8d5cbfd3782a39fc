package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// startAPISIX stands in for APISIX's plugin forward-auth, with the settings of deploy/apisix.
func startAPISIX(t *testing.T, authd, upstream string) string {
	t.Helper()
	plugin := section[struct {
		URI             string   `yaml:"uri"`
		RequestMethod   string   `yaml:"request_method"`
		RequestHeaders  []string `yaml:"request_headers"`
		UpstreamHeaders []string `yaml:"upstream_headers"`
		ClientHeaders   []string `yaml:"client_headers"`
		Timeout         int      `yaml:"timeout"` // milliseconds
		Degradation     bool     `yaml:"allow_degradation"`
		OnError         int      `yaml:"status_on_error"`
	}](t, settingsOf(t, "apisix/apisix.yaml"), "forward-auth")
	uri, err := url.Parse(plugin.URI)
	if err != nil || plugin.Degradation || plugin.OnError == 0 {
		t.Fatalf("%+v, %v", plugin, err)
	}
	underscores := section[string](t, settingsOf(t, "apisix/config.yaml"), "underscores_in_headers") == "on"
	return startStandIn(t, upstream, time.Duration(plugin.Timeout)*time.Millisecond, func(s *standIn, w http.ResponseWriter, r *http.Request) bool {
		for name := range r.Header {
			if strings.Contains(name, ".") || strings.Contains(name, "_") && !underscores {
				r.Header.Del(name)
				delete(r.Header, name)
			}
		}
		h := http.Header{}
		take(h, r.Header, plugin.RequestHeaders...)
		h.Set("X-Forwarded-Proto", "http")
		h.Set("X-Forwarded-Method", r.Method)
		h.Set("X-Forwarded-Host", r.Host)
		h.Set("X-Forwarded-Uri", r.RequestURI)
		h.Set("X-Forwarded-For", peer(r))
		res, body, err := s.ask(r, plugin.RequestMethod, "http://"+authd+uri.Path, "", h)
		if err != nil {
			w.WriteHeader(plugin.OnError)
			return false
		}
		if res.StatusCode >= 300 {
			take(w.Header(), res.Header, plugin.ClientHeaders...)
			w.WriteHeader(res.StatusCode)
			_, _ = w.Write(body)
			return false
		}
		take(r.Header, res.Header, plugin.UpstreamHeaders...)
		return true
	})
}
