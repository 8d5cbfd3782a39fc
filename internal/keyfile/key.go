// Package keyfile reads and writes keys in files, one a line: JSON Lines, and
// CSV with a header. What is read may bring a value, or its digest; what is
// written holds neither.
package keyfile

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"authd/internal/auth"
)

// Key is what a line says of a key. A nil field is not given.
type Key struct {
	Name    string    `json:"name"`
	User    string    `json:"user"`
	Key     *string   `json:"key,omitempty"`    // the raw value
	Digest  *string   `json:"digest,omitempty"` // or its digest, as in sha256:...
	Active  *bool     `json:"active,omitempty"`
	Revoked *bool     `json:"revoked,omitempty"`
	Groups  *[]string `json:"groups,omitempty"`
	Scopes  *[]string `json:"scopes,omitempty"`

	NotBefore *string   `json:"not_before,omitempty"` // a day, or RFC 3339
	ExpiresAt *string   `json:"expires_at,omitempty"`
	Hosts     *[]string `json:"hosts,omitempty"`
	Methods   *[]string `json:"methods,omitempty"`
	Paths     *[]string `json:"paths,omitempty"`
	CIDRs     *[]string `json:"cidrs,omitempty"`
	Rate      *string   `json:"rate,omitempty"`
	Burst     *int      `json:"burst,omitempty"`
	Quota     *string   `json:"quota,omitempty"`

	Metadata *map[string]string `json:"metadata,omitempty"`
	Note     *string            `json:"note,omitempty"`
}

// Apply returns what lays the line over a record, or what is wrong with it. The
// error repeats neither value nor digest.
func (k *Key) Apply() (func(*auth.Record), error) {
	var errs []error
	note := func(field string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", field, err))
		}
	}
	notBefore, err := moment(k.NotBefore)
	note("not_before", err)
	expiresAt, err := moment(k.ExpiresAt)
	note("expires_at", err)
	cidrs, err := networks(k.CIDRs)
	note("cidrs", err)
	var rate auth.Rate
	if k.Rate != nil {
		note("rate", rate.UnmarshalText([]byte(*k.Rate)))
	}
	var quota auth.Quota
	if k.Quota != nil {
		note("quota", quota.UnmarshalText([]byte(*k.Quota)))
	}
	if k.User == "" {
		errs = append(errs, errors.New("the user's login is empty"))
	}
	if k.Key != nil && k.Digest != nil {
		errs = append(errs, errors.New("key and digest are given: one of them is the value"))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return func(r *auth.Record) {
		r.User = k.User
		put(&r.Active, k.Active)
		put(&r.Groups, k.Groups)
		put(&r.Scopes, k.Scopes)
		put(&r.NotBefore, notBefore)
		put(&r.ExpiresAt, expiresAt)
		put(&r.Restrictions.Hosts, k.Hosts)
		put(&r.Restrictions.Methods, k.Methods)
		put(&r.Restrictions.Paths, k.Paths)
		put(&r.Restrictions.CIDRs, cidrs)
		if k.Rate != nil {
			r.Limits.Rate = rate
		}
		put(&r.Limits.Burst, k.Burst)
		if k.Quota != nil {
			r.Limits.Quota = quota
		}
		put(&r.Metadata, k.Metadata)
		put(&r.Note, k.Note)
	}, nil
}

func put[T any](field, v *T) {
	if v != nil {
		*field = *v
	}
}

var errMoment = errors.New("a day (2027-01-31, from 00:00 UTC) or RFC 3339 (2027-01-31T18:00:00+01:00) is wanted")

// moment reads a time; the empty text is none.
func moment(text *string) (*time.Time, error) {
	if text == nil {
		return nil, nil
	}
	if *text == "" {
		return &time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, *text); err == nil && t.Year() >= 1970 {
			t = t.UTC()
			return &t, nil
		}
	}
	return nil, errMoment
}

func networks(list *[]string) (*[]netip.Prefix, error) {
	if list == nil {
		return nil, nil
	}
	var out []netip.Prefix
	for _, text := range *list {
		p, err := auth.ParseCIDR(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return &out, nil
}

// Of is what a file keeps of a record: no value, no digest, no hint, and
// nothing that another environment has otherwise, such as ids and times of change.
func Of(r *auth.Record) Key {
	k := Key{
		Name: r.Name, User: r.User, Active: &r.Active,
		Groups: given(r.Groups), Scopes: given(r.Scopes), NotBefore: written(r.NotBefore), ExpiresAt: written(r.ExpiresAt),
		Hosts: given(r.Restrictions.Hosts), Methods: given(r.Restrictions.Methods), Paths: given(r.Restrictions.Paths),
	}
	if !r.RevokedAt.IsZero() {
		revoked := true
		k.Revoked = &revoked
	}
	if len(r.Restrictions.CIDRs) > 0 {
		list := make([]string, len(r.Restrictions.CIDRs))
		for i, p := range r.Restrictions.CIDRs {
			list[i] = p.String()
		}
		k.CIDRs = &list
	}
	if text := r.Limits.Rate.String(); text != "" {
		k.Rate = &text
	}
	if r.Limits.Burst > 0 {
		k.Burst = &r.Limits.Burst
	}
	if text := r.Limits.Quota.String(); text != "" {
		k.Quota = &text
	}
	if len(r.Metadata) > 0 {
		k.Metadata = &r.Metadata
	}
	if r.Note != "" {
		k.Note = &r.Note
	}
	return k
}

func given(list []string) *[]string {
	if len(list) == 0 {
		return nil
	}
	return &list
}

func written(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := t.UTC().Format(time.RFC3339Nano)
	return &text
}
