package api

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"

	"golang.org/x/time/rate"

	"authd/internal/auth"
)

// Lines a second, and at once, for each reason.
const (
	logRate  = 10
	logBurst = 50
)

// maxLogged bounds, in bytes, what a request may put into a log line, for each field.
const maxLogged = 256

// decisionLog writes a line for each denial, as many as a reason is granted,
// and for each allow at debug.
//
// Of a request it logs what a trusted proxy vouches for, and never a query or
// a header that may hold a key.
type decisionLog struct {
	log      *slog.Logger
	limiters [auth.Reasons]*rate.Limiter
	dropped  [auth.Reasons]atomic.Int64
}

func newDecisionLog(log *slog.Logger) *decisionLog {
	l := &decisionLog{log: log}
	for r := range l.limiters {
		l.limiters[r] = rate.NewLimiter(logRate, logBurst)
	}
	return l
}

// allowed logs an allow where somebody wants to know.
func (l *decisionLog) allowed(x *exchange) {
	ctx := x.request.Context()
	if l.log.Enabled(ctx, slog.LevelDebug) {
		x.nameRequest()
		l.log.LogAttrs(ctx, slog.LevelDebug, "allowed", x.attrs()...)
	}
}

// denied logs a denial.
func (l *decisionLog) denied(x *exchange) {
	r := min(x.decision.Reason, auth.Reasons-1)
	ctx, level := x.request.Context(), levelOf(x)
	if !l.log.Enabled(ctx, level) {
		return
	}
	if !l.limiters[r].Allow() {
		l.dropped[r].Add(1)
		return
	}
	attrs := x.attrs()
	if x.decision.Err != nil {
		attrs = append(attrs, slog.String("err", x.decision.Err.Error()))
	}
	if x.decision.Detail != "" {
		attrs = append(attrs, slog.String("detail", x.decision.Detail))
	}
	if hint := x.hint(); hint != "" {
		attrs = append(attrs, slog.String("hint", hint))
	}
	if n := l.dropped[r].Swap(0); n > 0 {
		attrs = append(attrs, slog.Int64("suppressed", n)) // lines of this reason since the last one
	}
	l.log.LogAttrs(ctx, level, "denied", attrs...)
}

// levelOf: what somebody has to mend is an error, unless the client left and took the look-up with it.
func levelOf(x *exchange) slog.Level {
	switch x.decision.Reason {
	case auth.UnknownProxy, auth.UnknownPolicy:
		return slog.LevelError
	case auth.Undecided, auth.Unavailable, auth.LeaseLost:
		if errors.Is(x.request.Context().Err(), context.Canceled) {
			return slog.LevelDebug
		}
		return slog.LevelError
	}
	return slog.LevelInfo
}

// attrs is what both kinds of line tell.
func (x *exchange) attrs() []slog.Attr {
	d, o := &x.decision, &x.original
	attrs := make([]slog.Attr, 0, 20)
	add := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, bounded(value)))
		}
	}
	add("reason", d.Reason.String())
	attrs = append(attrs, slog.Int("status", verdictOf(d.Reason).status))
	add("proxy", x.route.proxy)
	add("policy", x.route.policyName)
	add("request_id", x.requestID)
	if d.Key != nil {
		add("key", d.Key.Name)
		add("key_id", d.Key.ID)
		add("user", d.Key.User)
	}
	if o.vouched {
		if o.client.IsValid() {
			add("client", o.client.String())
		}
		add("method", o.method)
		add("host", o.host)
		add("path", o.path)
	} else if a, ok := peerOf(x.request.RemoteAddr); ok {
		add("peer", a.String())
	}
	return attrs
}

// hint says what the operator can do where a configuration is the likely cause.
func (x *exchange) hint() string {
	names := strings.Join(dialectNames(), ", ")
	switch x.decision.Reason {
	case auth.UnknownProxy:
		return "there is no proxy " + quoted(x.unknown) + " to ask as; known: " + names
	case auth.UnknownPolicy:
		hint := "there is no policy " + quoted(x.unknown) + " in the configuration: see policies"
		if x.route.dialect.below {
			hint += "; the proxy appends its client's path, so its own must end with the policy: " + x.route.path + "/<policy>"
		}
		return hint
	case auth.AliasedHeader:
		return "a header of the request could be taken for an identity header by the upstream"
	case auth.Unvouched:
		if x.route.dialect == nil {
			return "the key or the policy looks at the original request, and plain /verify believes no forwarded header: " +
				"point the proxy at /verify/<proxy> (" + names + ") or set verify.proxy, and list its address in verify.trusted_proxies"
		}
		return x.original.why
	}
	return ""
}

// quoted is a part of a path as a log line can carry it.
func quoted(s string) string { return `"` + strings.ToValidUTF8(bounded(s), "?") + `"` }

func bounded(s string) string {
	if len(s) > maxLogged {
		return s[:maxLogged] + "…"
	}
	return s
}
