package extauthz

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"authd/internal/auth"
	"authd/internal/inbound"
	"authd/internal/observe"
	"authd/internal/tracing"
)

// Options are what NewServer is made of. Checker, Sources, Metrics and Log
// are needed; the zero value of the others has a meaning. What an operator may
// choose wrongly is judged by package api, which takes the same.
type Options struct {
	Checker  *auth.Checker
	Policies map[string]*auth.Policy // by the name in context_extensions
	Sources  []inbound.Source        // where a key is looked for, in order
	Trusted  []netip.Prefix          // the peers whose word about a request is believed

	Realm   string                      // in WWW-Authenticate
	Headers [auth.IdentityFields]string // names of the identity headers; those of inbound.DefaultHeaders where empty

	Metrics *observe.Metrics
	Tracer  *tracing.Tracer // nil: nothing is traced
	Log     *slog.Logger
	Ready   func() bool // what the health service asks; nil: always ready
	Now     func() time.Time
}

// ProxyName is this transport, as logs and metrics name it.
const ProxyName = "envoy-grpc"

// route is what a policy in context_extensions stands for.
type route struct {
	policy     *auth.Policy // nil: asks for a key, and nothing more
	policyName string       // as logs and metrics name it
	refused    bool         // the policy is not configured
	counters   *observe.Route
}

// routes are all policies, known beforehand: what is not configured never
// comes to be a label.
type routes struct {
	byPolicy map[string]*route
	unknown  *route
}

func newRoutes(o *Options) (*routes, error) {
	rs := &routes{byPolicy: map[string]*route{}, unknown: &route{
		policyName: observe.Unknown, refused: true, counters: o.Metrics.NewRoute(ProxyName, observe.Unknown),
	}}
	add := func(name string, p *auth.Policy) {
		rs.byPolicy[name] = &route{policy: p, policyName: name, counters: o.Metrics.NewRoute(ProxyName, name)}
	}
	var errs []error
	for name, p := range o.Policies {
		if err := auth.CheckPolicyName(name); err != nil {
			errs = append(errs, err)
		} else if p == nil {
			errs = append(errs, fmt.Errorf("policy %q is nil", name))
		}
		add(name, p)
	}
	add(auth.DefaultPolicy, nil)
	return rs, errors.Join(errs...)
}

// of finds the route of the policy that the operator wrote into Envoy's configuration.
func (rs *routes) of(extensions map[string]string) (rt *route, policy string) {
	policy, ok := extensions["policy"]
	if !ok {
		policy = auth.DefaultPolicy
	}
	if rt = rs.byPolicy[policy]; rt == nil {
		rt = rs.unknown
	}
	return rt, policy
}
