package api

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"
)

// asker does with a client's request what its kind of proxy does, as far as
// its contract reaches: which headers it overwrites, drops, joins and passes on.
type asker struct {
	name    string // in tests
	dialect string
	method  string // of the question; empty: the client's own
	lower   bool   // the names of headers
	join    bool   // repeated headers, by ", "
	only    bool   // the headers that it is told to pass on, and no others
	drops   []string
	sets    func(c clientRequest) []string
	target  func(path string, c clientRequest) string
}

// clientRequest is what a client sends to a proxy.
type clientRequest struct {
	method, host, uri string
	headers           []string // "Name: value"
	peer              string   // its address
}

func (c clientRequest) values(name string) []string {
	var found []string
	for _, h := range c.headers {
		if n, v, _ := strings.Cut(h, ":"); strings.EqualFold(n, name) {
			found = append(found, strings.TrimSpace(v))
		}
	}
	return found
}

// viaEach is what nginx calls $proxy_add_x_forwarded_for: the client's own, and then its address.
func (c clientRequest) viaEach() string {
	return strings.Join(append(c.values("X-Forwarded-For"), c.peer), ", ")
}

func forwardedFor(c clientRequest) []string { return traefik(c.method, c.host, c.uri, c.peer) }

// named are the headers that APISIX and Envoy are told to pass on: the
// sources, what makes a preflight, and the aliases of identity headers.
var named = []string{"API-KEY", "X-API-Key", "Authorization", "Origin", "Access-Control-Request-Method"}

var askers = []asker{
	{name: "traefik", dialect: "traefik", method: "GET", sets: forwardedFor, drops: []string{"X-Forwarded-Prefix", "X-Forwarded-Port", "X-Forwarded-Server", "X-Real-Ip"}},
	{name: "nginx", dialect: "nginx", method: "GET", sets: func(c clientRequest) []string {
		return []string{
			"X-Original-Method: " + c.method, "X-Original-Host: " + c.host, "X-Original-URI: " + c.uri,
			"X-Forwarded-For: " + c.viaEach(), "X-Request-Id: 5f0cf0b4c2a64a3e9b1d2c3e4f506172",
		}
	}},
	{name: "ingress-nginx", dialect: "ingress-nginx", method: "GET", sets: func(c clientRequest) []string {
		return []string{
			"X-Original-Method: " + c.method, "X-Original-URL: https://" + c.host + c.uri, "X-Forwarded-For: " + c.peer, "X-Real-IP: " + c.peer,
			"X-Sent-From: nginx-ingress-controller", "X-Auth-Request-Redirect: " + c.uri,
		}
	}, drops: []string{"X-Forwarded-Proto"}},
	{name: "caddy", dialect: "caddy", method: "GET", sets: forwardedFor, target: func(path string, c clientRequest) string {
		if _, query, ok := strings.Cut(c.uri, "?"); ok {
			path += "?" + query
		}
		return path
	}},
	{name: "haproxy", dialect: "haproxy", method: "GET", sets: forwardedFor, lower: true, join: true},
	{name: "haproxy by HEAD", dialect: "haproxy", method: "HEAD", sets: forwardedFor, lower: true, join: true},
	{name: "apisix", dialect: "apisix", method: "GET", sets: forwardedFor, only: true},
	{name: "apisix by POST", dialect: "apisix", method: "POST", sets: forwardedFor, only: true},
	{name: "envoy", dialect: "envoy", lower: true, only: true,
		sets: func(c clientRequest) []string {
			return []string{"X-Forwarded-For: " + c.viaEach(), "Content-Length: 0"}
		},
		target: func(path string, c clientRequest) string { return path + c.uri }},
}

// question is what authd is asked about a request: the request line and the headers but Host.
func (a asker) question(policy string, c clientRequest) (line string, headers []string) {
	path := verifyPath + "/" + a.dialect
	if policy != "" || dialects[a.dialect].below {
		path += "/" + orDefault(policy)
	}
	if a.target != nil {
		path = a.target(path, c)
	}
	set := a.sets(c)
	passed := append(slices.Clone(named), aliasNames...)
	for _, h := range c.headers {
		name, _, _ := strings.Cut(h, ":")
		same := func(other string) bool { return strings.EqualFold(name, strings.SplitN(other, ":", 2)[0]) }
		if !slices.ContainsFunc(set, same) && !slices.ContainsFunc(a.drops, same) && (!a.only || slices.ContainsFunc(passed, same)) {
			headers = append(headers, h)
		}
	}
	headers = append(headers, set...)
	if a.join {
		headers = joined(headers)
	}
	if a.lower {
		for i, h := range headers {
			name, value, _ := strings.Cut(h, ":")
			headers[i] = strings.ToLower(name) + ":" + value
		}
	}
	return a.asks(c) + " " + path + " HTTP/1.1", headers
}

// wire is the question as it goes over the wire.
func (a asker) wire(policy string, c clientRequest) string {
	line, headers := a.question(policy, c)
	return line + "\r\nHost: " + a.host(c) + "\r\n" + strings.Join(headers, "\r\n") + "\r\n\r\n"
}

func orDefault(policy string) string {
	if policy == "" {
		return "default"
	}
	return policy
}

// asks is the method of the question.
func (a asker) asks(c clientRequest) string {
	if a.method == "" {
		return c.method
	}
	return a.method
}

// host is that of the question.
func (a asker) host(c clientRequest) string {
	if a.dialect == "envoy" {
		return c.host
	}
	return "authd.test"
}

// joined makes one header of those that have one name.
func joined(headers []string) (out []string) {
	at := map[string]int{}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ":")
		key := strings.ToLower(name)
		if i, ok := at[key]; ok {
			out[i] += ", " + strings.TrimSpace(value)
			continue
		}
		at[key] = len(out)
		out = append(out, h)
	}
	return out
}

// asHeader is headers as a server has them.
func asHeader(headers []string) http.Header {
	h := http.Header{}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ":")
		name = textproto.CanonicalMIMEHeaderKey(name)
		h[name] = append(h[name], textproto.TrimString(value))
	}
	return h
}
