package soak

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"authd/internal/admin"
	"authd/internal/auth"
)

func TestSummary(t *testing.T) {
	j := newJournal()
	s := newScene()
	c := j.begin("revoke", "k", effect{gate: s.key})
	j.answered(c)
	j.confirmed(c, admin.Confirmation{}) // the rows were never read
	j.failed(j.begin("revoke", "k", effect{gate: s.key}), auth.ErrUnavailable)
	j.count(j.faults, "Postgres restarted")
	j.acked = []time.Duration{3 * time.Millisecond, time.Millisecond, 2 * time.Millisecond}
	j.asked(request{of: s.credential, status: 503})
	j.asked(request{of: s.credential})
	want := []string{
		"faults: Postgres restarted 1, in all 1", "changes: revoke 2, in all 2",
		"their outcomes: failed, or unknown 1, not confirmed 1, in all 2",
		"requests: 2, of which 503 1, no answer 1, in all 2",
		"confirmed by acknowledgement in p50 2ms, p99 2ms, at most 3ms", "confirmed by time in no case", "violations: 0",
	}
	if got := j.summary(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// What is wrong is told, whether it is an answer, a change or a replica; and never a key.
func TestViolationsAreTold(t *testing.T) {
	j := newJournal()
	s := newScene()
	s.secret = auth.NewSecret("ak")
	j.leaks.add(s.secret)
	j.asked(request{of: s.credential, start: 4, end: 5, status: 401})
	j.failed(j.begin("revoke", "k", effect{gate: s.key}), errors.New("no such key"))
	j.violate("it says %s", s.secret.Reveal())
	j.violate("it knows %s", s.secret)
	for range 2 * most {
		j.violate("again")
	}
	told := strings.Join(j.violations, "\n")
	for _, part := range []string{"good throughout", "not for an outage: no such key", "holds a raw key", "it knows [redacted]"} {
		if !strings.Contains(told, part) {
			t.Errorf("%q is not told:\n%s", part, told)
		}
	}
	if j.leaks.in(told) || !j.broken() || j.wrong != 4+2*most || len(j.violations) != most {
		t.Errorf("%d violations, %d of them told", j.wrong, len(j.violations))
	}
}
