package e2e

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// envoyAuthz is the part of deploy/envoy/http.yaml that the stand-in keeps to.
type envoyAuthz struct {
	FailureModeAllow bool `yaml:"failure_mode_allow"`
	StatusOnError    struct {
		Code string `yaml:"code"`
	} `yaml:"status_on_error"`
	Allowed envoyPatterns `yaml:"allowed_headers"`
	HTTP    struct {
		URI struct {
			Timeout time.Duration `yaml:"timeout"`
		} `yaml:"server_uri"`
		Prefix   string `yaml:"path_prefix"`
		Response struct {
			Upstream envoyPatterns `yaml:"allowed_upstream_headers"`
			Client   envoyPatterns `yaml:"allowed_client_headers"`
		} `yaml:"authorization_response"`
	} `yaml:"http_service"`
}

// envoyPatterns is a ListStringMatcher.
type envoyPatterns struct {
	Patterns []struct {
		Exact      string `yaml:"exact"`
		IgnoreCase bool   `yaml:"ignore_case"`
		Regex      struct {
			Regex string `yaml:"regex"`
		} `yaml:"safe_regex"`
	} `yaml:"patterns"`
}

// match looks at a name in lower case, as Envoy does. A pattern matches the whole of it.
func (l *envoyPatterns) match(name string) bool {
	name = strings.ToLower(name)
	for _, p := range l.Patterns {
		if p.Exact == name || p.Regex.Regex != "" && regexp.MustCompile("^(?:"+p.Regex.Regex+")$").MatchString(name) {
			return true
		}
	}
	return false
}

// only is what of a header matches.
func (l *envoyPatterns) only(h http.Header) http.Header {
	some := http.Header{}
	for name, values := range h {
		if l.match(name) {
			some[name] = values
		}
	}
	return some
}

// startEnvoy stands in for Envoy's connection manager and ext_authz over HTTP, with the settings of deploy/envoy/http.yaml.
func startEnvoy(t *testing.T, authd, upstream string) string {
	t.Helper()
	doc := settingsOf(t, "envoy/http.yaml")
	var filters []struct {
		Config envoyAuthz `yaml:"typed_config"`
	}
	if err := find(doc, "http_filters").Decode(&filters); err != nil {
		t.Fatal(err)
	}
	f := filters[0].Config
	if f.FailureModeAllow || f.StatusOnError.Code != "ServiceUnavailable" || f.HTTP.Prefix == "" || f.HTTP.URI.Timeout == 0 {
		t.Fatalf("%+v", f)
	}
	entry := envoyEntry(t, doc)
	remove := section[[]string](t, doc, "request_headers_to_remove")
	return startStandIn(t, upstream, f.HTTP.URI.Timeout, func(s *standIn, w http.ResponseWriter, r *http.Request) bool {
		if !entry(w, r) {
			return false
		}
		res, body, err := s.ask(r, r.Method, "http://"+authd+f.HTTP.Prefix+r.RequestURI, r.Host, f.Allowed.only(r.Header))
		switch {
		case err != nil || res.StatusCode >= 500:
			w.WriteHeader(http.StatusServiceUnavailable)
			return false
		case res.StatusCode != http.StatusOK:
			for name, values := range f.HTTP.Response.Client.only(res.Header) {
				w.Header()[name] = values
			}
			w.WriteHeader(res.StatusCode)
			_, _ = w.Write(body)
			return false
		}
		for name, values := range f.HTTP.Response.Upstream.only(res.Header) {
			r.Header[name] = values
		}
		for _, name := range remove {
			r.Header.Del(name)
		}
		return true
	})
}

// envoyEntry is what the connection manager does before any filter, by the settings of a file.
func envoyEntry(t *testing.T, doc *yaml.Node) func(http.ResponseWriter, *http.Request) (goesOn bool) {
	t.Helper()
	early := section[[]struct {
		Remove string `yaml:"remove"`
	}](t, doc, "mutations")
	rejects := section[string](t, doc, "headers_with_underscores_action") == "REJECT_REQUEST"
	return func(w http.ResponseWriter, r *http.Request) bool {
		for name := range r.Header {
			if rejects && strings.Contains(name, "_") {
				w.WriteHeader(http.StatusBadRequest)
				return false
			}
		}
		for _, m := range early {
			r.Header.Del(m.Remove)
		}
		r.Header.Add("X-Forwarded-For", peer(r)) // use_remote_address
		return true
	}
}
