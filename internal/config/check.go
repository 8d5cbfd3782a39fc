package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// check judges the settings that their types alone do not. What other
// packages know better (store.url, redis.url, credentials.sources, verify.proxy and
// realm, identity.headers) is judged by them.
func (l *Loaded) check() {
	c := &l.Config
	l.note("listen.verify", checkAddress(c.Listen.Verify))
	if c.Listen.Admin != "" {
		l.note("listen.admin", checkAddress(c.Listen.Admin))
	}
	if c.Listen.Metrics != "" {
		l.note("listen.metrics", checkAddress(c.Listen.Metrics))
	}
	l.note("listen.metrics", l.checkClash("listen.verify", c.Listen.Verify, c.Listen.Metrics))
	if _, written := l.origins["listen.admin"]; written { // nothing listens on the default yet
		l.note("listen.admin", l.checkClash("listen.verify", c.Listen.Verify, c.Listen.Admin))
		l.note("listen.admin", l.checkClash("listen.metrics", c.Listen.Metrics, c.Listen.Admin))
		l.note("listen.admin", l.checkClash("listen.extauthz", c.Listen.ExtAuthz, c.Listen.Admin))
	}
	if c.Listen.ExtAuthz != "" {
		l.note("listen.extauthz", checkAddress(c.Listen.ExtAuthz))
		l.note("listen.extauthz", l.checkClash("listen.verify", c.Listen.Verify, c.Listen.ExtAuthz))
		l.note("listen.extauthz", l.checkClash("listen.metrics", c.Listen.Metrics, c.Listen.ExtAuthz))
	}
	for _, path := range neverEmpty {
		if fieldAt(c, path).IsZero() {
			l.note(path, errors.New("the text is empty: write it, or leave the setting out for its default"))
		}
	}
}

// neverEmpty are texts that others would take for "not given" where they are empty.
var neverEmpty = []string{
	"verify.proxy", "verify.realm",
	"identity.headers.user", "identity.headers.key", "identity.headers.key_id", "identity.headers.groups", "identity.headers.scopes",
}

var (
	hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)
	prefix   = regexp.MustCompile(`^[A-Za-z0-9]{1,16}$`)
)

func checkAddress(addr string) error {
	wanted := fmt.Errorf("%s is no address: HOST:PORT is wanted, as in :8080, 127.0.0.1:8080 or [::1]:8080", shown(addr))
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return wanted
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && !hostName.MatchString(host) {
		return wanted
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return fmt.Errorf("%s is no port: a number up to 65535 is wanted", shown(port))
	}
	return nil
}

// checkClash finds two listeners that can't both have their address.
func (l *Loaded) checkClash(other, a, b string) error {
	hostA, portA, _ := net.SplitHostPort(a)
	hostB, portB, _ := net.SplitHostPort(b)
	samePort := portA == portB && portA != "" && portA != "0"
	if !samePort || !everywhere(hostA) && !everywhere(hostB) && !strings.EqualFold(hostA, hostB) {
		return nil
	}
	return fmt.Errorf("port %s is that of %s (%s) as well: give it another", portB, other, l.origin(other))
}

func everywhere(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "" || err == nil && a.IsUnspecified()
}

func checkPrefix(s string) error {
	if !prefix.MatchString(s) {
		return errors.New("a prefix is 1 to 16 letters and digits (ASCII)")
	}
	return nil
}
