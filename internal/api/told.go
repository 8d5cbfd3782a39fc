package api

import (
	"strings"

	"authd/internal/auth"
	"authd/internal/observe"
)

// told is the exchange as the log tells it.
func (x *exchange) told() observe.Exchange {
	return observe.Exchange{
		Decision: x.decision, Proxy: x.route.proxy, Policy: x.route.policyName, RequestID: x.requestID,
		Original: x.original, Peer: x.request.RemoteAddr, Hint: x.hint(),
	}
}

// hint says what the operator can do where a configuration is the likely cause.
func (x *exchange) hint() string {
	switch x.decision.Reason {
	case auth.UnknownProxy:
		return "there is no proxy " + observe.Quoted(x.unknown) + " to ask as; known: " + strings.Join(dialectNames(), ", ")
	case auth.UnknownPolicy:
		hint := observe.PolicyHint(x.unknown)
		if x.route.dialect.below {
			hint += "; the proxy appends its client's path, so its own must end with the policy: " + x.route.path + "/<policy>"
		}
		return hint
	case auth.AliasedHeader:
		return observe.AliasHint
	case auth.Unvouched:
		if x.route.dialect == nil {
			return "the key or the policy looks at the original request, and plain /verify believes no forwarded header: " +
				"point the proxy at /verify/<proxy> (" + strings.Join(dialectNames(), ", ") + ") or set verify.proxy, and list its address in verify.trusted_proxies"
		}
		return x.original.Why
	}
	return ""
}
