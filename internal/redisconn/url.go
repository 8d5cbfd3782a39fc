package redisconn

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Check says what is wrong with redis.url, as far as that can be told without asking Redis.
// Its errors tell no password.
func Check(rawURL string) error {
	_, err := options(rawURL, time.Second)
	return err
}

var (
	errURL = errors.New("a Redis is named as redis://USER:PASSWORD@HOST:PORT/DB, or rediss:// for TLS; " +
		"the nodes of a cluster, or Sentinels with ?master_name=NAME, by comma")
	errClusterDB = errors.New("a cluster has no databases: leave the number out, or name one server, or Sentinels with ?master_name=NAME")
	redisHost    = regexp.MustCompile(`^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)(:[0-9]{1,5})?$`)
)

const (
	serverPort   = "6379"
	sentinelPort = "26379"
)

// options reads the URL. Several addresses are a cluster, or Sentinels where the URL names their master.
func options(rawURL string, timeout time.Duration) (*redis.UniversalOptions, error) {
	scheme, rest, _ := strings.Cut(rawURL, "://")
	if scheme != "redis" && scheme != "rediss" {
		return nil, errURL
	}
	authority, _, _ := strings.Cut(rest, "?")
	authority, _, _ = strings.Cut(authority, "/")
	at := strings.LastIndexByte(authority, '@') + 1
	// net/url knows one host.
	u, err := url.Parse(scheme + "://" + authority[:at] + "host" + rest[len(authority):])
	if err != nil || u.Fragment != "" {
		return nil, errURL
	}
	o := lean(timeout)
	o.Username = u.User.Username()
	o.Password, _ = u.User.Password()
	ca, err := parameters(u.RawQuery, o)
	if err != nil {
		return nil, err
	}
	if o.Addrs, err = addresses(authority[at:], o.MasterName != ""); err != nil {
		return nil, err
	}
	if o.DB, err = database(u.Path); err != nil {
		return nil, err
	}
	if o.DB != 0 && len(o.Addrs) > 1 && o.MasterName == "" {
		return nil, errClusterDB
	}
	return o, secure(o, scheme == "rediss", ca)
}

// lean are options under which a request is one round trip that is tried once, and a new connection asks for
// nothing but to be let in: the database is asked meanwhile rather than Redis again.
func lean(timeout time.Duration) *redis.UniversalOptions {
	logging.Disable() // to stderr, past authd's log; what matters of it is told by the breaker
	return &redis.UniversalOptions{
		DialTimeout: timeout, ReadTimeout: timeout, WriteTimeout: timeout, PoolTimeout: timeout, ContextTimeoutEnabled: true,
		MaxRetries: -1, DialerRetries: 1, Protocol: 2, // nothing is asked that takes RESP3, whose pushes would be looked for each time
		DisableIdentity: true, MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

// parameters reads what stands behind the question mark; ca is a file.
func parameters(query string, o *redis.UniversalOptions) (ca string, err error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", errURL
	}
	for name, value := range values {
		if len(value) != 1 || value[0] == "" {
			return "", errors.New("a parameter is empty, or given twice")
		}
		switch name {
		case "master_name":
			o.MasterName = value[0]
		case "sentinel_password":
			o.SentinelPassword = value[0]
		case "ca_file":
			ca = value[0]
		default:
			return "", errors.New("unknown parameter: known are master_name, sentinel_password and ca_file")
		}
	}
	if o.SentinelPassword != "" && o.MasterName == "" {
		return "", errors.New("sentinel_password is for Sentinels: name their master with master_name")
	}
	return ca, nil
}

func addresses(list string, sentinels bool) ([]string, error) {
	port := serverPort
	if sentinels {
		port = sentinelPort
	}
	var out []string
	for host := range strings.SplitSeq(list, ",") {
		if !redisHost.MatchString(host) {
			return nil, errURL
		}
		if _, given, err := net.SplitHostPort(host); err != nil {
			host = net.JoinHostPort(strings.Trim(host, "[]"), port)
		} else if _, err := strconv.ParseUint(given, 10, 16); err != nil {
			return nil, errURL
		}
		out = append(out, host)
	}
	return out, nil
}

func database(path string) (int, error) {
	number := strings.TrimPrefix(path, "/")
	if number == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return 0, errors.New("what stands behind the host is the number of a database, as in redis://redis/1")
	}
	return int(n), nil
}

// secure switches TLS on, by the system's authorities or those in a file.
func secure(o *redis.UniversalOptions, asked bool, ca string) error {
	switch {
	case !asked && ca != "":
		return errors.New("ca_file is for TLS: name Redis as rediss://")
	case !asked:
		return nil
	}
	o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if ca == "" {
		return nil
	}
	text, err := os.ReadFile(ca)
	if err != nil {
		return fmt.Errorf("ca_file: %w", err)
	}
	o.TLSConfig.RootCAs = x509.NewCertPool()
	if !o.TLSConfig.RootCAs.AppendCertsFromPEM(text) {
		return fmt.Errorf("ca_file %s holds no certificate in PEM", ca)
	}
	return nil
}
