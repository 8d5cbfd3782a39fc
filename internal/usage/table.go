package usage

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"authd/internal/auth"
)

// subject is what is counted apart: a secret, in an hour.
type subject struct {
	digest auth.Digest
	hour   int64 // its beginning, Unix milliseconds
}

const hourMillis = int64(time.Hour / time.Millisecond)

func subjectOf(d auth.Digest, at int64) subject { return subject{d, at - at%hourMillis} }

// table holds the counters of what was used since the last writing, and none
// of what was not: keys that are only in memory cost nothing here. A counter
// is found without a lock, and made once between two writings.
type table struct {
	all  sync.Map // subject -> *counter
	size atomic.Int64
	most int64
}

// counter finds or makes one; nil where there are too many.
func (t *table) counter(s subject, keyID string) *counter {
	if c, ok := t.all.Load(s); ok {
		return c.(*counter)
	}
	if t.size.Load() >= t.most {
		return nil
	}
	c, was := t.all.LoadOrStore(s, &counter{keyID: keyID})
	if !was {
		t.size.Add(1)
	}
	return c.(*counter)
}

// take removes up to so many counters, and puts what they counted into a
// batch. Who found one before that adds to it in time, or looks for another.
func (t *table) take(most int) auth.UsageBatch {
	type keyHour struct {
		id   string
		hour int64
	}
	hours, secrets := map[keyHour]auth.UsageCounts{}, map[auth.Digest]auth.SecretUse{}
	taken := 0
	t.all.Range(func(k, v any) bool {
		s, c := k.(subject), v.(*counter)
		t.all.Delete(s)
		t.size.Add(-1)
		sum := c.take()
		if sum.Total() > 0 {
			h := keyHour{c.keyID, s.hour}
			hours[h] = hours[h].Sum(sum)
			secrets[s.digest] = later(secrets[s.digest], c.use(s.digest))
		}
		taken++
		return taken < most
	})
	var b auth.UsageBatch
	for h, sum := range hours {
		b.Hours = append(b.Hours, auth.UsageHour{KeyID: h.id, Hour: time.UnixMilli(h.hour).UTC(), UsageCounts: sum})
	}
	for _, u := range secrets {
		b.Secrets = append(b.Secrets, u)
	}
	slices.SortFunc(b.Hours, func(a, b auth.UsageHour) int {
		return cmp.Or(cmp.Compare(a.KeyID, b.KeyID), a.Hour.Compare(b.Hour))
	})
	slices.SortFunc(b.Secrets, func(a, b auth.SecretUse) int { return slices.Compare(a.Digest[:], b.Digest[:]) })
	return b
}

// later merges the uses of a secret in two hours, as the store would.
func later(a, b auth.SecretUse) auth.SecretUse {
	if a.Digest != b.Digest {
		return b
	}
	if seen(b).Before(seen(a)) {
		a, b = b, a
	}
	if !a.FirstUsed.IsZero() {
		b.FirstUsed = a.FirstUsed
	}
	if b.LastUsed.IsZero() {
		b.LastUsed = a.LastUsed
	}
	if b.LastDenied.IsZero() {
		b.LastDenied = a.LastDenied
	}
	b.Client = cmp.Or(b.Client, a.Client)
	return b
}

// seen is when a secret was last sent.
func seen(u auth.SecretUse) time.Time {
	if u.LastDenied.After(u.LastUsed) {
		return u.LastDenied
	}
	return u.LastUsed
}
