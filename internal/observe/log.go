package observe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"

	"golang.org/x/time/rate"

	"authd/internal/answer"
	"authd/internal/auth"
	"authd/internal/inbound"
)

// Lines a second, and at once, for each reason.
const (
	logRate  = 10
	logBurst = 50
)

// maxLogged bounds, in bytes, what a request may put into a log line, for each field.
const maxLogged = 256

// Log writes a line for each denial, as many as a reason is granted, and for
// each allow at debug.
//
// Of a request it logs what a trusted proxy vouches for, and never a query or
// a header that may hold a key.
type Log struct {
	log    *slog.Logger
	denial paced
	shadow paced
}

// paced grants so many lines to each reason, and counts those that it does not.
type paced struct {
	limiters [auth.Reasons]*rate.Limiter
	dropped  [auth.Reasons]atomic.Int64
}

func (p *paced) init() {
	for r := range p.limiters {
		p.limiters[r] = rate.NewLimiter(logRate, logBurst)
	}
}

// grants reports whether a line may be written, and how many of its reason were not since the last one.
func (p *paced) grants(r auth.Reason) (suppressed int64, ok bool) {
	if !p.limiters[r].Allow() {
		p.dropped[r].Add(1)
		return 0, false
	}
	return p.dropped[r].Swap(0), true
}

// NewLog makes a Log that writes to log.
func NewLog(log *slog.Logger) *Log {
	l := &Log{log: log}
	l.denial.init()
	l.shadow.init()
	return l
}

// Exchange is a question and what came of it, as a line tells it.
type Exchange struct {
	Decision      auth.Decision
	Proxy, Policy string // of the route
	RequestID     string
	Original      inbound.Original
	Peer          string // address and port of who has asked; told where nothing is vouched for
	Hint          string // what the operator can do where a configuration is the likely cause
}

// Tells reports whether an allow is told: at debug, or because a policy that
// only shadows would have denied it.
func (l *Log) Tells(ctx context.Context, d *auth.Decision) bool {
	return d.Would != auth.Undecided || l.log.Enabled(ctx, slog.LevelDebug)
}

// Allowed logs an allow that is told.
func (l *Log) Allowed(ctx context.Context, x Exchange) {
	if x.Decision.Would != auth.Undecided {
		l.wouldDeny(ctx, &x)
	}
	if l.log.Enabled(ctx, slog.LevelDebug) {
		l.log.LogAttrs(ctx, slog.LevelDebug, "allowed", x.attrs()...)
	}
}

func (l *Log) wouldDeny(ctx context.Context, x *Exchange) {
	r := min(x.Decision.Would, auth.Reasons-1)
	if !l.log.Enabled(ctx, slog.LevelInfo) {
		return
	}
	suppressed, ok := l.shadow.grants(r)
	if !ok {
		return
	}
	attrs := append(x.attrs(), slog.String("would", r.String()), slog.String("hint", x.explainCommand()))
	l.log.LogAttrs(ctx, slog.LevelInfo, "would be denied", withSuppressed(attrs, suppressed)...)
}

// withSuppressed tells how many lines of this reason were left out since the last one.
func withSuppressed(attrs []slog.Attr, n int64) []slog.Attr {
	if n > 0 {
		attrs = append(attrs, slog.Int64("suppressed", n))
	}
	return attrs
}

// Denied logs a denial.
func (l *Log) Denied(ctx context.Context, x Exchange) {
	r, level := min(x.Decision.Reason, auth.Reasons-1), levelOf(ctx, x.Decision.Reason)
	if !l.log.Enabled(ctx, level) {
		return
	}
	suppressed, ok := l.denial.grants(r)
	if !ok {
		return
	}
	attrs := x.attrs()
	if err := x.Decision.Err; err != nil {
		attrs = append(attrs, slog.String("err", err.Error()))
	}
	if x.Decision.Detail != "" {
		attrs = append(attrs, slog.String("detail", x.Decision.Detail))
	}
	if x.Hint == "" && x.Decision.Key != nil && answer.Of(r).Result() == answer.Deny {
		x.Hint = x.explainCommand()
	}
	if x.Hint != "" {
		attrs = append(attrs, slog.String("hint", x.Hint))
	}
	l.log.LogAttrs(ctx, level, "denied", withSuppressed(attrs, suppressed)...)
}

// explainCommand tells how to ask what would have to change. It holds nothing
// that a client has chosen: people paste it into a shell.
func (x *Exchange) explainCommand() string {
	command := "authd explain --key-name " + x.Decision.Key.ID + " --proxy " + x.Proxy
	if x.Policy != auth.DefaultPolicy {
		command += " --policy " + x.Policy
	}
	return command
}

// Panicked logs what recover has given. It tells where it was, and never what
// was in the request: the text of a panic only where the runtime wrote it.
func (l *Log) Panicked(ctx context.Context, p any, requestID string) {
	what := fmt.Sprintf("a value of type %T", p)
	if err, ok := p.(runtime.Error); ok {
		what = err.Error()
	}
	l.log.LogAttrs(ctx, slog.LevelError, "a request panicked: please report this",
		slog.String("panic", what), slog.String("request_id", requestID), slog.String("stack", string(debug.Stack())))
}

// levelOf: what somebody has to mend is an error, unless the client left and took the look-up with it.
func levelOf(ctx context.Context, r auth.Reason) slog.Level {
	switch r {
	case auth.UnknownProxy, auth.UnknownPolicy:
		return slog.LevelError
	case auth.Undecided, auth.Unavailable, auth.LeaseLost:
		if errors.Is(ctx.Err(), context.Canceled) {
			return slog.LevelDebug
		}
		return slog.LevelError
	}
	return slog.LevelInfo
}

// attrs is what both kinds of line tell.
func (x *Exchange) attrs() []slog.Attr {
	d, o := &x.Decision, &x.Original
	attrs := make([]slog.Attr, 0, 20)
	add := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, bounded(value)))
		}
	}
	add("reason", d.Reason.String())
	attrs = append(attrs, slog.Int("status", answer.Of(d.Reason).Status))
	add("proxy", x.Proxy)
	add("policy", x.Policy)
	add("request_id", x.RequestID)
	if d.Key != nil {
		add("key", d.Key.Name)
		add("key_id", d.Key.ID)
		add("user", d.Key.User)
	}
	if o.Vouched {
		if o.Client.IsValid() {
			add("client", o.Client.String())
		}
		add("method", o.Method)
		add("host", o.Host)
		add("path", o.Path)
	} else if a, ok := inbound.PeerOf(x.Peer); ok {
		add("peer", a.String())
	}
	return attrs
}

// AliasHint tells of an auth.AliasedHeader.
const AliasHint = "a header of the request could be taken for an identity header by the upstream"

// PolicyHint tells of a policy that is not configured.
func PolicyHint(name string) string {
	return "there is no policy " + Quoted(name) + " in the configuration: see policies"
}

// Quoted is what a client or a proxy wrote, as a log line can carry it.
func Quoted(s string) string { return `"` + strings.ToValidUTF8(bounded(s), "?") + `"` }

func bounded(s string) string {
	if len(s) > maxLogged {
		return s[:maxLogged] + "…"
	}
	return s
}
