package postgres

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"authd/internal/pgtest"
)

// The TLS settings of the URL are what is done, and a server that is not the
// one that they ask for is told so.
func TestTLS(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	database := pgtest.Database(t)
	_, name, _ := strings.Cut(strings.TrimPrefix(database, "postgres://"), "/")
	name, _, _ = strings.Cut(name, "?")
	server.Exec(t, fmt.Sprintf(`CREATE ROLE %s LOGIN PASSWORD '%s'`, pgtest.Strict, rawPassword))
	server.Exec(t, fmt.Sprintf(`ALTER DATABASE %s OWNER TO %s`, name, pgtest.Strict))
	at := func(host, secret, mode, ca string) string {
		q := url.Values{"sslmode": {mode}}
		if ca != "" {
			q.Set("sslrootcert", ca)
		}
		address := strings.Replace(server.Address(), "127.0.0.1", host, 1)
		return (&url.URL{Scheme: "postgres", User: url.UserPassword(pgtest.Strict, secret), Host: address, Path: "/" + name, RawQuery: q.Encode()}).String()
	}
	for what, c := range map[string]struct {
		url   string
		tells string // none: it opens
	}{
		"required":                   {at("127.0.0.1", rawPassword, "require", ""), ""},
		"verified":                   {at("127.0.0.1", rawPassword, "verify-full", pgtest.CA(t)), ""},
		"verified by another":        {at("127.0.0.1", rawPassword, "verify-full", pgtest.OtherCA(t)), "unknown authority"},
		"verified by the system":     {at("127.0.0.1", rawPassword, "verify-full", ""), "unknown authority"},
		"of another name":            {at("localhost", rawPassword, "verify-full", pgtest.CA(t)), "not valid for"},
		"of another name, authority": {at("localhost", rawPassword, "verify-ca", pgtest.CA(t)), ""},
		"without":                    {at("127.0.0.1", rawPassword, "disable", ""), "pg_hba.conf"},
		"a wrong password":           {at("127.0.0.1", rawPassword+"!", "verify-full", pgtest.CA(t)), "user and password in store.url"},
	} {
		s, err := Open(t.Context(), c.url, Options{Listen: true})
		if c.tells != "" {
			if s != nil {
				t.Errorf("%s: it was opened", what)
				_ = s.Close()
				continue
			}
			unavailable(t, what, err, c.tells, "postgres://"+pgtest.Strict+"@")
			secretive(t, what, err.Error())
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if err := s.Migrate(t.Context()); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		// The pool's connections, those of migrations and the listener alike.
		plain := 0
		if _, err := s.reader().row(t.Context(), `SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
			WHERE usename = current_user AND NOT ssl`, nil, &plain); err != nil || plain > 0 {
			t.Errorf("%s: %d connections are plain, %v", what, plain, err)
		}
		_ = s.Close()
	}
}
