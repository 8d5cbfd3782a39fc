package limit

import (
	"context"
	"fmt"
	"hash/maphash"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"authd/internal/auth"
)

const (
	// shards is how many locks there are, so that keys seldom wait for each other.
	shards = 64
	// maxKeys bounds the keys that are counted at once, and the users as well, and so the memory: about 200 bytes each.
	maxKeys = 1 << 20
)

// Local is an auth.Limiter that counts in this process. It is safe for
// concurrent use, and runs nothing in the background.
//
// It remembers a key from its first request until it is at rest: its burst
// is whole again, and the window of its quota is over. Forgetting it then
// changes no answer. Keys that are not at rest are never forgotten: where
// maxKeys of them are in use, a further one gets an error, and so is neither
// allowed uncounted nor makes room for itself at the cost of another. The
// same goes for users.
type Local struct {
	seed        maphash.Seed
	keys, users [shards]shard // a key's is locked before its user's
	tally       tally
}

// NewLocal counts nothing yet.
func NewLocal(reg prometheus.Registerer) *Local { return newLocal(newDecisions(reg), maxKeys) }

func newLocal(d decisions, most int) *Local {
	l := &Local{seed: maphash.MakeSeed(), tally: d.tally(modeLocal)}
	for i := range shards {
		for _, s := range []*shard{&l.keys[i], &l.users[i]} {
			s.most = most / shards
			s.entries = map[string]*entry{}
		}
	}
	return l
}

// validate refuses limits that no store gives, and that can't be counted.
func validate(k *auth.Key) error {
	for _, l := range [...]*auth.Limits{k.Limits, k.UserLimits} {
		if l == nil {
			continue
		}
		if err := l.Validate(); err != nil {
			return fmt.Errorf("limits that can't be counted: %w", err)
		}
	}
	return nil
}

// Take counts a request of a key that has limits, or whose user has, or refuses it. It never waits for anything but locks.
func (l *Local) Take(_ context.Context, k *auth.Key, now time.Time, requestID string) (auth.LimitState, error) {
	if err := validate(k); err != nil {
		return auth.LimitState{}, err
	}
	state, repeated, err := l.take(k, now.UnixNano(), requestID)
	switch {
	case err != nil:
		l.tally.unavailable.Inc()
		return auth.LimitState{}, err
	case repeated:
		l.tally.repeated.Inc()
	default:
		l.tally.decided[state.Reason].Inc()
	}
	return state, nil
}

func (l *Local) take(k *auth.Key, at int64, requestID string) (state auth.LimitState, repeated bool, err error) {
	keys := &l.keys[l.place(k.ID)]
	keys.mu.Lock()
	defer keys.mu.Unlock()
	request := uint64(0)
	if requestID != "" {
		request = l.request(k.ID, requestID)
		if keys.repeats.again(request, at) {
			return auth.LimitState{Reason: auth.Allowed}, true, nil
		}
	}
	var key, user *entry
	var ofKey, ofUser standing
	if k.Limits != nil {
		if key, err = keys.entryLocked(k.ID, at); err != nil {
			return state, false, err
		}
		ofKey = key.judge(k.Limits, at)
	}
	if k.UserLimits != nil {
		users := &l.users[l.place(k.User)]
		users.mu.Lock()
		defer users.mu.Unlock()
		if user, err = users.entryLocked(k.User, at); err != nil {
			return state, false, err
		}
		ofUser = user.judge(k.UserLimits, at)
	}
	if !ofKey.passes() || !ofUser.passes() {
		return refusal(k, ofKey, ofUser), false, nil
	}
	if key != nil {
		key.count(k.Limits)
	}
	if user != nil {
		user.count(k.UserLimits)
	}
	if requestID != "" {
		keys.repeats.passed(request, at)
	}
	return auth.LimitState{Reason: auth.Allowed}, false, nil
}

func (l *Local) place(id string) uint64 { return maphash.String(l.seed, id) % shards }

// request is one number for a key and an id: ids are as long as a proxy likes, and clients can't find two that meet.
func (l *Local) request(key, id string) uint64 {
	var h maphash.Hash
	h.SetSeed(l.seed)
	_, _ = h.WriteString(key)
	_ = h.WriteByte(0)
	_, _ = h.WriteString(id)
	return h.Sum64()
}
