package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// startTraefik stands in for Traefik's entry point and ForwardAuth, with the
// middleware of deploy/traefik/dynamic.yaml.
func startTraefik(t *testing.T, authd, upstream string) string {
	t.Helper()
	forward := section[struct {
		Address             string   `yaml:"address"`
		TrustForwardHeader  bool     `yaml:"trustForwardHeader"`
		AuthResponseHeaders []string `yaml:"authResponseHeaders"`
	}](t, settingsOf(t, "traefik/dynamic.yaml"), "forwardAuth")
	address, err := url.Parse(forward.Address)
	if err != nil || forward.TrustForwardHeader {
		t.Fatalf("%+v, %v", forward, err)
	}
	const patience = 3 * time.Second // Traefik's is 30 s
	return startStandIn(t, upstream, patience, func(s *standIn, w http.ResponseWriter, r *http.Request) bool {
		traefikEntry(r)
		h := without(r.Header, hopByHop...)
		h.Set("X-Forwarded-Method", r.Method)
		h.Set("X-Forwarded-Proto", "http")
		h.Set("X-Forwarded-Host", r.Host)
		h.Set("X-Forwarded-Uri", r.URL.RequestURI())
		h.Set("X-Forwarded-For", peer(r))
		res, body, err := s.ask(r, http.MethodGet, "http://"+authd+address.Path, "", h)
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return false
		}
		if res.StatusCode < 200 || res.StatusCode > 299 {
			for name, values := range without(res.Header, hopByHop...) {
				w.Header()[name] = values
			}
			w.WriteHeader(res.StatusCode)
			_, _ = w.Write(body)
			return false
		}
		take(r.Header, res.Header, forward.AuthResponseHeaders...)
		return true
	})
}

// traefikEntry is what the entry point does to every request: what a client says in X-Forwarded-*
// and X-Real-Ip is deleted, and what it names in Connection too.
func traefikEntry(r *http.Request) {
	upgrade := r.Header.Get("Upgrade")
	for _, line := range r.Header["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			r.Header.Del(strings.TrimSpace(name))
		}
	}
	r.Header.Del("Connection")
	if upgrade != "" {
		r.Header.Set("Connection", "Upgrade")
		r.Header.Set("Upgrade", upgrade)
	}
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Forwarded-") || name == "X-Real-Ip" {
			r.Header.Del(name)
		}
	}
	r.Header.Set("X-Real-Ip", peer(r))
}
