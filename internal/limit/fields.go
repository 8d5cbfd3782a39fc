package limit

import (
	"fmt"
	"math/bits"
	"strings"
	"time"

	"authd/internal/auth"
)

// refusal is the state of a key that has to wait. Its texts are the fields
// RateLimit and RateLimit-Policy of draft-ietf-httpapi-ratelimit-headers. Where
// both limits refuse, the one that lasts longer is told.
func refusal(r auth.Reason, l *auth.Limits, wait int64, length time.Duration) auth.LimitState {
	name := "rate"
	if r == auth.QuotaExceeded {
		name = "quota"
	}
	return auth.LimitState{
		Reason:     r,
		RetryAfter: time.Duration(wait),
		Policy:     policy(l, length),
		State:      fmt.Sprintf(`"%s";r=0;t=%d`, name, seconds(time.Duration(wait))),
	}
}

// policy tells every limit; length is that of the quota's present window.
func policy(l *auth.Limits, length time.Duration) string {
	var items []string
	if l.Rate.Count > 0 {
		count, w := perSeconds(l.Rate)
		items = append(items, fmt.Sprintf(`"rate";q=%d;w=%d`, count, w))
	}
	if l.Quota.Count > 0 {
		items = append(items, fmt.Sprintf(`"quota";q=%d;w=%d`, l.Quota.Count, seconds(length)))
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
