package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"strconv"
	"testing"
)

// What is wrong with a key is nothing that a client can tell.
func checkOneAnswerForEveryBadKey(t *testing.T, c *chain) {
	requestID := regexp.MustCompile(`"request_id":"[^"]*"`)
	unknown := "API-KEY: " + c.authd.keys["good"][:len(c.authd.keys["good"])-8] + "zzzzzzzz"
	var first string
	for _, line := range []string{unknown, c.authd.key("revoked"), c.authd.key("expired"), c.authd.key("disabled"), "API-KEY: no-key-of-ours-at-all", "API-KEY: short"} {
		got, _ := c.want(t, 401, ask{lines: lines(line)})
		h := maps.Clone(got.header)
		h.Del("Date")
		text := fmt.Sprint(got.status, h, requestID.ReplaceAllString(got.body, ""))
		if first == "" {
			first = text
		}
		if text != first {
			t.Errorf("two answers:\n%s\n%s", text, first)
		}
		if got.header.Get("WWW-Authenticate") == "" {
			t.Errorf("no WWW-Authenticate: %v", got.header)
		}
		if !c.noProblems && problem(t, got) != "invalid_credential" {
			t.Errorf("the body is not authd's: %s", got.body)
		}
	}
}

// problem is the code in a problem body.
func problem(t *testing.T, a *answer) string {
	t.Helper()
	var body struct{ Code string }
	if err := json.Unmarshal([]byte(a.body), &body); err != nil {
		t.Errorf("%v: %s", err, a.body)
	}
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q", got)
	}
	return body.Code
}

// A limit is 429 with Retry-After, whatever the proxy makes of other statuses.
func checkLimited(t *testing.T, c *chain) {
	name := "limited " + c.name
	c.authd.create(t, name, "--group", "partner", "--rate", "1/1h", "--burst", "1")
	// An id of the client's own does not make a second request a repetition of the first.
	q := ask{lines: lines(c.authd.key(name), "X-Request-Id: 01a20f05-fd5b-73a4-85bf-29f360416d68")}
	_, s := c.want(t, http.StatusOK, q)
	s.as(t, login)
	for range 2 {
		got, _ := c.want(t, http.StatusTooManyRequests, q)
		if n, err := strconv.Atoi(got.header.Get("Retry-After")); err != nil || n < 1 || n > 3600 || len(got.header["Retry-After"]) != 1 {
			t.Errorf("Retry-After %q", got.header["Retry-After"])
		}
		if code := problem(t, got); code != "rate_limited" {
			t.Errorf("code %q", code)
		}
	}
}

// What the service itself answers is its own, also where authd uses the same status.
func checkAnswersOfTheService(t *testing.T, c *chain) {
	for _, status := range []int{200, 201, 302, 401, 403, 429, 500, 503} {
		a := ask{lines: lines(c.authd.key("good"), fmt.Sprintf("X-Want-Status: %d", status))}
		got, err := a.to(c.addr)
		if err != nil {
			t.Fatal(err)
		}
		if got.status != status || got.body != "of the service\n" || got.header.Get("X-Upstream") == "" || len(c.upstream.of(got.id)) != 1 {
			t.Errorf("status %d: %+v", status, got)
		}
	}
}
