// Package verify checks what authd is deployed with: manifests, the chart, and the compose file. It is a module of its
// own, so that what it needs (Kubernetes' types, kustomize, Helm) is nothing that authd needs.
package verify
