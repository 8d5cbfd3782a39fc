package main

import (
	"encoding/json"
	"fmt"
	neturl "net/url"
	"slices"
	"strings"
	"testing"
)

// What explain says of a request is what a running server answers, and what it logs.
func TestExplainIsWhatTheServerDoes(t *testing.T) {
	p := newPlace(t)
	p.write("authd.yaml", `
policies:
  shop: {groups: [gold], rules: [{methods: [GET]}]}
  new: {groups: [gold], shadow: true}
api_key_Moved:
  key: value-of-this-place-1
  groups: [gold]
`)
	secrets := map[string]string{"Moved": "value-of-this-place-1"}
	p.must("keys", "create", "Moved", "--user", "u", "-q")
	secrets["Free"] = p.must("keys", "create", "Free", "--user", "u", "-q")
	secrets["Bound"] = p.must("keys", "create", "Bound", "--user", "u", "--group", "gold", "--host", "*.example.com", "--path", "/a/", "--cidr", "192.0.2.0/24", "-q")
	secrets["Off"] = p.must("keys", "create", "Off", "--user", "u", "-q")
	p.must("keys", "disable", "Off", "-q")
	d := p.serve("-c", "authd.yaml")
	n := 0
	for name, secret := range secrets {
		for _, policy := range []string{"default", "shop", "new"} {
			for _, asked := range []struct{ method, url string }{
				{"GET", "https://shop.example.com/a/1"}, {"PUT", "https://shop.example.com/a/1"}, {"GET", "https://a.test/a//1"}, {"GET", "https://a.test/"},
			} {
				var said struct {
					Passes        bool
					Reason, Would string
				}
				out := p.must("explain", "-c", "authd.yaml", "--key-name", name, "--proxy", "traefik", "--policy", policy,
					"--method", asked.method, "--url", asked.url, "--client", "192.0.2.7", "-o", "json")
				if err := json.Unmarshal([]byte(out), &said); err != nil {
					t.Fatal(err)
				}
				u, err := neturl.Parse(asked.url)
				if err != nil {
					t.Fatal(err)
				}
				n++
				id := fmt.Sprintf("request-%d", n)
				got := d.ask("/verify/traefik/"+policy, secret, "X-Request-Id: "+id, "X-Forwarded-Method: "+asked.method, "X-Forwarded-Host: "+u.Host,
					"X-Forwarded-Uri: "+u.EscapedPath(), "X-Forwarded-For: 192.0.2.7")
				if (got.status == 200) != said.Passes {
					t.Errorf("%s, policy %s, %s %s: explained as %+v, answered %d", name, policy, asked.method, asked.url, said, got.status)
				}
				tells := []string{`"request_id":"` + id + `"`, `"reason":"` + said.Reason + `"`}
				if said.Would != "" {
					tells = append(tells, `"would":"`+said.Would+`"`)
				}
				p.await("a line that tells "+strings.Join(tells, " and "), func() bool { return d.logs(tells...) })
			}
		}
	}
	p.nowhere(secrets["Free"], secrets["Bound"], secrets["Off"])
}

// logs reports whether a line of the log has all of these parts.
func (d *daemon) logs(parts ...string) bool {
	for line := range strings.Lines(d.log.String()) {
		if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(line, part) }) {
			return true
		}
	}
	return false
}
