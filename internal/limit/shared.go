package limit

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"authd/internal/auth"
	"authd/internal/redisconn"
	"authd/internal/tracing"
)

// What becomes of a request that can't be counted in Redis: the values of limits.fail.
const (
	FailOpen   = "open"   // it passes, uncounted
	FailClosed = "closed" // it is denied, since it can't be decided
	FailLocal  = "local"  // this process counts it by itself
)

// SharedOptions are how a Shared is made.
type SharedOptions struct {
	Redis      *redisconn.Conn // the caller's, to close
	Database   string          // names the store whose keys these are: others in the same Redis have another name
	Fail       string          // FailOpen, FailClosed or FailLocal
	Took       prometheus.Observer
	Registerer prometheus.Registerer
	Log        *slog.Logger
}

// Shared is an auth.Limiter that counts in Redis, for all processes that do so
// under the name of the same database. A request is one round trip: a script
// counts it against all its limits, or against none.
//
// The time is Redis' own. Replicas whose clocks differ would otherwise make up
// for a burst more than once, and disagree on when a day ends.
type Shared struct {
	conn     *redisconn.Conn
	prefix   string
	fail     string
	took     prometheus.Observer
	away     awayLog
	remember time.Duration
	now      func() time.Time // nil: Redis' clock

	tally        tally
	open, closed prometheus.Counter
	local        *Local // of FailLocal
}

// NewShared asks nothing yet.
func NewShared(o SharedOptions) (*Shared, error) {
	d := newDecisions(o.Registerer)
	database := sha256.Sum256([]byte(o.Database))
	s := &Shared{
		conn: o.Redis, fail: o.Fail, took: o.Took, away: awayLog{log: o.Log, fail: o.Fail}, remember: remember, tally: d.tally(modeRedis),
		prefix: fmt.Sprintf("authd:limit:%d:%s:{", layoutVersion, hex.EncodeToString(database[:8])),
	}
	switch o.Fail {
	case FailOpen:
		s.open = d.of("allowed", modeOpen)
	case FailClosed:
		s.closed = d.of("unavailable", modeClosed)
	case FailLocal:
		s.local = newLocal(d, maxKeys)
	default:
		return nil, fmt.Errorf("limits.fail is %q: open, closed or local is wanted", o.Fail)
	}
	return s, nil
}

// layoutVersion is raised with the layout of what take.lua stores.
const layoutVersion = 1

//go:embed take.lua
var takeScript string

var script = redis.NewScript(takeScript)

// Take counts a request of a key that has limits, or whose user has, or refuses it. now is used where
// Redis does not answer in time, which limits.fail rules. What the caller's context says does not end it: it is
// bounded anyway, and that a client goes away says nothing of Redis.
func (s *Shared) Take(ctx context.Context, k *auth.Key, now time.Time, requestID string) (auth.LimitState, error) {
	if err := validate(k); err != nil {
		return auth.LimitState{}, err
	}
	names, args := s.question(k, requestID)
	var answer any
	asking, end := tracing.Step(context.WithoutCancel(ctx), "redis limit")
	err := s.conn.Ask(asking, s.took, func(ctx context.Context, c redis.UniversalClient) (err error) {
		answer, err = script.Run(ctx, c, names, args...).Result()
		return err
	})
	end(err)
	if err == nil {
		var state auth.LimitState
		if state, err = s.read(k, answer); err == nil {
			return state, nil
		}
	}
	return s.without(ctx, k, now, requestID, err)
}

// question is what take.lua is asked. All names have one hash tag, so that a cluster has them on one
// node: the user's. A key that goes to another user begins anew.
func (s *Shared) question(k *auth.Key, requestID string) (names []string, args []any) {
	// The length tells where a login ends, whatever is in it; and no tag is empty.
	tag := s.prefix + strconv.Itoa(len(k.User)) + ":" + k.User + "}"
	names = make([]string, 0, 3)
	args = make([]any, 1, 13)
	if k.Limits != nil {
		names = append(names, tag+"key:"+k.ID)
		args = appendLimits(args, k.Limits)
	}
	if k.UserLimits != nil {
		names = append(names, tag+"user")
		args = appendLimits(args, k.UserLimits)
	}
	args[0] = len(names)
	if requestID != "" {
		id := sha256.Sum256([]byte(requestID)) // of one length, whatever a proxy makes
		names = append(names, tag+"request:"+k.ID+":"+hex.EncodeToString(id[:16]))
		args = append(args, s.remember.Milliseconds(), mostRepeats)
	}
	if s.now != nil {
		now := s.now()
		args = append(args, now.Unix(), now.Nanosecond())
	}
	return names, args
}

func appendLimits(args []any, l *auth.Limits) []any {
	p, every := paceOf(l), int64(0)
	if l.Rate.Count > 0 {
		every = p.every
	}
	return append(args, every, p.burst, l.Quota.Count, l.Quota.Per)
}

var errAnswer = errors.New("an answer from Redis that take.lua does not give")

// What take.lua says of a request that passes.
const (
	counted  = int64(0)
	repeated = int64(1)
)

func (s *Shared) read(k *auth.Key, answer any) (auth.LimitState, error) {
	switch answer {
	case counted:
		s.tally.decided[auth.Allowed].Inc()
		return auth.LimitState{Reason: auth.Allowed}, nil
	case repeated:
		s.tally.repeated.Inc()
		return auth.LimitState{Reason: auth.Allowed}, nil
	}
	list, ok := answer.([]any)
	var of [2]standing // of the key and the user
	for i, l := range [...]*auth.Limits{k.Limits, k.UserLimits} {
		if l == nil {
			continue
		}
		if len(list) < 3 {
			return auth.LimitState{}, errAnswer
		}
		rate, ok1 := list[0].(int64)
		quota, ok2 := list[1].(int64)
		length, ok3 := list[2].(int64)
		ok = ok && ok1 && ok2 && ok3
		of[i] = standing{rate, quota, time.Duration(length) * time.Second}
		list = list[3:]
	}
	if !ok || len(list) > 0 || of[0].passes() && of[1].passes() {
		return auth.LimitState{}, errAnswer
	}
	state := refusal(k, of[0], of[1])
	s.tally.decided[state.Reason].Inc()
	return state, nil
}

// without decides where Redis could not be asked, by limits.fail.
func (s *Shared) without(ctx context.Context, k *auth.Key, now time.Time, requestID string, err error) (auth.LimitState, error) {
	s.away.note(now, err)
	switch s.fail {
	case FailOpen:
		s.open.Inc()
		return auth.LimitState{Reason: auth.Allowed}, nil
	case FailLocal:
		return s.local.Take(ctx, k, now, requestID)
	}
	s.closed.Inc()
	return auth.LimitState{}, fmt.Errorf("%w: Redis does not count the request, and limits.fail is closed: %w", auth.ErrUnavailable, err)
}
