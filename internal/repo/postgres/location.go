package postgres

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// connectTimeout is how long one host is waited for, where the URL does not say, and
	// how long a connection that was idle is asked whether it still is one.
	connectTimeout = 3 * time.Second
	// statementTimeout ends a statement that nobody waits for any more.
	statementTimeout = 30 * time.Second
)

var errURL = errors.New("the URL of the database can't be read: postgres://USER:PASSWORD@HOST:PORT/DATABASE is wanted; " +
	"in the password, write @ as %40, / as %2F, ? as %3F and % as %25")

// Check says what is wrong with a URL, before anything is connected to. It
// tells no password, and so not the URL itself either.
func Check(rawURL string) error {
	_, err := parse(rawURL)
	return err
}

// Shown is the place that a URL names, for people: who, where, and which
// database. It tells nothing else, so no password.
func Shown(rawURL string) string {
	cfg, err := parse(rawURL)
	if err != nil {
		return "postgres"
	}
	return place(&cfg.ConnConfig.Config)
}

// place names every host once: each comes again without TLS where sslmode says prefer.
func place(cfg *pgconn.Config) string {
	hosts := []string{address(cfg.Host, cfg.Port)}
	for _, f := range cfg.Fallbacks {
		if host := address(f.Host, f.Port); host != hosts[len(hosts)-1] {
			hosts = append(hosts, host)
		}
	}
	return fmt.Sprintf("postgres://%s@%s/%s", url.PathEscape(cfg.User), strings.Join(hosts, ","), url.PathEscape(cfg.Database))
}

func address(host string, port uint16) string {
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}

// parse reads a URL by the rules of libpq, and adds what authd's promises rest on.
func parse(rawURL string) (*pgxpool.Config, error) {
	if !strings.HasPrefix(rawURL, "postgres://") && !strings.HasPrefix(rawURL, "postgresql://") {
		return nil, errURL
	}
	if err := checkTarget(rawURL); err != nil {
		return nil, err
	}
	cfg, err := pgxpool.ParseConfig(rawURL)
	if err != nil {
		return nil, unreadable(err)
	}
	if strings.ContainsAny(cfg.ConnConfig.Database, "@/") {
		// So it is the rest of a password that is taken for a database, and would be told as one.
		return nil, errURL
	}
	// Rule 15: nothing is ever read from a standby, of whichever host. After a
	// fail-over this is also what finds the new primary among the hosts.
	cfg.ConnConfig.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	cfg.ConnConfig.OnNotice = noteWarning
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = connectTimeout
	}
	if cfg.PingTimeout == 0 {
		cfg.PingTimeout = connectTimeout // or a server that has vanished would hold its connections for a minute
	}
	if _, ok := cfg.ConnConfig.RuntimeParams["application_name"]; !ok {
		cfg.ConnConfig.RuntimeParams["application_name"] = "authd"
	}
	return cfg, nil
}

func checkTarget(rawURL string) error {
	_, query, _ := strings.Cut(rawURL, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return errURL
	}
	for _, target := range values["target_session_attrs"] {
		if target != "read-write" && target != "primary" {
			return fmt.Errorf("target_session_attrs=%s in the URL of the database: authd works on the primary only: leave it out", target)
		}
	}
	return nil
}

// unreadable tells why a URL can't be read, without any of it.
func unreadable(err error) error {
	// The driver quotes the URL between backticks, and masks in it only what it takes for a password.
	text := err.Error()
	why := text[strings.LastIndex(text, "`")+1:]
	if strings.Contains(text, "failed to parse as URL") || why == "" {
		return errURL
	}
	return errors.New("the URL of the database can't be used" + why)
}

// session has the server give up by itself what a client may have forgotten,
// and plan a look-up once: it would plan one of several keys each time, which
// takes it longer than the look-up. A pooler between does not take such
// settings, so there it is the client alone, and each is planned.
func session(params map[string]string) {
	for name, value := range map[string]string{
		"statement_timeout": strconv.FormatInt(statementTimeout.Milliseconds(), 10),
		"plan_cache_mode":   "force_generic_plan",
	} {
		if _, ok := params[name]; !ok {
			params[name] = value
		}
	}
}
