// Package monitor checks what authd is watched with: the rules and alerts of deploy/prometheus and the dashboards of
// deploy/grafana, on a real Prometheus that scrapes a real authd. It is a module of its own, for PromQL's parser.
package monitor
