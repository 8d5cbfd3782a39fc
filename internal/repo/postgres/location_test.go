package postgres

import (
	"strings"
	"testing"

	"authd/internal/pgtest"
)

// password is in no text that anybody is shown. As written in a URL, and as it is meant.
const password, rawPassword = "s3cr%40t/x", "s3cr@t/x"

func secretive(t *testing.T, what, text string) {
	t.Helper()
	for _, part := range []string{password, rawPassword, "s3cr", "t/x"} {
		if strings.Contains(text, part) {
			t.Errorf("%s tells the password: %s", what, text)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for url, tells := range map[string]string{
		"postgres://authd@db.example.com/authd":                                               "",
		"postgresql://authd:s3cr%40t%2Fx@a:5432,b:5433/authd?sslmode=require":                 "",
		"postgres://authd@a,b/authd?target_session_attrs=read-write&pool_max_conns=7":         "",
		"postgres://authd@a/authd?target_session_attrs=primary":                               "",
		"mysql://authd:s3cr%40t/x@db/authd":                                                   "HOST:PORT/DATABASE is wanted",
		"host=db password=s3cr%40t/x":                                                         "HOST:PORT/DATABASE is wanted",
		"postgres://authd:s3cr@t/x@db/authd":                                                  "write @ as %40",
		"postgres://authd:s3cr%4@db/authd":                                                    "write @ as %40",
		"postgres://authd:s3cr%40t/x@db:port/authd":                                           "port",
		"postgres://authd:s3cr%40t@db:port/authd":                                             "port",
		"postgres://authd:s3cr%40t@db/authd?sslmode=sometimes":                                "sslmode",
		"postgres://authd:s3cr%40t@db/authd?sslmode=verify-full&sslrootcert=/nonexistent.crt": "nonexistent.crt",
		"postgres://authd:s3cr%40t@db/authd?pool_max_conns=many":                              "pool_max_conns",
		"postgres://authd:s3cr%40t@db/authd?connect_timeout=soon":                             "connect_timeout",
		"postgres://db/authd?target_session_attrs=standby&password=s3cr%40t":                  "authd works on the primary only",
		"postgres://db/authd?target_session_attrs=any":                                        "authd works on the primary only",
		"postgres://authd:s3cr%40t@db/authd?sslmode=%zz":                                      "can't be read",
	} {
		err := Check(url)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if tells != "" && err == nil || !strings.Contains(text, tells) {
			t.Errorf("%s: %v; %q is to be told", url, err, tells)
		}
		secretive(t, "Check", text)
		secretive(t, "Shown", Shown(url))
	}
}

func TestShown(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"postgres://authd:s3cr%40t%2Fx@db:5433/keys?sslmode=prefer":               "postgres://authd@db:5433/keys",
		"postgresql://authd:s3cr%40t%2Fx@a,b:5433/keys?sslmode=require":           "postgres://authd@a:5432,b:5433/keys",
		"postgres://authd@db/keys?password=s3cr%40t%2Fx&sslpassword=s3cr%40t%2Fx": "postgres://authd@db:5432/keys",
		"postgres://authd@[::1]/keys?sslmode=disable":                             "postgres://authd@[::1]:5432/keys",
		"postgres://authd:s3cr%4@db/authd":                                        "postgres",
	} {
		if got := Shown(url); got != want {
			t.Errorf("%s is shown as %s; want %s", url, got, want)
		}
	}
}

func TestOpenFails(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	database := pgtest.Database(t)
	server.Exec(t, `CREATE DATABASE sql_ascii ENCODING 'SQL_ASCII' LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0`)
	for what, fails := range map[string]struct {
		url   string
		tells []string
	}{
		"no such database":   {server.URL("nowhere"), []string{"/nowhere", "createdb"}},
		"no such user":       {strings.Replace(database, "postgres@", "nobody:s3cr%40t%2Fx@", 1), []string{"nobody@" + server.Address(), "user and password"}},
		"nobody listens":     {"postgres://authd:s3cr%40t%2Fx@127.0.0.1:1/authd", []string{"authd@127.0.0.1:1/authd", "refused"}},
		"an unknown setting": {database + "&no_such_setting=1", []string{"no_such_setting"}},
		"read-only":          {database + "&default_transaction_read_only=on", []string{"read only"}},
		"its encoding":       {server.URL("sql_ascii"), []string{"SQL_ASCII", "UTF8"}},
	} {
		s, err := Open(t.Context(), fails.url, Options{Listen: true})
		if s != nil {
			t.Errorf("%s: a store was opened", what)
			_ = s.Close()
			continue
		}
		unavailable(t, what, err, fails.tells...)
		secretive(t, what, err.Error())
	}
}
