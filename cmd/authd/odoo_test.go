package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"authd/internal/auth"
	"authd/internal/pgtest"
)

// odooDatabase is a database as a version of Odoo would have it.
func odooDatabase(t *testing.T, version string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "internal", "odoo", "testdata", version+".sql"))
	if err != nil {
		t.Fatal(err)
	}
	url := pgtest.Database(t)
	alter(t, url, string(text))
	return url
}

// alter runs statements in Odoo's database, as Odoo would.
func alter(t *testing.T, url, statements string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.PgConn().Exec(t.Context(), statements).ReadAll(); err != nil {
		t.Fatal(err)
	}
}

// unused is a list of keys without what was written of their use meanwhile.
func unused(list string) string {
	return strings.ReplaceAll(regexp.MustCompile(`\s*"(first_used|last_used|last_denied|client)": "[^"]*"`).ReplaceAllString(list, ""), ",", "")
}

// Keys that are imported pass on every replica at once; what changes in Odoo is brought by the next import, for the next request.
func TestImportFromOdoo(t *testing.T) {
	for backend, open := range map[string]func(t *testing.T) *place{
		"sqlite":   newPlace,
		"postgres": func(t *testing.T) *place { return newPlace(t).on(pgtest.Database(t)) },
	} {
		t.Run(backend, func(t *testing.T) {
			url := odooDatabase(t, "12.0")
			p := open(t)
			s := &seed{p, t, []*daemon{p.serve(), p.serve()}}
			imports := func(code int, flags ...string) string {
				t.Helper()
				out, got := p.authd(append([]string{"keys", "import", "odoo", "--database", url}, flags...)...)
				if got != code {
					t.Errorf("exit code %d, want %d\n%s", got, code, p.all)
				}
				return out
			}
			const partner, other, archived, next = "twelve-Zq8vR2kLm5xW", "twelve-Hd7nB4sYp9tC", "twelve-Jk3fG6wQz1eV", "twelve-Bv5yL1qXs7hD"
			s.all(401, partner)
			imports(exitFailed, "--dry-run")
			s.all(401, partner)
			out := imports(exitFailed)
			for _, want := range []string{
				`its value is that of "Partner sync" (record 1) as well, which counts`, `its slug cle_ete is that of "Clé été" (record 2) as well`,
				"there the key of an archived user passes", `"dummy" stands in the place of its value`, "its value is short",
			} {
				if !strings.Contains(out, want) {
					t.Errorf("%q is not told:\n%s", want, out)
				}
			}
			for _, d := range s.replicas {
				if a := d.want(200, "/verify", partner); a.header.Get("X-Auth-User") != "erp@example.com" || a.header.Get("X-Auth-Key") != "Partner%20sync" {
					t.Errorf("%v", a.header)
				}
			}
			s.all(200, other)
			s.all(200, "password123")
			for _, value := range []string{archived, "1234", "dummy", "clé-très-secrète-été", "a key with blanks in it", "twelve-Mx2cT8uAo6rN"} {
				s.all(401, value)
			}

			before := unused(p.must("keys", "list", "-o", "json"))
			imports(exitFailed)
			if after := unused(p.must("keys", "list", "-o", "json")); after != before {
				t.Errorf("a second import changed something:\n%s\n%s", before, after)
			}

			alter(t, url, "UPDATE auth_api_key SET key = '"+next+"' WHERE id = 1; UPDATE auth_api_key SET user_id = 2 WHERE id = 2")
			imports(exitFailed)
			s.all(200, next)
			s.all(401, partner)
			for _, d := range s.replicas {
				if a := d.want(200, "/verify", other); a.header.Get("X-Auth-User") != "erp@example.com" {
					t.Errorf("the old user: %v", a.header)
				}
			}
			for _, file := range []string{"authd.db", "authd.db-wal"} {
				text, _ := os.ReadFile(filepath.Join(p.dir, file)) // there is none with Postgres
				for _, part := range []string{"Zq8vR2kLm5xW", "Bv5yL1qXs7hD", "password123"} {
					if strings.Contains(string(text), part) || strings.Contains(p.all.String(), part) {
						t.Errorf("a value stands in %s, or in what was written", file)
					}
				}
			}
		})
	}
}

// Each version's database, in one command; with groups, archived records and values of server_environment.
func TestImportFromEachVersion(t *testing.T) {
	for version, want := range map[string]struct {
		code  int
		keys  string
		tells []string
	}{
		"14.0": {exitDone, "Archived\nOf one who left the lax\nOf one who left the strict\nPartner sync", []string{"it is archived there, and disabled here"}},
		"16.0": {exitDone, "Partner sync\nПартнёр", []string{`its tech name there is "partnior" and its slug here k_`, "is dead in Odoo too"}},
		"17.0": {exitDone, "As in 16.0\nPartner sync", []string{"encrypted_data auth.api.key,3", "a Fernet token"}},
		"18.0": {exitDone, "Partner sync", []string{"its user is not there", "it has no value"}},
	} {
		t.Run(version, func(t *testing.T) {
			p := newPlace(t)
			out, code := p.authd("keys", "import", "odoo", "--database", odooDatabase(t, version))
			if code != want.code {
				t.Errorf("exit code %d\n%s", code, p.all)
			}
			for _, text := range want.tells {
				if !strings.Contains(out, text) {
					t.Errorf("%q is not told:\n%s", text, out)
				}
			}
			if got := p.must("keys", "list", "-q"); got != want.keys {
				t.Errorf("%s\nwant\n%s", got, want.keys)
			}
		})
	}
}

// A section gives its record the value, whose user and groups are the database's.
func TestImportWithSections(t *testing.T) {
	url := odooDatabase(t, "14.0")
	p := newPlace(t)
	p.write("odoo.conf", "[options]\n[api_key_Never written]\nkey = section-Zq8vR2kLm5xW\n[api_key_Partner sync]\nkey =\n[api_key_Nobody]\nkey = nobody-Zq8vR2kLm5xW\n")
	out, code := p.authd("keys", "import", "odoo", "--database", url, "--config", "odoo.conf", "--dry-run")
	for _, want := range []string{
		"its value is that of [api_key_Never written] (odoo.conf:2)", "no record has this name or tech name", "it has no value; its value is that of [api_key_Partner sync]",
	} {
		if code != exitDone || !strings.Contains(out, want) {
			t.Errorf("%d; %q is not told:\n%s", code, want, out)
		}
	}
	p.must("keys", "import", "odoo", "--database", url, "--config", "odoo.conf", "-q")
	p.serve().want(200, "/verify", "section-Zq8vR2kLm5xW")
}

// Odoo's own files override as authd's do, and are followed as they are.
func TestOdooFilesReload(t *testing.T) {
	p := newPlace(t)
	for _, dir := range []string{"etc", "etc/conf.d", "etc/conf.d/prod"} {
		if err := os.Mkdir(filepath.Join(p.dir, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	inFolder, inFile, inOwn := auth.NewSecret("ak").Reveal(), auth.NewSecret("ak").Reveal(), auth.NewSecret("ak").Reveal()
	p.write("etc/authd.yaml", "overrides: {odoo: [odoo.conf, conf.d]}\n")
	p.write("etc/conf.d/prod/keys.conf", "[api_key_My Key]\nkey = "+inFolder+"\n")
	p.write("etc/odoo.conf", "[options]\nrunning_env = prod\nadmin_passwd = $x%\n")
	stored := p.must("keys", "create", "My Key", "--user", "u", "-q")
	d := p.serve("-c", "etc/authd.yaml")
	d.want(200, "/verify", inFolder)
	d.want(401, "/verify", stored)

	p.write("etc/odoo.conf", "[options]\nrunning_env = prod\n[api_key_My Key]\nkey = "+inFile+"\n")
	p.await("the value of Odoo's file", func() bool { return d.ask("/verify", inFile).status == 200 })
	d.want(401, "/verify", inFolder)
	p.write("etc/authd.yaml", "overrides: {odoo: [odoo.conf, conf.d]}\napi_key_My Key: {key: "+inOwn+"}\n")
	p.await("the value of authd's own file", func() bool { return d.ask("/verify", inOwn).status == 200 })
	d.want(401, "/verify", inFile)

	// A file that Odoo would refuse changes nothing, and is told.
	p.write("etc/odoo.conf", "[options]\nrunning_env = prod\n[options]\n")
	p.await("the fault", func() bool {
		return strings.Contains(d.log.String(), "etc/odoo.conf:3: [options] is there twice, first on line 1")
	})
	d.want(200, "/verify", inOwn)

	p.write("etc/odoo.conf", "[options]\nrunning_env = prod\n")
	p.write("etc/authd.yaml", "")
	p.write("etc/conf.d/prod/keys.conf", "")
	p.await("the database's value", func() bool { return d.ask("/verify", stored).status == 200 })
	d.want(401, "/verify", inOwn)
	p.nowhere(stored, inFolder, inFile, inOwn)
}
