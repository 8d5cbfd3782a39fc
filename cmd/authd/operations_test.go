package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"authd/internal/pgtest"
	"authd/internal/redistest"
)

// page is docs/operations.md: its commands by heading, in their order.
func page(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := map[string][]string{}
	for part := range strings.SplitSeq(string(text), "\n## ") {
		heading, rest, _ := strings.Cut(part, "\n")
		for {
			var found bool
			if _, rest, found = strings.Cut(rest, "```sh\n"); !found {
				break
			}
			var block string
			block, rest, _ = strings.Cut(rest, "```\n")
			commands[heading] = append(commands[heading], block)
		}
	}
	return commands
}

// sh runs a block of the page in the place's folder, each of its commands to its end, with variables of its own.
func (p *place) sh(script string, variables ...string) {
	p.t.Helper()
	for _, tool := range []string{"openssl", "redis-cli", "sqlite3"} {
		if _, err := exec.LookPath(tool); err != nil {
			p.t.Fatalf("%s is missing: apt-get install openssl redis-tools sqlite3", tool)
		}
	}
	ctx, cancel := context.WithTimeout(p.t.Context(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/bin/sh", "-euc", script)
	path := "PATH=" + filepath.Dir(postgresTool(p.t, "pg_dump")) + ":" + os.Getenv("PATH") // authd is in it: see TestMain
	cmd.Dir, cmd.Env = p.dir, slices.Concat(p.env, variables, []string{path})
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	_, _ = p.all.Write(out.Bytes())
	if err != nil {
		p.t.Fatalf("%v\n%s\n%s", err, script, out.String())
	}
}

// postgresTool is a program of Postgres's own: the newest that is there.
func postgresTool(t *testing.T, name string) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil || len(found) == 0 {
		t.Fatalf("%s is missing: apt-get install postgresql", name)
	}
	return found[len(found)-1]
}

func (p *place) read(name string) string {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.TrimSuffix(string(text), "\n")
}

func (d *daemon) end() {
	d.p.t.Helper()
	d.signal(syscall.SIGTERM)
	if code := d.wait(); code != 0 {
		d.p.t.Fatalf("exit code %d\n%s", code, d.log)
	}
}

// No command of the page is one that no test below runs.
func TestOperationsAll(t *testing.T) {
	commands := page(t)
	for heading, want := range map[string]int{"Backup": 2, "Restore": 2, "Restore production into staging": 1, "The pepper": 3} {
		if got := len(commands[heading]); got != want {
			t.Errorf("%q has %d blocks of commands, and tests run %d", heading, got, want)
		}
		delete(commands, heading)
	}
	if len(commands) > 0 {
		t.Errorf("commands that no test runs: %q", commands)
	}
}

const pepper = "0123456789abcdef0123456789abcdef"

// Production's database is restored into staging, by the commands of the page. Production's keys don't pass there
// where a section says so, staging's do, and what has no section is told of before anybody finds out.
func TestOperationsStaging(t *testing.T) {
	t.Parallel()
	commands := page(t)
	production, staging := newPlace(t), newPlace(t)
	from, into, redis := pgtest.Database(t), pgtest.Database(t), redistest.Start(t)
	production.env = append(production.env, "AUTHD_STORE_URL="+from, "AUTHD_CREDENTIALS_PEPPER_FILE=peppers")
	staging.env = append(staging.env, "AUTHD_STORE_URL="+into, "AUTHD_REDIS_URL="+redis.URL, "AUTHD_CREDENTIALS_PEPPER_FILE=peppers")
	production.write("peppers", pepper+"\n")
	create := func(name string) string {
		return production.must("keys", "create", name, "--user", "partner@example.com", "--group", "partner", "-q")
	}
	partner, retired, revoked, renamed, other := create("Partner sync"), create("Retired"), create("Revoked"), create("Renamed"), create("Other")
	production.must("keys", "revoke", "Revoked")

	production.sh(commands["Backup"][0], "STORE_URL="+from)
	if err := os.Rename(filepath.Join(production.dir, "authd.dump"), filepath.Join(staging.dir, "authd.dump")); err != nil {
		t.Fatal(err)
	}
	redis.Client(t).Set(t.Context(), "of the database before", "x", 0)
	staging.write("peppers", pepper+"\n")
	staging.sh(commands["Restore"][0], "STORE_URL="+into, "REDIS_URL="+redis.URL)
	if n := redis.Client(t).DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("Redis holds %d entries", n)
	}
	staging.sh(commands["Restore production into staging"][0])
	told := func() bool { return strings.Contains(staging.all.String(), "no key has this name or slug") }
	if told() {
		t.Errorf("sections that have a record are called lost: %s", staging.all)
	}
	value := staging.read("partner_sync")

	d := staging.serve("-c", "staging.yaml")
	for _, dead := range []string{partner, retired, revoked} {
		d.want(401, "/verify", dead)
	}
	if a := d.want(200, "/verify", value); a.header.Get("X-Auth-User") != "staging@example.com" || a.header.Get("X-Auth-Key") != "Partner%20sync" {
		t.Errorf("staging's value passes as %v", a.header)
	}
	d.want(200, "/verify", other) // no section: production's value goes on, as the page warns
	d.end()

	// A section whose record was renamed in production is told of.
	staging.write("staging.yaml", staging.read("staging.yaml")+"\napi_key_Before: {key: \"\"}\n")
	staging.must("config", "check", "-c", "staging.yaml")
	if !told() {
		t.Errorf("nobody tells of the section without a record: %s", staging.all)
	}

	// Under other peppers, no key of production passes at all, and sections go on.
	staging.write("peppers", "fedcba9876543210fedcba9876543210\n")
	d = staging.serve("-c", "staging.yaml")
	for _, dead := range []string{partner, retired, revoked, renamed, other} {
		d.want(401, "/verify", dead)
	}
	d.want(200, "/verify", value)

	source := production.serve()
	source.want(200, "/verify", partner)
	source.want(401, "/verify", value)
	staging.nowhere(partner, retired, revoked, renamed, other)
}

// A backup of SQLite is made while authd runs. What is revoked after it passes again once it is restored, as the page warns.
func TestOperationsSQLite(t *testing.T) {
	t.Parallel()
	commands, p := page(t), newPlace(t)
	d := p.serve()
	kept := p.must("keys", "create", "Kept", "--user", "kept@example.com", "-q")
	p.sh(commands["Backup"][1])
	p.must("keys", "revoke", "Kept")
	lost := p.must("keys", "create", "Lost", "--user", "lost@example.com", "-q")
	d.want(401, "/verify", kept)
	d.want(200, "/verify", lost)
	d.end()
	p.sh(commands["Restore"][1])
	d = p.serve()
	d.want(200, "/verify", kept)
	d.want(401, "/verify", lost)
}

// The pepper is changed, by the commands of the page: no key is lost on the way but those that were not rotated.
func TestOperationsPepper(t *testing.T) {
	t.Parallel()
	commands, p := page(t)["The pepper"], newPlace(t)
	p.env = append(p.env, "AUTHD_CREDENTIALS_PEPPER_FILE=peppers")
	p.write("peppers", pepper+"\n")
	old := p.must("keys", "create", "Partner sync", "--user", "partner@example.com", "-q")
	late := p.must("keys", "create", "Late", "--user", "late@example.com", "-q")

	p.sh(commands[0])
	if lines := strings.Split(p.read("peppers"), "\n"); len(lines) != 2 || lines[0] == pepper || lines[1] != pepper {
		t.Fatalf("the file of peppers has %d lines, in another order", len(lines))
	}
	d := p.serve()
	d.want(200, "/verify", old)
	d.want(200, "/verify", late)
	p.sh(commands[1])
	renewed := p.read("partner_sync.new")
	d.want(200, "/verify", old) // for the overlap
	d.want(200, "/verify", renewed)
	if list := p.read("secrets.json"); strings.Count(list, `"pepper`) < 3 {
		t.Errorf("the list does not name the peppers: %s", list)
	}
	d.end()

	p.sh(commands[2])
	d = p.serve()
	d.want(200, "/verify", renewed)
	d.want(401, "/verify", old)
	d.want(401, "/verify", late)
	const warning = "secrets were made under a pepper that is not tried"
	if !strings.Contains(d.log.String(), warning) || !strings.Contains(d.log.String(), `"secrets":2`) {
		t.Errorf("nobody warns of the two: %s", d.log)
	}
}
