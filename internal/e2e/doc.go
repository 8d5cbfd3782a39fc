// Package e2e tests authd behind the proxies that it is made for, from the
// client's end to the service behind.
//
// nginx, Caddy and HAProxy are the real ones, with the files of deploy/: a test
// replaces addresses in them and nothing else. Traefik, Envoy and APISIX are
// stand-ins of our own that keep to what the real ones are known to do, told
// by the files of deploy/ which headers to pass. One table of cases runs
// through all of them.
package e2e
