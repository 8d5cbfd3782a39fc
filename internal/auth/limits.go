package auth

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Limits bound how often a key may be used, or all keys of a user together. Zero fields do not limit.
type Limits struct {
	Rate  Rate  `json:"rate,omitzero"`
	Burst int   `json:"burst,omitempty"` // requests at once; Rate.Count where zero
	Quota Quota `json:"quota,omitzero"`
}

// IsZero reports whether nothing is limited.
func (l Limits) IsZero() bool { return l == Limits{} }

// orNone is a copy, nil where nothing is limited.
func (l Limits) orNone() *Limits {
	if l.IsZero() {
		return nil
	}
	return &l
}

// String is a line for people; empty where nothing is limited.
func (l Limits) String() string {
	var parts []string
	if l.Rate.Count > 0 {
		parts = append(parts, l.Rate.String())
	}
	if l.Burst > 0 {
		parts = append(parts, fmt.Sprintf("burst %d", l.Burst))
	}
	if l.Quota.Count > 0 {
		parts = append(parts, l.Quota.String())
	}
	return strings.Join(parts, ", ")
}

// Rate is a number of requests a period, smoothed.
type Rate struct {
	Count int
	Per   time.Duration
}

// Quota is a number of requests in a window of the calendar, in UTC.
type Quota struct {
	Count int
	Per   string // a key of quotaWindows
}

const maxCount = 1_000_000_000

// ParseRate reads "100/1m": a count, and a duration as Go writes it, or a bare unit ("100/s").
func ParseRate(s string) (Rate, error) {
	count, per, err := parseCount(s)
	if err != nil {
		return Rate{}, fmt.Errorf("rate %q: %w", s, err)
	}
	if per != "" && 'a' <= per[0] && per[0] <= 'z' {
		per = "1" + per
	}
	d, err := time.ParseDuration(per)
	if err != nil || !(Rate{count, d}).valid() {
		return Rate{}, fmt.Errorf("rate %q: a duration from 1ms to 24h is wanted behind the slash, as in 100/1m", s)
	}
	return Rate{count, d}, nil
}

func (r Rate) valid() bool {
	return r.Count > 0 && r.Count <= maxCount && r.Per >= time.Millisecond && r.Per <= 24*time.Hour
}

func (q Quota) valid() bool {
	_, _, ok := q.Window(time.Time{})
	return ok && q.Count > 0 && q.Count <= maxCount
}

// ParseQuota reads "10000/1d": a count, and 1h, 1d or 1mo.
func ParseQuota(s string) (Quota, error) {
	count, per, err := parseCount(s)
	if err != nil {
		return Quota{}, fmt.Errorf("quota %q: %w", s, err)
	}
	q := Quota{count, strings.TrimPrefix(per, "1")}
	if !q.valid() {
		return Quota{}, fmt.Errorf("quota %q: 1h, 1d or 1mo is wanted behind the slash, as in 10000/1d", s)
	}
	return q, nil
}

func parseCount(s string) (int, string, error) {
	n, per, ok := strings.Cut(s, "/")
	count, err := strconv.Atoi(n)
	if !ok || err != nil || count < 1 || count > maxCount {
		return 0, "", errors.New("a count, a slash and a period are wanted, as in 100/1m")
	}
	return count, per, nil
}

// Window returns the bounds of the calendar window that t lies in.
func (q Quota) Window(t time.Time) (start, end time.Time, ok bool) {
	t = t.UTC()
	switch q.Per {
	case "h":
		start = t.Truncate(time.Hour)
		return start, start.Add(time.Hour), true
	case "d":
		start = time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
		return start, start.AddDate(0, 0, 1), true
	case "mo":
		start = time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
		return start, start.AddDate(0, 1, 0), true
	}
	return start, end, false
}

// String is what ParseRate reads; empty for no rate.
func (r Rate) String() string {
	if r.Count == 0 {
		return ""
	}
	per := r.Per.String()
	for _, zero := range []string{"m0s", "h0m"} { // "1m0s" is written 1m
		if strings.HasSuffix(per, zero) {
			per = strings.TrimSuffix(per, zero[1:])
		}
	}
	return fmt.Sprintf("%d/%s", r.Count, per)
}

// String is what ParseQuota reads; empty for no quota.
func (q Quota) String() string {
	if q.Count == 0 {
		return ""
	}
	return fmt.Sprintf("%d/1%s", q.Count, q.Per)
}

// MarshalText writes String.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// MarshalText writes String.
func (q Quota) MarshalText() ([]byte, error) { return []byte(q.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (r *Rate) UnmarshalText(b []byte) (err error) {
	if *r = (Rate{}); len(b) > 0 {
		*r, err = ParseRate(string(b))
	}
	return err
}

// UnmarshalText reads what MarshalText writes.
func (q *Quota) UnmarshalText(b []byte) (err error) {
	if *q = (Quota{}); len(b) > 0 {
		*q, err = ParseQuota(string(b))
	}
	return err
}

// Validate reports every fault.
func (l Limits) Validate() error {
	var errs []error
	if l.Rate != (Rate{}) && !l.Rate.valid() {
		errs = append(errs, fmt.Errorf("a rate of %d in %s: a count from 1 to %d and a duration from 1ms to 24h are wanted", l.Rate.Count, l.Rate.Per, maxCount))
	}
	if l.Quota != (Quota{}) && !l.Quota.valid() {
		errs = append(errs, fmt.Errorf("a quota of %d per %q: a count from 1 to %d, and h, d or mo are wanted", l.Quota.Count, l.Quota.Per, maxCount))
	}
	if l.Burst < 0 || l.Burst > maxCount {
		errs = append(errs, fmt.Errorf("burst %d: a number from 1 to %d is wanted", l.Burst, maxCount))
	}
	if l.Burst > 0 && l.Rate.Count == 0 {
		errs = append(errs, errors.New("a burst needs a rate"))
	}
	return errors.Join(errs...)
}

// LimitState is where a key stands after its request was counted, or refused.
type LimitState struct {
	Reason     Reason        // Allowed, RateLimited or QuotaExceeded
	RetryAfter time.Duration // until a further request may pass; zero when it passed
	Policy     string        // on a refusal, every limit of the key, as RateLimit-Policy tells it: "rate";q=100;w=60
	State      string        // on a refusal, what refused, as RateLimit tells it: "rate";r=0;t=1
}

// Limiter counts a request against the limits of a key and of its user, last
// of all steps, so that a request that is denied anyhow costs nothing. It
// passes where all of them let it, and is counted in all then, and in none otherwise.
//
// requestID is that of Request: a request that passed a moment ago is not
// counted again under it.
type Limiter interface {
	Take(ctx context.Context, k *Key, now time.Time, requestID string) (LimitState, error)
}
