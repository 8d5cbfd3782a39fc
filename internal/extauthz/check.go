package extauthz

import (
	"context"
	"net/netip"
	"time"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"

	"authd/internal/answer"
	"authd/internal/auth"
	"authd/internal/inbound"
	"authd/internal/observe"
	"authd/internal/tracing"
)

// service answers Check.
type service struct {
	authv3.UnimplementedAuthorizationServer

	checker     *auth.Checker
	credentials *inbound.Credentials
	headers     *headerReader
	stripper    *stripper
	identity    []string // names of the identity headers, in lower case
	trusted     inbound.Networks
	denials     *answer.Denials
	routes      *routes
	metrics     *observe.Metrics
	tracer      *tracing.Tracer // nil: off
	log         *observe.Log
	now         func() time.Time
}

func newService(o *Options) (*service, error) {
	o.Headers = inbound.HeaderNames(o.Headers)
	if o.Now == nil {
		o.Now = time.Now
	}
	rs, err := newRoutes(o)
	if err != nil {
		return nil, err
	}
	return &service{
		checker:     o.Checker,
		credentials: inbound.NewCredentials(o.Sources),
		headers:     newHeaderReader(o),
		stripper:    newStripper(o.Sources),
		identity:    lower(o.Headers[:]),
		trusted:     o.Trusted,
		denials:     answer.NewDenials(inbound.Challenges(o.Sources, o.Realm)),
		routes:      rs,
		metrics:     o.Metrics,
		tracer:      o.Tracer,
		log:         observe.NewLog(o.Log),
		now:         o.Now,
	}, nil
}

// exchange is a request and what came of it.
type exchange struct {
	route     *route
	policy    string // as Envoy asks for it
	peer      netip.AddrPort
	requestID string // where something tells it

	original inbound.Original
	strip    strip
	decision auth.Decision
	span     tracing.Span
}

// Check decides and answers. It never returns an error.
//
// No deadline is put on the context here: Envoy's own comes with the call, and a
// Finder and a Limiter bound their waits.
func (s *service) Check(ctx context.Context, req *authv3.CheckRequest) (resp *authv3.CheckResponse, _ error) {
	a := req.GetAttributes()
	rt, policy := s.routes.of(a.GetContextExtensions())
	defer func() {
		if p := recover(); p != nil {
			resp = s.rescue(ctx, rt, p)
		}
	}()
	start := s.now()
	x := exchange{route: rt, policy: policy, peer: peerOf(ctx)}
	if s.tracer != nil {
		ctx, x.span = s.tracer.Request(ctx, metadataOf(ctx), ProxyName, rt.policyName)
		defer func() { x.span.End(&x.decision) }() // also of one that panics: its decision is that nobody made one
	}
	s.decide(ctx, &x, a, start)
	if x.decision.Reason.Allows() {
		if s.log.Tells(ctx, &x.decision) {
			x.nameRequest()
			s.log.Allowed(ctx, x.told())
		}
		s.metrics.Count(rt.counters, &x.decision, s.now().Sub(start), x.span.TraceID())
		return allowed(s.identity, x.decision.Key, x.strip), nil
	}
	x.nameRequest()
	s.log.Denied(ctx, x.told())
	s.metrics.Count(rt.counters, &x.decision, s.now().Sub(start), x.span.TraceID())
	return denied(s.denials, answer.Of(x.decision.Reason), x.requestID, x.decision.Limit), nil
}

// decide translates the request for the Checker.
func (s *service) decide(ctx context.Context, x *exchange, a *authv3.AttributeContext, at time.Time) {
	r := a.GetRequest().GetHttp()
	h, aliased := s.headers.read(r)
	x.original = original(a, h, addrOf(x.peer), s.trusted)
	switch {
	case a == unreadable:
		x.decision = auth.Decision{Reason: auth.MalformedCredential, Detail: "the CheckRequest can't be read: something in it is no UTF-8, most likely in a header"}
		return
	case x.route.refused:
		x.decision.Reason = auth.UnknownPolicy
		return
	case aliased:
		x.decision.Reason = auth.AliasedHeader
		return
	}
	o, query := &x.original, queryOf(r.GetPath())
	req := auth.Request{
		Policy: x.route.policy, At: at,
		Vouched: o.Vouched, Method: o.Method, Host: o.Host, Path: o.Path, Client: o.Client,
		Preflight: o.Preflight(h),
	}
	var fromAuthorization bool
	req.Credential, fromAuthorization = s.credentials.Read(h, query)
	x.strip = s.stripper.of(h, query, fromAuthorization)
	x.decision = s.checker.Check(ctx, &req)
}

// rescue turns a panic into a denial. The process lives on.
func (s *service) rescue(ctx context.Context, rt *route, p any) *authv3.CheckResponse {
	rt.counters.Panicked()
	id := inbound.NewRequestID()
	s.log.Panicked(ctx, p, id)
	return denied(s.denials, answer.Of(auth.Undecided), id, auth.LimitState{})
}

// nameRequest gives the request an id, unless its proxy has.
func (x *exchange) nameRequest() {
	if x.requestID = x.original.RequestID; x.requestID == "" {
		x.requestID = inbound.NewRequestID()
	}
}

// told is the exchange as the log tells it.
func (x *exchange) told() observe.Exchange {
	e := observe.Exchange{
		Decision: x.decision, Proxy: ProxyName, Policy: x.route.policyName, RequestID: x.requestID,
		Original: x.original, Peer: x.peer.String(),
	}
	switch x.decision.Reason {
	case auth.UnknownPolicy:
		e.Hint = observe.PolicyHint(x.policy) + ", and context_extensions of Envoy's"
	case auth.AliasedHeader:
		e.Hint = observe.AliasHint
	case auth.Unvouched:
		e.Hint = x.original.Why
	}
	return e
}
