package api

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"authd/internal/auth"
	"authd/internal/observe"
)

// route is what the path that a proxy is configured with stands for.
type route struct {
	path              string
	dialect           *dialect     // nil: believes nothing but the credential
	policy            *auth.Policy // nil: asks for a key, and nothing more
	refusal           auth.Reason  // UnknownProxy or UnknownPolicy; Allowed on a route that decides
	proxy, policyName string       // as logs and metrics name them
	counters          *observe.Route
}

// routes are all paths under /verify, known beforehand: what a client may
// choose freely never comes to be a policy, or a label.
type routes struct {
	decide        []*route          // by their path alone
	below         map[string]*route // by proxy/policy, and asked at any path below that
	unknownProxy  *route
	unknownPolicy map[string]*route // by proxy
}

const verifyPath = "/verify"

func newRoutes(o *Options) (*routes, error) {
	for name, p := range o.Policies {
		if err := auth.CheckPolicyName(name); err != nil {
			return nil, err
		}
		if p == nil {
			return nil, fmt.Errorf("policy %q is nil", name)
		}
	}
	add := func(path, proxy, policyName string, refusal auth.Reason) *route {
		return &route{
			path: path, proxy: proxy, policyName: policyName, refusal: refusal,
			dialect: dialects[proxy], policy: o.Policies[policyName], counters: o.Metrics.NewRoute(proxy, policyName),
		}
	}
	rs := &routes{
		decide:        []*route{add(verifyPath, o.Proxy, auth.DefaultPolicy, auth.Allowed)},
		below:         map[string]*route{},
		unknownProxy:  add(verifyPath, observe.Unknown, observe.Unknown, auth.UnknownProxy),
		unknownPolicy: map[string]*route{},
	}
	names := append([]string{auth.DefaultPolicy}, slices.Sorted(maps.Keys(o.Policies))...)
	for proxy, d := range dialects {
		path := verifyPath + "/" + proxy
		rs.unknownPolicy[proxy] = add(path, proxy, observe.Unknown, auth.UnknownPolicy)
		if !d.below {
			rs.decide = append(rs.decide, add(path, proxy, auth.DefaultPolicy, auth.Allowed))
		}
		for _, name := range names {
			rt := add(path+"/"+name, proxy, name, auth.Allowed)
			if d.below {
				rs.below[proxy+"/"+name] = rt
			}
			rs.decide = append(rs.decide, rt)
		}
	}
	return rs, nil
}

// find finds the route of a path under /verify/ that is none to the letter: one
// that is asked below its path too, or one that refuses, with the part of
// the path that is not known. It is nil for any other path.
func (rs *routes) find(path string) (rt *route, unknown string) {
	rest, ok := strings.CutPrefix(path, verifyPath+"/")
	if !ok {
		return nil, ""
	}
	proxy, policy, _ := strings.Cut(rest, "/")
	refusing := rs.unknownPolicy[proxy]
	switch {
	case refusing == nil:
		return rs.unknownProxy, proxy
	case !refusing.dialect.below:
		return refusing, policy
	}
	name, _, deeper := strings.Cut(policy, "/")
	if rt := rs.below[rest[:len(rest)-len(policy)+len(name)]]; deeper && rt != nil {
		return rt, ""
	}
	return refusing, name
}
