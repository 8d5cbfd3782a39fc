package observe

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"golang.org/x/time/rate"

	"authd/internal/auth"
)

// deniedFor is an exchange that ended so.
func deniedFor(r auth.Reason) Exchange {
	return Exchange{Decision: auth.Decision{Reason: r}}
}

func logTo(b *bytes.Buffer) *Log { return NewLog(slog.New(slog.NewJSONHandler(b, nil))) }

// lines are those that hold all the parts.
func lines(b *bytes.Buffer, parts ...string) (found []string) {
next:
	for line := range strings.Lines(b.String()) {
		for _, p := range parts {
			if !strings.Contains(line, p) {
				continue next
			}
		}
		found = append(found, line)
	}
	return found
}

func TestLinesAreRationedForEachReason(t *testing.T) {
	buf := &bytes.Buffer{}
	l := logTo(buf)
	l.denial.limiters[auth.MissingCredential] = rate.NewLimiter(0, 3)
	for range 10 {
		l.Denied(context.Background(), deniedFor(auth.MissingCredential))
	}
	if got := lines(buf, "missing_credential"); len(got) != 3 || strings.Contains(buf.String(), "suppressed") {
		t.Errorf("three lines are granted, and there are\n%s", buf)
	}
	l.Denied(context.Background(), deniedFor(auth.UnknownKey))
	if got := lines(buf, "unknown_key"); len(got) != 1 || strings.Contains(got[0], "suppressed") {
		t.Errorf("one reason has silenced another:\n%s", buf)
	}
	l.denial.limiters[auth.MissingCredential].SetLimit(rate.Inf)
	l.Denied(context.Background(), deniedFor(auth.MissingCredential))
	l.Denied(context.Background(), deniedFor(auth.MissingCredential))
	got := lines(buf, "missing_credential")
	if len(got) != 5 || !strings.Contains(got[3], `"suppressed":7`) || strings.Contains(got[4], "suppressed") {
		t.Errorf("the next line does not tell of the 7 that are missing:\n%s", buf)
	}
}

func TestAReasonThatNobodyHasHeardOfIsLogged(t *testing.T) {
	buf := &bytes.Buffer{}
	logTo(buf).Denied(context.Background(), deniedFor(200))
	if len(lines(buf, `"reason":"reason_200"`, `"status":503`)) != 1 {
		t.Errorf("the log is %s", buf)
	}
}

// What a shadow objects to is rationed like denials, and takes nothing off theirs.
func TestLinesOfShadowsAreRationed(t *testing.T) {
	buf := &bytes.Buffer{}
	l := logTo(buf)
	l.shadow.limiters[auth.ForbiddenGroup] = rate.NewLimiter(0, 3)
	x := Exchange{Proxy: "traefik", Policy: "new", Decision: auth.Decision{Reason: auth.Allowed, Would: auth.ForbiddenGroup, Key: &auth.Key{ID: "id"}}}
	for range 10 {
		if !l.Tells(context.Background(), &x.Decision) {
			t.Error("it is not told")
		}
		l.Allowed(context.Background(), x)
	}
	l.Denied(context.Background(), deniedFor(auth.ForbiddenGroup))
	told := lines(buf, "would be denied", `"would":"forbidden_group"`, `"hint":"authd explain --key-name id --proxy traefik --policy new"`)
	if denied := len(lines(buf, `"denied"`)); len(told) != 3 || denied != 1 {
		t.Errorf("%d lines of shadows, %d of denials, want 3 and 1:\n%s", len(told), denied, buf)
	}
}

func TestBounded(t *testing.T) {
	for s, want := range map[string]int{"": 0, strings.Repeat("x", maxLogged): maxLogged, strings.Repeat("x", maxLogged+1): maxLogged + len("…"), strings.Repeat("é", 1000): maxLogged + len("…")} {
		if got := bounded(s); len(got) != want {
			t.Errorf("%d bytes become %d, want %d", len(s), len(got), want)
		}
	}
	if got := fmt.Sprint(Quoted("a\xff")); got != `"a?"` {
		t.Errorf("a byte that is no UTF-8 is quoted as %s", got)
	}
}
