package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"authd/internal/pgtest"
)

// pgTool is a program of Postgres's own: the newest that is there.
func pgTool(t *testing.T, name string) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil || len(found) == 0 {
		t.Fatalf("%s is missing: apt-get install postgresql", name)
	}
	return found[len(found)-1]
}

// Production's database is restored into staging, by the commands of docs/operations.md. Production's keys don't pass there
// where a section says so, staging's do, and what has no section is told of before anybody finds out.
func TestRestoreIntoStaging(t *testing.T) {
	t.Parallel()
	const pepper = "0123456789abcdef0123456789abcdef\n"
	production, staging := newPlace(t), newPlace(t)
	from, into := pgtest.Database(t), pgtest.Database(t)
	production.env = append(production.env, "AUTHD_STORE_URL="+from, "AUTHD_CREDENTIALS_PEPPER_FILE=peppers")
	staging.env = append(staging.env, "AUTHD_STORE_URL="+into, "AUTHD_CREDENTIALS_PEPPER_FILE=peppers")
	production.write("peppers", pepper)
	create := func(name string) string {
		return production.must("keys", "create", name, "--user", "partner@example.com", "--group", "partner", "-q")
	}
	partner, retired, revoked, other := create("Partner sync"), create("Retired"), create("Revoked"), create("Other")
	production.must("keys", "revoke", "Revoked")

	dump := filepath.Join(t.TempDir(), "authd.dump")
	for _, args := range [][]string{
		{"pg_dump", "--format=custom", "--no-owner", "--exclude-table-data=replicas", "--file=" + dump, from},
		{"pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", "--dbname=" + into, dump},
	} {
		if out, err := exec.CommandContext(t.Context(), pgTool(t, args[0]), args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", args[0], err, out)
		}
	}

	const value = "staging-value-0001"
	staging.write("peppers", pepper)
	staging.write("partner_sync", value+"\n")
	staging.write("authd.yaml", `
api_key_Partner sync: {key_file: partner_sync, user: staging@example.com, groups: [staging]}
api_key_retired: {key: ""}
api_key_Renamed: {key: ""}
`)
	staging.must("config", "check", "-c", "authd.yaml")
	if told := staging.all.String(); !strings.Contains(told, "[api_key_Renamed]: no key has this name or slug") {
		t.Errorf("nobody tells of the section without a record: %s", told)
	}
	d := staging.serve("-c", "authd.yaml")
	for _, dead := range []string{partner, retired, revoked} {
		d.want(401, "/verify", dead)
	}
	if a := d.want(200, "/verify", value); a.header.Get("X-Auth-User") != "staging@example.com" || a.header.Get("X-Auth-Key") != "Partner%20sync" {
		t.Errorf("staging's value passes as %v", a.header)
	}
	d.want(200, "/verify", other) // no section: production's value goes on, as docs/operations.md warns

	source := production.serve()
	source.want(200, "/verify", partner)
	source.want(401, "/verify", value)
	staging.nowhere(partner, retired, revoked, other)
}
