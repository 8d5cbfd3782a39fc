package explain

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"authd/internal/auth"
)

// The origins of a field that no section gives.
const (
	fromDatabase = "database"
	byDefault    = "default"
)

const none = "none"

// fields are all that the key is in force with.
func (c *Case) fields() (list []Field) {
	k := c.key()
	add := func(field, value string, set bool) {
		list = append(list, Field{field, value, c.origin(field, set)})
	}
	var r auth.Restrictions
	if k.Restrictions != nil {
		r = *k.Restrictions
	}
	var l auth.Limits
	if k.Limits != nil {
		l = *k.Limits
	}
	groups, scopes := grants(k)
	add("user", k.User, true)
	list = append(list, Field{"user_active", fmt.Sprint(k.UserActive), c.origin("user", true)})
	add("active", fmt.Sprint(k.Active), true)
	add("revoked", fmt.Sprint(k.Revoked), c.Record != nil)
	add("not_before", instant(k.NotBefore), k.NotBefore != 0)
	add("expires_at", instant(k.ExpiresAt), k.ExpiresAt != 0)
	add("groups", listed(groups), len(groups) > 0)
	add("scopes", listed(scopes), len(scopes) > 0)
	add("hosts", listed(r.Hosts), len(r.Hosts) > 0)
	add("methods", listed(r.Methods), len(r.Methods) > 0)
	add("paths", listed(r.Paths), len(r.Paths) > 0)
	add("cidrs", networks(r.CIDRs), len(r.CIDRs) > 0)
	add("rate", orNone(l.Rate.String()), l.Rate.Count > 0)
	add("burst", burst(&l), l.Burst > 0)
	add("quota", orNone(l.Quota.String()), l.Quota.Count > 0)
	return list
}

// origin tells where a field comes from: the section has the last word.
func (c *Case) origin(field string, set bool) string {
	if c.Section != nil {
		if at, ok := c.Section.Fields[field]; ok {
			return at + " " + c.Section.Header
		}
	}
	if !set || c.Record == nil {
		return byDefault
	}
	return fromDatabase
}

func grants(k *auth.Key) (groups, scopes []string) {
	if k.Grants == nil {
		return nil, nil
	}
	return k.Grants.Groups, k.Grants.Scopes
}

func listed(list []string) string { return orNone(strings.Join(list, ", ")) }

func networks(list []netip.Prefix) string {
	texts := make([]string, len(list))
	for i, p := range list {
		texts[i] = p.String()
	}
	return listed(texts)
}

func burst(l *auth.Limits) string {
	if l.Burst == 0 {
		return none
	}
	return fmt.Sprint(l.Burst)
}

func orNone(s string) string {
	if s == "" {
		return none
	}
	return s
}

func instant(ms int64) string {
	if ms == 0 {
		return none
	}
	return auth.FromMillis(ms).Format(time.RFC3339)
}
