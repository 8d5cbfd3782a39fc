package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"authd/internal/auth"
)

// describe writes all there is about a key, for people.
func describe(k *keyView) string {
	var b strings.Builder
	line := liner(&b)
	line("name", visible(k.Name))
	line("id", k.ID)
	line("slug", visible(k.Slug))
	line("user", visible(k.User))
	line("state", k.State)
	line("revoked", ifSet(k.RevokedAt))
	line("not before", ifSet(k.NotBefore))
	line("expires", ifSet(k.ExpiresAt))
	line("groups", list(k.Groups))
	line("scopes", list(k.Scopes))
	line("hosts", list(k.Restrictions.Hosts))
	line("methods", list(k.Restrictions.Methods))
	line("paths", list(k.Restrictions.Paths))
	for _, net := range k.Restrictions.CIDRs {
		line("network", net.String())
	}
	describeLimits(line, &k.Limits)
	line("user's limits", k.UserLimits.String())
	for _, name := range slices.Sorted(maps.Keys(k.Metadata)) {
		line("metadata", visible(name)+"="+visible(k.Metadata[name]))
	}
	if k.Note != "" {
		line("note", visible(k.Note))
	}
	line("created", instant(k.CreatedAt))
	line("changed", instant(k.UpdatedAt))
	return b.String() + describeUses(k)
}

// describeUses writes the secrets of a key, and when and from where each was used.
func describeUses(k *keyView) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-13s %s\n", "last used", instant(k.LastUsed))
	for _, s := range k.Secrets {
		fmt.Fprintf(&b, "%-13s %s%s\n", "secret", describeSecret(s.SecretInfo), describeUse(s.SecretUse))
	}
	for _, u := range k.OverrideUses {
		fmt.Fprintf(&b, "%-13s of an override section%s\n", "secret", describeUse(u))
	}
	return b.String()
}

func describeUse(u auth.SecretUse) string {
	text := "; never used"
	if !u.LastUsed.IsZero() {
		text = fmt.Sprintf("; used from %s to %s", instant(u.FirstUsed), instant(u.LastUsed))
	}
	if !u.LastDenied.IsZero() {
		text += ", last denied " + instant(u.LastDenied)
	}
	if u.Client != "" {
		text += ", last client in " + visible(u.Client)
	}
	return text
}

// describeUser writes all there is about a user, for people.
func describeUser(u *auth.User) string {
	var b strings.Builder
	line := liner(&b)
	line("login", visible(u.Login))
	line("state", userState(u))
	line("keys", strconv.Itoa(u.Keys))
	describeLimits(line, &u.Limits)
	line("created", instant(u.CreatedAt))
	return b.String()
}

func describeLimits(line func(label, value string), l *auth.Limits) {
	line("rate", l.Rate.String())
	if l.Burst > 0 {
		line("burst", strconv.Itoa(l.Burst))
	}
	line("quota", l.Quota.String())
}

// liner writes what there is a value for.
func liner(b *strings.Builder) func(label, value string) {
	return func(label, value string) {
		if value != "" {
			fmt.Fprintf(b, "%-13s %s\n", label, value)
		}
	}
}

func describeSecret(s auth.SecretInfo) string {
	text := fmt.Sprintf("%s made %s, pepper %s", visible(s.Hint), instant(s.CreatedAt), s.PepperID)
	switch {
	case s.Revoked:
		text += ", revoked"
	case s.ExpiresAt.IsZero():
	case time.Now().Before(s.ExpiresAt):
		text += ", until " + instant(s.ExpiresAt)
	default:
		text += ", ended " + instant(s.ExpiresAt)
	}
	return text
}

func ifSet(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return instant(t)
}

func list(items []string) string {
	shown := make([]string, len(items))
	for i, item := range items {
		shown[i] = visible(item)
	}
	return strings.Join(shown, ", ")
}
