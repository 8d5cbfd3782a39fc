package api

import (
	"fmt"
	"strings"

	"authd/internal/auth"
	"authd/internal/observe"
)

// route is what the path that a proxy is configured with stands for.
type route struct {
	path              string
	dialect           dialect      // nil: believes nothing but the credential
	policy            *auth.Policy // nil: asks for a key, and nothing more
	refusal           auth.Reason  // UnknownProxy or UnknownPolicy; Allowed on a route that decides
	proxy, policyName string       // as logs and metrics name them
	counters          *observe.Route
}

// routes are all paths under /verify, known beforehand: what a client may
// choose freely never comes to be a policy, or a label.
type routes struct {
	decide        []*route
	unknownProxy  *route
	unknownPolicy map[string]*route // by proxy
}

// unknownLabel stands for what is not configured.
const unknownLabel = "unknown"

const verifyPath = "/verify"

func newRoutes(o *Options, m *observe.Metrics) (*routes, error) {
	add := func(path, proxy, policyName string, refusal auth.Reason) *route {
		return &route{
			path: path, proxy: proxy, policyName: policyName, refusal: refusal,
			dialect: dialects[proxy], policy: o.Policies[policyName], counters: m.NewRoute(proxy, policyName),
		}
	}
	rs := &routes{
		decide:        []*route{add(verifyPath, o.Proxy, auth.DefaultPolicy, auth.Allowed)},
		unknownProxy:  add(verifyPath, unknownLabel, unknownLabel, auth.UnknownProxy),
		unknownPolicy: map[string]*route{},
	}
	for _, proxy := range dialectNames() {
		path := verifyPath + "/" + proxy
		rs.unknownPolicy[proxy] = add(path, proxy, unknownLabel, auth.UnknownPolicy)
		rs.decide = append(rs.decide,
			add(path, proxy, auth.DefaultPolicy, auth.Allowed),
			add(path+"/"+auth.DefaultPolicy, proxy, auth.DefaultPolicy, auth.Allowed))
		for name, p := range o.Policies {
			if err := auth.CheckPolicyName(name); err != nil {
				return nil, err
			}
			if p == nil {
				return nil, fmt.Errorf("policy %q is nil", name)
			}
			rs.decide = append(rs.decide, add(path+"/"+name, proxy, name, auth.Allowed))
		}
	}
	return rs, nil
}

// refuse finds the route that refuses a path under /verify/ that is not
// configured, and the part of the path that is not known. It is nil for
// any other path.
func (rs *routes) refuse(path string) (rt *route, unknown string) {
	rest, ok := strings.CutPrefix(path, verifyPath+"/")
	if !ok {
		return nil, ""
	}
	proxy, policy, _ := strings.Cut(rest, "/")
	if rt := rs.unknownPolicy[proxy]; rt != nil {
		return rt, policy
	}
	return rs.unknownProxy, proxy
}
