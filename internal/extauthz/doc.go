// Package extauthz answers Envoy's external authorization over gRPC
// (envoy.service.auth.v3.Authorization).
//
// It translates, and never decides: [inbound] reads the request that Envoy
// describes, [auth.Checker] decides, [answer] has what the client is told.
// What cannot be decided is a denial and never an RPC error, which an Envoy
// with failure_mode_allow would let pass.
package extauthz
