package extauthz

import (
	"net/http"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"

	"authd/internal/answer"
	"authd/internal/auth"
)

// set makes an option that replaces every line of the header: the default
// would append to what the client sent.
func set(name, value string) *corev3.HeaderValueOption {
	return &corev3.HeaderValueOption{
		Header:       &corev3.HeaderValue{Key: name, Value: value},
		AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
	}
}

// denied is the only maker of denials.
//
// Envoy looks at the status alone to tell whether a request passes: OK beside
// a denied_response would let it pass. So the status is the same for every
// denial, whatever the client is told. And it is always a denied_response, also
// in an outage: an error_response or an RPC error is what failure_mode_allow lets pass.
func denied(d *answer.Denials, v *answer.Verdict, requestID string, limit auth.LimitState) *authv3.CheckResponse {
	if v.Status == http.StatusOK {
		v = answer.Of(auth.Undecided)
	}
	h := http.Header{}
	told := &authv3.DeniedHttpResponse{Status: &typev3.HttpStatus{Code: typev3.StatusCode(v.Status)}}
	told.Body = d.Write(h, v, requestID, limit)
	for name, values := range h {
		told.Headers = append(told.Headers, set(strings.ToLower(name), values[0]))
	}
	return &authv3.CheckResponse{
		Status:       &rpcstatus.Status{Code: int32(codes.PermissionDenied)},
		HttpResponse: &authv3.CheckResponse_DeniedResponse{DeniedResponse: told},
	}
}

// allowance is an allow in one piece of memory.
type allowance struct {
	response authv3.CheckResponse
	status   rpcstatus.Status
	oneof    authv3.CheckResponse_OkResponse
	ok       authv3.OkHttpResponse
	headers  [auth.IdentityFields]*corev3.HeaderValueOption
	options  [auth.IdentityFields]corev3.HeaderValueOption
	values   [auth.IdentityFields]corev3.HeaderValue
}

// allowed tells the identity: what has a value replaces the client's own copy,
// and what has none is removed, so that the client's can't stand for it.
func allowed(names []string, key *auth.Key, strip strip) *authv3.CheckResponse {
	a := &allowance{}
	told := a.headers[:0]
	remove := strip.headers
	for i, name := range names {
		value := key.Told(i)[0]
		if value == "" {
			remove = append(remove, name)
			continue
		}
		a.values[i].Key, a.values[i].Value = name, value
		a.options[i].Header = &a.values[i]
		a.options[i].AppendAction = corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD
		told = append(told, &a.options[i])
	}
	if strip.cookie != "" {
		told = append(told, set("cookie", strip.cookie))
	}
	a.ok.Headers, a.ok.HeadersToRemove, a.ok.QueryParametersToRemove = told, remove, strip.parameters
	a.oneof.OkResponse = &a.ok
	a.status.Code = int32(codes.OK)
	a.response.Status, a.response.HttpResponse = &a.status, &a.oneof
	return &a.response
}
