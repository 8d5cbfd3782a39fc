package main

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"
)

// auditRow is a row as people's programs read it.
type auditRow struct {
	Actor, Action, Key string
	Changes            []struct{ Field string }
}

// -f prints what was changed before and what is changed from then on, a line
// each, until it is interrupted, which is no failure.
func TestAuditFollows(t *testing.T) {
	p := newPlace(t)
	p.must("keys", "create", "First", "--user", "u", "-q")
	f := p.start("audit", "-f", "-o", "json", "--action", "keys")
	told := func(key string) func() bool {
		return func() bool {
			f.stillRuns()
			for line := range strings.Lines(f.log.String()) {
				var row auditRow
				if json.Unmarshal([]byte(line), &row) == nil && row.Action == "keys.create" && row.Key == key {
					return true
				}
			}
			return false
		}
	}
	p.await("the row from before", told("First"))
	p.must("keys", "create", "Second", "--user", "v", "-q")
	p.await("the row of a change", told("Second"))
	f.signal(syscall.SIGINT)
	if code := f.wait(); code != 0 || strings.Count(f.log.String(), "\n") != 2 {
		t.Errorf("it ended with exit code %d\n%s", code, f.log)
	}
}

// A running server records the reloads of override sections that change something, and no value.
func TestReloadsAreAudited(t *testing.T) {
	p := newPlace(t)
	const first, second = "value-of-this-place-1", "another-value-here-22"
	section := func(rest string) { p.write("authd.ini", "[api_key_Partner sync]\n"+rest) }
	section("key = " + first + "\ngroups = a\n")
	p.must("keys", "create", "Partner sync", "--user", "u", "-q")
	d := p.serve("-c", "authd.ini")
	var rows []auditRow
	read := func() []auditRow {
		rows = nil
		if err := json.Unmarshal([]byte(p.must("audit", "--key", "Partner sync", "--action", "overrides.reload", "-o", "json")), &rows); err != nil {
			t.Fatal(err)
		}
		return rows
	}
	d.want(200, "/verify", first)
	if n := len(read()); n != 0 {
		t.Errorf("the start is recorded as %d reloads", n)
	}
	section("key = " + second + "\nactive = no\n")
	p.await("the row of the reload", func() bool { return len(read()) == 1 })
	var fields []string
	for _, c := range rows[0].Changes {
		fields = append(fields, c.Field)
	}
	if got := strings.Join(fields, ", "); got != "api_key_Partner sync.key, api_key_Partner sync.active, api_key_Partner sync.groups" {
		t.Errorf("it tells of %s", got)
	}
	if !strings.HasPrefix(rows[0].Actor, "serve@") {
		t.Errorf("it is by %s", rows[0].Actor)
	}
	if out := p.must("audit"); strings.Contains(out, first[:8]) || strings.Contains(out, second[:8]) {
		t.Errorf("a value is told:\n%s", out)
	}
	p.must("audit", "verify")
}
