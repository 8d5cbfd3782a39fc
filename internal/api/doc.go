// Package api answers over HTTP: /verify for every ingress, health, and the
// metrics page.
//
// It translates, and never decides: a dialect (one file each, listed in
// dialect.go) reads what its proxy vouches for, [auth.Checker] decides, and
// package answer has what a client is told of each reason.
package api
