package override

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"authd/internal/auth"
)

// sources are the fields that give a value; a section has one of them.
var sources = []string{"key", "key_file", "key_env", "key_digest"}

// fieldNames are all the fields that a section may have.
var fieldNames = append(sources[:len(sources):len(sources)],
	"active", "user", "groups", "scopes", "not_before", "expires_at",
	"hosts", "methods", "paths", "cidrs", "rate", "burst", "quota", "standalone")

// overlay is what a section says of a record beside its value. A nil field
// leaves what the record has; an empty list takes it away.
type overlay struct {
	standalone *bool

	active                *bool
	user                  *string
	groups, scopes        *[]string
	notBefore, expiresAt  *int64 // Unix milliseconds; zero: no bound
	hosts, methods, paths *[]string
	cidrs                 *[]netip.Prefix
	rate                  *auth.Rate
	burst                 *int
	quota                 *auth.Quota
}

// read takes in a field as a file has it. The error says what is wanted; it
// repeats nothing of the fields that may hold a value.
func (o *overlay) read(field string, v any) error {
	switch field {
	case "standalone":
		return give(&o.standalone, v, readBool)
	case "active":
		return give(&o.active, v, readBool)
	case "user":
		return give(&o.user, v, readUser)
	case "groups":
		return give(&o.groups, v, listOf(byComma, auth.CheckGroups))
	case "scopes":
		return give(&o.scopes, v, listOf(byCommaOrBlank, auth.CheckScopes))
	case "not_before":
		return give(&o.notBefore, v, readTime)
	case "expires_at":
		return give(&o.expiresAt, v, readTime)
	case "hosts":
		return give(&o.hosts, v, listOf(byComma, normal(func(r *auth.Restrictions, l []string) { r.Hosts = l })))
	case "methods":
		return give(&o.methods, v, listOf(byComma, normal(func(r *auth.Restrictions, l []string) { r.Methods = l })))
	case "paths":
		return give(&o.paths, v, listOf(byComma, normal(func(r *auth.Restrictions, l []string) { r.Paths = l })))
	case "cidrs":
		return give(&o.cidrs, v, readCIDRs)
	case "rate":
		return give(&o.rate, v, textOf[auth.Rate])
	case "burst":
		return give(&o.burst, v, readBurst)
	case "quota":
		return give(&o.quota, v, textOf[auth.Quota])
	}
	_, err := readText(v) // one of the sources
	return err
}

// give sets a field to what was read, if it was.
func give[T any](field **T, v any, read func(any) (T, error)) error {
	got, err := read(v)
	if err == nil {
		*field = &got
	}
	return err
}

// normal checks one list of the restrictions, and brings its items to their normal form in place.
func normal(set func(*auth.Restrictions, []string)) func([]string) error {
	return func(list []string) error {
		var r auth.Restrictions
		set(&r, list)
		r.Normalize()
		return r.Validate()
	}
}

// clash is a field that can't be meant together with another.
type clash struct{ field, text string }

func (o *overlay) clashes() (found []clash) {
	if o.notBefore != nil && o.expiresAt != nil && *o.expiresAt != 0 && *o.notBefore >= *o.expiresAt {
		found = append(found, clash{"expires_at", "expires_at is not after not_before: the key would never be valid"})
	}
	if o.burst != nil && *o.burst > 0 && o.rate != nil && o.rate.Count == 0 {
		found = append(found, clash{"burst", "burst is given, and the rate is none: give a rate, or leave burst out"})
	}
	return found
}

// apply lays the fields over a key that nobody else has seen yet.
func (o *overlay) apply(k *auth.Key) {
	if o.user != nil {
		if k.User != *o.user {
			k.UserLimits = nil // what the store knows of another user
		}
		k.User, k.UserActive = *o.user, true // the section vouches for the user
	}
	put(&k.Active, o.active)
	k.Grants = o.grants(k.Grants)
	put(&k.NotBefore, o.notBefore)
	put(&k.ExpiresAt, o.expiresAt)
	k.Restrictions = o.restrictions(k.Restrictions)
	k.Limits = o.limits(k.Limits)
	k.Encode()
}

func (o *overlay) grants(base *auth.Grants) *auth.Grants {
	if base != nil && o.groups == nil && o.scopes == nil {
		return base
	}
	var g auth.Grants
	put(&g, base)
	put(&g.Groups, o.groups)
	put(&g.Scopes, o.scopes)
	return auth.NewGrants(g.Groups, g.Scopes)
}

func put[T any](field *T, v *T) {
	if v != nil {
		*field = *v
	}
}

func (o *overlay) restrictions(base *auth.Restrictions) *auth.Restrictions {
	var r auth.Restrictions
	put(&r, base)
	put(&r.Hosts, o.hosts)
	put(&r.Methods, o.methods)
	put(&r.Paths, o.paths)
	put(&r.CIDRs, o.cidrs)
	if r.IsZero() {
		return nil
	}
	return &r
}

func (o *overlay) limits(base *auth.Limits) *auth.Limits {
	var l auth.Limits
	put(&l, base)
	put(&l.Rate, o.rate)
	put(&l.Burst, o.burst)
	put(&l.Quota, o.quota)
	if l.Rate.Count == 0 {
		l.Burst = 0
	}
	if l.IsZero() {
		return nil
	}
	return &l
}

func readUser(v any) (string, error) {
	s, err := readText(v)
	if err == nil {
		err = auth.CheckText("the user's login", s, auth.MaxName)
	}
	return s, err
}

func readBurst(v any) (int, error) {
	n, err := readCount(v)
	if err == nil {
		// Whether there is a rate is the record's to say, where the section does not.
		err = auth.Limits{Rate: auth.Rate{Count: 1, Per: time.Second}, Burst: n}.Validate()
	}
	return n, err
}

func readCIDRs(v any) ([]netip.Prefix, error) {
	list, err := readList(v, byComma)
	if err != nil {
		return nil, err
	}
	if len(list) > auth.MaxItems {
		return nil, fmt.Errorf("more than %d networks", auth.MaxItems)
	}
	out := make([]netip.Prefix, len(list))
	var errs []error
	for i, s := range list {
		p, err := auth.ParseCIDR(s)
		out[i], errs = p, append(errs, err)
	}
	return out, errors.Join(errs...)
}

// IsField reports whether a section may have a field of this name.
func IsField(name string) bool { return slices.Contains(fieldNames, name) }

func byComma(s string) []string { return strings.Split(s, ",") }

func byCommaOrBlank(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(", \t\n", r) })
}
