package api

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"authd/internal/answer"
	"authd/internal/auth"
	"authd/internal/inbound"
	"authd/internal/observe"
	"authd/internal/tracing"
)

// verifier answers /verify.
type verifier struct {
	checker     *auth.Checker
	credentials *inbound.Credentials
	aliases     *inbound.Aliases
	trusted     inbound.Networks
	answers     *answers
	metrics     *observe.Metrics
	tracer      *tracing.Tracer // nil: off
	log         *observe.Log
	now         func() time.Time

	routes *routes
	byPath map[string]*route
}

// NewVerify makes the handler of the listener that proxies ask: /verify and
// what is below it, /healthz and /readyz. Its error holds every fault.
func NewVerify(o Options) (http.Handler, error) {
	o = o.withDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	rs, err := newRoutes(&o)
	if err != nil {
		return nil, err
	}
	v := &verifier{
		checker:     o.Checker,
		credentials: inbound.NewCredentials(o.Sources),
		aliases:     inbound.NewAliases(o.Headers[:]),
		trusted:     o.Trusted,
		answers:     newAnswers(&o),
		metrics:     o.Metrics,
		tracer:      o.Tracer,
		log:         observe.NewLog(o.Log),
		now:         o.Now,
		routes:      rs,
		byPath:      map[string]*route{},
	}
	e := newEngine()
	for _, rt := range rs.decide {
		v.byPath[rt.path] = rt
		e.Any(rt.path, func(c *gin.Context) { v.serve(c, rt, "") })
	}
	e.NoRoute(v.serveOther)
	v.health(e, o.Ready)
	return e, nil
}

// newEngine is gin without its niceties: a redirect would be an error to a proxy.
func newEngine() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.RedirectTrailingSlash = false
	e.RedirectFixedPath = false
	e.HandleMethodNotAllowed = false
	e.ForwardedByClientIP = false
	return e
}

// exchange is a request and what came of it.
type exchange struct {
	request   *http.Request
	route     *route
	unknown   string // the part of the path that is not configured
	requestID string // where something tells it

	original          inbound.Original
	fromAuthorization bool // the credential, or what should be one
	decision          auth.Decision
	span              tracing.Span
}

// serve decides and answers.
//
// No deadline is put on the request's context here: it would cost every
// request what only a look-up needs. A Finder and a Limiter bound their own waits.
func (v *verifier) serve(c *gin.Context, rt *route, unknown string) {
	defer v.rescue(c, rt)
	start := v.now()
	x := exchange{request: c.Request, route: rt, unknown: unknown}
	if v.tracer != nil {
		var ctx context.Context
		ctx, x.span = v.tracer.Request(c.Request.Context(), c.Request.Header, rt.proxy, rt.policyName)
		c.Request = c.Request.WithContext(ctx)
		x.request = c.Request
		defer func() { x.span.End(&x.decision) }() // also of one that panics: its decision is that nobody made one
	}
	v.decide(&x, start)
	if c.Request.ContentLength != 0 {
		leaveBody(c) // after the decision, which may have waited for a look-up: the grace begins with the answer
	}
	// The answer is last: until then, a panic can still become a denial.
	if x.decision.Reason.Allows() {
		if v.log.Tells(c.Request.Context(), &x.decision) {
			x.nameRequest()
			v.log.Allowed(c.Request.Context(), x.told())
		}
		v.metrics.Count(rt.counters, &x.decision, v.now().Sub(start), x.span.TraceID())
		v.answers.allow(c, &x.decision, x.fromAuthorization)
		return
	}
	x.nameRequest()
	v.log.Denied(c.Request.Context(), x.told())
	v.metrics.Count(rt.counters, &x.decision, v.now().Sub(start), x.span.TraceID())
	v.deny(c, rt, answer.Of(x.decision.Reason), x.requestID, x.decision.Limit)
}

// deny answers in the shape that the proxy of the route can use; rt is nil beside /verify.
func (v *verifier) deny(c *gin.Context, rt *route, told *answer.Verdict, requestID string, limit auth.LimitState) {
	if rt != nil && rt.dialect != nil && rt.dialect.mute {
		v.answers.denyMute(c, told, limit)
		return
	}
	v.answers.deny(c, told, requestID, limit)
}

// decide translates the request for the Checker.
func (v *verifier) decide(x *exchange, at time.Time) {
	r := x.request
	x.original = readOriginal(x.route.dialect, r, v.trusted)
	if x.route.refusal != auth.Allowed {
		x.decision.Reason = x.route.refusal
		return
	}
	if v.aliases.In(r.Header) {
		x.decision.Reason = auth.AliasedHeader
		return
	}
	o := &x.original
	query := r.URL.RawQuery
	if o.Vouched {
		query = o.Query
	}
	req := x.asks(at)
	req.Credential, x.fromAuthorization = v.credentials.Read(r.Header, query)
	x.decision = v.checker.Check(r.Context(), &req)
}

// asks is the request as the Checker sees it, all but its credential.
func (x *exchange) asks(at time.Time) auth.Request {
	o := &x.original
	req := auth.Request{
		Policy: x.route.policy, At: at,
		Vouched: o.Vouched, Method: o.Method, Host: o.Host, Path: o.Path, Client: o.Client,
		Preflight: o.Preflight(x.request.Header),
	}
	if o.MadeID {
		req.RequestID = o.RequestID
	}
	return req
}

// nameRequest gives the request an id, unless its proxy has.
func (x *exchange) nameRequest() {
	if x.requestID = x.original.RequestID; x.requestID == "" {
		x.requestID = inbound.NewRequestID()
	}
}

// serveOther answers what gin has no route for: methods that it does not
// know, paths below a route of Envoy's, paths that are not configured, and
// everything else.
func (v *verifier) serveOther(c *gin.Context) {
	path := c.Request.URL.Path
	if rt := v.byPath[path]; rt != nil {
		v.serve(c, rt, "")
		return
	}
	if rt, unknown := v.routes.find(path); rt != nil {
		v.serve(c, rt, unknown)
		return
	}
	if c.Request.ContentLength != 0 {
		leaveBody(c)
	}
	v.deny(c, nil, answer.NotFound, inbound.NewRequestID(), auth.LimitState{})
}
