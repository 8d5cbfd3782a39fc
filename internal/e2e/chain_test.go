package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// chain is a proxy between a client and the service behind, with authd beside it.
type chain struct {
	proxy
	addr      string
	authd     *authd
	undecided *authd // that can't decide
	gate      *gate
	upstream  *upstream
}

// checks are what is held against every proxy, in order: the last one takes authd away.
var checks = []struct {
	name string
	run  func(*testing.T, *chain)
}{
	{"trials", checkTrials},
	{"one answer for every bad key", checkOneAnswerForEveryBadKey},
	{"limited", checkLimited},
	{"Authorization", checkAuthorization},
	{"answers of the service", checkAnswersOfTheService},
	{"upload", checkUpload},
	{"no stall", checkNoStall},
	{"connections are kept", checkConnectionsAreKept},
	{"upgrade", checkUpgrade},
	{"HTTP/2", checkHTTP2},
	{"gRPC", checkCalls},
	{"undecided", checkUndecided},
	{"authd away", checkAuthdAway},
}

func TestProxies(t *testing.T) {
	a, undecided := startAuthd(t), startUndecided(t)
	t.Cleanup(func() {
		if a.carries(a.log.String()) || undecided.carries(undecided.log.String()) {
			t.Error("authd's log holds a key")
		}
	})
	for _, p := range append(realProxies(), standIns()...) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			asked := a.addr
			if p.grpc {
				asked = a.grpc
			}
			c := &chain{proxy: p, authd: a, undecided: undecided, gate: newGate(t, asked), upstream: startUpstream(t)}
			c.addr = p.start(t, c.gate.addr, c.upstream.addr)
			for _, check := range checks {
				t.Run(check.name, func(t *testing.T) { check.run(t, c) })
			}
		})
	}
}

// denied stands for any denial, where more than one will do.
const denied = 0

// want asks, and wants the status. An allowed request has reached the service exactly once, any other never.
func (c *chain) want(t *testing.T, status int, a ask) (*answer, *seen) {
	t.Helper()
	got, err := a.to(c.addr)
	if err != nil {
		t.Fatalf("%s %s %q: %v", a.method, a.target, withoutKeys(a.lines), err)
	}
	return got, c.judge(t, status, got)
}

func (c *chain) judge(t *testing.T, status int, got *answer) *seen {
	t.Helper()
	all := c.upstream.of(got.id)
	if status == denied && got.status >= 400 && got.status < 500 {
		status = got.status
	}
	reached := 0
	if status < 400 {
		reached = 1
	}
	if got.status != status || len(all) != reached {
		t.Fatalf("status %d, want %d; it reached the service %d times\n%v\n%s", got.status, status, len(all), got.header, got.body)
	}
	for i := range all {
		c.inspect(t, &all[i])
	}
	if reached == 0 {
		return nil
	}
	return &all[0]
}

// identity are the headers that only authd writes.
var identity = []string{"X-Auth-User", "X-Auth-Key", "X-Auth-Key-Id", "X-Auth-Groups", "X-Auth-Scopes"}

// inspect is what holds for every request that reaches the service: no key in it, and no identity but authd's.
func (c *chain) inspect(t *testing.T, s *seen) {
	t.Helper()
	for name, values := range s.header {
		if c.authd.carries(strings.Join(values, "\n")) {
			t.Errorf("the service sees a key in %s", name)
		}
		plain := http.CanonicalHeaderKey(strings.NewReplacer("_", "-", ".", "-").Replace(name))
		if !slices.Contains(identity, plain) {
			if name == "Api-Key" || name == "X-Api-Key" {
				t.Errorf("the service sees %s: %q", name, values)
			}
			continue
		}
		if name != plain || len(values) != 1 || strings.Contains(values[0], "spoofed") {
			t.Errorf("%s reaches the service: %q", name, values)
		}
	}
}

// as wants the identity of a request that reached the service. Empty and absent are the same to it.
func (s *seen) as(t *testing.T, user string) {
	t.Helper()
	if got := strings.Join(s.header["X-Auth-User"], "|"); got != user {
		t.Errorf("it reaches the service as %q, want %q: %v", got, user, s.header)
	}
	if groups := s.header.Get("X-Auth-Groups"); (groups == "") != (user == "") {
		t.Errorf("groups %q of user %q", groups, user)
	}
}

// withoutKeys is for messages.
func withoutKeys(lines []string) (names []string) {
	for _, l := range lines {
		name, _, _ := strings.Cut(l, ":")
		names = append(names, name)
	}
	return names
}
