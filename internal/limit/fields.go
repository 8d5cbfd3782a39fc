package limit

import (
	"fmt"
	"math/bits"
	"strings"
	"time"

	"authd/internal/auth"
)

// refusal is the state of a key that has to wait, for its own limits or its
// user's. Its texts are the fields RateLimit and RateLimit-Policy of
// draft-ietf-httpapi-ratelimit-headers. Where several refuse, the one that
// lasts longest is told.
func refusal(k *auth.Key, key, user standing) auth.LimitState {
	state := auth.LimitState{Policy: policy(k, key, user)}
	name, wait := "", int64(0)
	for _, r := range []struct {
		reason auth.Reason
		name   string
		wait   int64
	}{
		{auth.QuotaExceeded, "quota", key.quotaWait}, {auth.RateLimited, "rate", key.rateWait},
		{auth.QuotaExceeded, "user-quota", user.quotaWait}, {auth.RateLimited, "user-rate", user.rateWait},
	} {
		if r.wait > wait {
			state.Reason, name, wait = r.reason, r.name, r.wait
		}
	}
	state.RetryAfter = time.Duration(wait)
	state.State = fmt.Sprintf(`"%s";r=0;t=%d`, name, seconds(state.RetryAfter))
	return state
}

// policy tells every limit that the request has to pass.
func policy(k *auth.Key, key, user standing) string {
	var items []string
	for _, of := range []struct {
		prefix string
		limits *auth.Limits
		length time.Duration
	}{{"", k.Limits, key.length}, {"user-", k.UserLimits, user.length}} {
		if of.limits == nil {
			continue
		}
		if of.limits.Rate.Count > 0 {
			count, w := perSeconds(of.limits.Rate)
			items = append(items, fmt.Sprintf(`"%srate";q=%d;w=%d`, of.prefix, count, w))
		}
		if of.limits.Quota.Count > 0 {
			items = append(items, fmt.Sprintf(`"%squota";q=%d;w=%d`, of.prefix, of.limits.Quota.Count, seconds(of.length)))
		}
	}
	return strings.Join(items, ", ")
}

// perSeconds is the rate in a whole number of seconds, as the field has them:
// 5 in 100 ms are 50 in a second.
func perSeconds(r auth.Rate) (count uint64, window uint64) {
	window = seconds(r.Per)
	hi, lo := bits.Mul64(uint64(r.Count), window*uint64(time.Second))
	count, _ = bits.Div64(hi, lo, uint64(r.Per))
	return count, window
}

// seconds rounds up: who waits for them has waited long enough.
func seconds(d time.Duration) uint64 { return uint64((d + time.Second - 1) / time.Second) }
