package main

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"authd/internal/auth"
)

// keyFlags are the flags of create and update: what a record may hold.
type keyFlags struct {
	set *pflag.FlagSet

	user                                  string
	groups, scopes, hosts, methods, paths []string
	cidrs                                 networks
	notBefore, expires                    when
	limits                                limitFlags
	metadata                              pairs
	note                                  string
}

func (f *keyFlags) register(set *pflag.FlagSet) {
	f.set = set
	f.notBefore.now, f.expires.now = time.Now, time.Now
	set.StringVar(&f.user, "user", "", "the `login` that the key stands for; made if it is not there")
	set.StringArrayVar(&f.groups, "group", nil, "a `group` that the key is in (repeat for more)")
	set.StringArrayVar(&f.scopes, "scope", nil, "a `scope` that the key has (repeat for more)")
	set.StringArrayVar(&f.hosts, "host", nil, "a host that the key is good for, as a `glob`: *.example.com (repeat for more)")
	set.StringArrayVar(&f.methods, "method", nil, "an HTTP `method` that the key is good for (repeat for more)")
	set.StringArrayVar(&f.paths, "path", nil, "a path `prefix` that the key is good for: /orders/ (repeat for more)")
	set.Var(&f.cidrs, "cidr", "a `network` or an address that the key is good from (repeat for more)")
	set.Var(&f.notBefore, "not-before", "the key is good from then on")
	set.Var(&f.expires, "expires", "the key is good until then: 90d, 2027-01-31, or RFC 3339")
	f.limits.register(set, "the key")
	set.Var(&f.metadata, "metadata", "something to remember of the key (repeat for more)")
	set.StringVar(&f.note, "note", "", "a `text` for people")
}

// apply sets what was given, and leaves the rest alone. An only item "" empties a list.
func (f *keyFlags) apply(r *auth.Record) {
	given(f.set, "user", &r.User, f.user)
	given(f.set, "group", &r.Groups, orNone(f.groups))
	given(f.set, "scope", &r.Scopes, orNone(f.scopes))
	given(f.set, "host", &r.Restrictions.Hosts, orNone(f.hosts))
	given(f.set, "method", &r.Restrictions.Methods, orNone(f.methods))
	given(f.set, "path", &r.Restrictions.Paths, orNone(f.paths))
	given(f.set, "cidr", &r.Restrictions.CIDRs, []netip.Prefix(f.cidrs))
	given(f.set, "not-before", &r.NotBefore, f.notBefore.Time)
	given(f.set, "expires", &r.ExpiresAt, f.expires.Time)
	f.limits.apply(&r.Limits)
	given(f.set, "metadata", &r.Metadata, map[string]string(f.metadata))
	given(f.set, "note", &r.Note, f.note)
}

// any reports whether apply would set anything.
func (f *keyFlags) any() bool {
	for _, name := range []string{
		"user", "group", "scope", "host", "method", "path", "cidr",
		"not-before", "expires", "metadata", "note",
	} {
		if f.set.Changed(name) {
			return true
		}
	}
	return f.limits.any()
}

func given[T any](set *pflag.FlagSet, name string, field *T, value T) {
	if set.Changed(name) {
		*field = value
	}
}

// limitFlags are those of whatever has limits.
type limitFlags struct {
	set   *pflag.FlagSet
	rate  parsed[auth.Rate, *auth.Rate]
	quota parsed[auth.Quota, *auth.Quota]
	burst int
}

func (f *limitFlags) register(set *pflag.FlagSet, whose string) {
	f.set = set
	f.rate.kind, f.quota.kind = "count/time", "count/window"
	set.Var(&f.rate, "rate", "how often "+whose+" may be used, smoothed: 100/1m")
	set.IntVar(&f.burst, "burst", 0, "how many requests of the rate may come at once")
	set.Var(&f.quota, "quota", "how often "+whose+" may be used in an hour, a day or a month of the calendar: 10000/1d, 1h, 1mo")
}

// apply sets what was given, and leaves the rest alone.
func (f *limitFlags) apply(l *auth.Limits) {
	given(f.set, "rate", &l.Rate, f.rate.value)
	given(f.set, "burst", &l.Burst, f.burst)
	given(f.set, "quota", &l.Quota, f.quota.value)
}

// any reports whether apply would set anything.
func (f *limitFlags) any() bool {
	return f.set.Changed("rate") || f.set.Changed("burst") || f.set.Changed("quota")
}

func orNone(items []string) []string {
	if len(items) == 1 && items[0] == "" {
		return nil
	}
	return append([]string(nil), items...)
}

// networks is a repeated flag; "" empties it.
type networks []netip.Prefix

// Set reads one network.
func (n *networks) Set(v string) error {
	if v == "" {
		*n = nil
		return nil
	}
	p, err := auth.ParseCIDR(v)
	if err == nil {
		*n = append(*n, p)
	}
	return err
}

// String is empty: there is no default.
func (n *networks) String() string { return "" }

// Type names the value in the help.
func (n *networks) Type() string { return "network" }

// pairs is a repeated flag of name=value; "" empties it.
type pairs map[string]string

// Set reads one pair.
func (p *pairs) Set(v string) error {
	if v == "" {
		*p = nil
		return nil
	}
	name, value, ok := strings.Cut(v, "=")
	if !ok {
		return fmt.Errorf("%q: a name, '=' and a value are wanted", v)
	}
	if *p == nil {
		*p = pairs{}
	}
	(*p)[name] = value
	return nil
}

// String is empty: there is no default.
func (p *pairs) String() string { return "" }

// Type names the value in the help.
func (p *pairs) Type() string { return "name=value" }

// parsed is a flag that is read as its type reads text; "" empties it.
type parsed[T any, P interface {
	*T
	UnmarshalText([]byte) error
}] struct {
	value T
	kind  string
}

// Set reads the value.
func (p *parsed[T, P]) Set(v string) error { return P(&p.value).UnmarshalText([]byte(v)) }

// String is empty: there is no default.
func (p *parsed[T, P]) String() string { return "" }

// Type names the value in the help.
func (p *parsed[T, P]) Type() string { return p.kind }
