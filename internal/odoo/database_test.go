package odoo

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"authd/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Around(m).Run()) }

// fixture is a database as a version of Odoo would have it.
func fixture(t *testing.T, version string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", version+".sql"))
	if err != nil {
		t.Fatal(err)
	}
	url := pgtest.Database(t)
	run(t, url, string(text))
	return url
}

func run(t *testing.T, url, text string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.PgConn().Exec(t.Context(), text).ReadAll(); err != nil {
		t.Fatal(err)
	}
}

// describe writes what was read of a record in a line.
func describe(r *Record) string {
	value := r.Secret.Reveal()
	if r.Why != "" {
		value = "(" + r.Why + ")"
	}
	line := fmt.Sprintf("%d %s: %s %s", r.ID, r.Name, r.Login, value)
	if r.TechName != "" {
		line += " tech=" + r.TechName
	}
	if !r.Active {
		line += " archived"
	}
	if !r.UserActive {
		line += " user-archived"
	}
	if r.UserCounts {
		line += " counts"
	}
	if len(r.Groups) > 0 {
		line += " in " + strings.Join(r.Groups, ",")
	}
	return line
}

func TestReadDatabase(t *testing.T) {
	stale := "(with server_environment its value would be in server_env_defaults, and is not: what is left in the column key is dead in Odoo too)"
	encrypted := func(as string) string {
		return "(its value is encrypted in Odoo (" + as + "): read it there, and give it by authd keys rotate --secret-stdin)"
	}
	for version, want := range map[string][]string{
		"12.0": {
			"1 Partner sync: erp@example.com twelve-Zq8vR2kLm5xW",
			"2 Clé été: admin twelve-Hd7nB4sYp9tC",
			"3 Of one who left: gone@example.com twelve-Jk3fG6wQz1eV user-archived",
			"4 The same value: admin twelve-Zq8vR2kLm5xW",
			"5 Weak: admin password123",
			"6 Tiny: admin 1234",
			"7 Non-ASCII: admin clé-très-secrète-été",
			"8 Blank: admin a key with blanks in it",
			`9 Dummy: admin ("dummy" stands in the place of its value)`,
			"10 clé  été: admin twelve-Mx2cT8uAo6rN",
		},
		"14.0": {
			"1 Partner sync: admin fourteen-Zq8vR2kLm5 counts in gold,partner",
			"2 Archived: admin fourteen-Hd7nB4sYp9 archived counts in No code",
			"3 Of one who left the strict: strict@example.com fourteen-Jk3fG6wQz1 user-archived counts",
			"4 Of one who left the lax: lax@example.com fourteen-Mx2cT8uAo6 user-archived",
			"5 Never written: admin (it has no value) counts",
			"6 False: admin (it has no value) counts",
			"7 Empty: admin (it has no value) counts",
			`8 From the environment: admin ("<set from server environment>" stands in the place of its value) counts`,
			"9 Damaged: admin (its server_env_defaults is no JSON object) counts",
		},
		"16.0": {
			"1 Partner sync: admin sixteen-Zq8vR2kLm5xW tech=partner_sync in partner",
			"2 Stale: admin " + stale + " tech=stale",
			"3 Stale beside others: admin " + stale + " tech=stale_beside_others",
			"4 Партнёр: admin sixteen-Mx2cT8uAo6rN tech=partnior",
			`5 Neutralized: admin ("neutralized" stands in the place of its value) tech=neutralized`,
		},
		"17.0": {
			"1 Partner sync: admin seventeen-Zq8vR2kLm5 tech=partner_sync",
			"2 As in 16.0: admin seventeen-Hd7nB4sYp9 tech=as_in_16_0",
			"3 Encrypted: admin " + encrypted("encrypted_data auth.api.key,3") + " tech=encrypted",
			"4 A token: admin " + encrypted("a Fernet token") + " tech=a_token",
		},
		"18.0": {
			"1 Partner sync: admin eighteen-Zq8vR2kLm5x tech=partner_sync in partner",
			"2 Nobody's:  eighteen-Hd7nB4sYp9t tech=nobody_s user-archived",
			"3 Null: admin (it has no value) tech=null",
			"4 Empty: admin (it has no value) tech=empty",
		},
	} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			var got []string
			err := ReadDatabase(t.Context(), fixture(t, version), func(r *Record) error {
				got = append(got, describe(r))
				return nil
			})
			if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); err != nil || g != w {
				t.Errorf("%v\n%s\nwant\n%s", err, g, w)
			}
		})
	}
}

// TestFaultsOfDatabases name the database, and no password.
func TestFaultsOfDatabases(t *testing.T) {
	empty := pgtest.Database(t)
	const password = "hunter2-and-more"
	at, err := url.Parse(empty)
	if err != nil {
		t.Fatal(err)
	}
	at.User, at.Path = url.UserPassword("nobody", password), "/nowhere"
	for what, c := range map[string]struct{ url, want string }{
		"no table":    {empty, "name the database of an Odoo that has the module auth_api_key"},
		"no database": {at.String(), "database nowhere on 127.0.0.1: "},
		"no URL":      {"postgres://nobody:" + password + "@[::1", "postgres://USER:PASSWORD@HOST:PORT/DATABASE"},
		"no server":   {"postgres://nobody:" + password + "@127.0.0.1:1/odoo", "database odoo on 127.0.0.1: "},
	} {
		err := ReadDatabase(t.Context(), c.url, func(*Record) error { return nil })
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), password) {
			t.Errorf("%s: %v", what, err)
		}
	}
	run(t, empty, "CREATE TABLE auth_api_key (id int, name text, user_id int); CREATE TABLE res_users (id int, login text, active bool)")
	if err := ReadDatabase(t.Context(), empty, nil); err == nil || !strings.Contains(err.Error(), "neither a column key nor server_env_defaults") {
		t.Error(err)
	}
}

// TestOdooIsOnlyRead: a user who may do nothing else is enough. What each returns ends it.
func TestOdooIsOnlyRead(t *testing.T) {
	at := fixture(t, "18.0")
	n := 0
	stop := fmt.Errorf("enough")
	err := ReadDatabase(t.Context(), at, func(*Record) error { n++; return stop })
	if n != 1 || err == nil || !strings.HasSuffix(err.Error(), "enough") {
		t.Errorf("%d records, %v", n, err)
	}
	run(t, at, "CREATE ROLE odoo_reader LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO odoo_reader")
	defer run(t, at, "DROP OWNED BY odoo_reader; DROP ROLE odoo_reader")
	reader, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	reader.User = url.User("odoo_reader")
	if err := ReadDatabase(t.Context(), reader.String(), func(*Record) error { return nil }); err != nil {
		t.Error(err)
	}
}
