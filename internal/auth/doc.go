// Package auth is the domain: what a key is, and whether a request that
// carries one may pass.
//
// It imports nothing else of this module, no driver and no HTTP. The way of a
// decision is written in [Checker.Check]; everything else here is a noun that
// it needs.
//
// A raw key is a [Secret]. It lives from the request header to
// [Digester.Digest] and redacts itself everywhere else.
package auth
