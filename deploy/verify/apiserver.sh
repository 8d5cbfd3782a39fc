#!/bin/sh
# Applies every overlay, and the chart's objects as they are rendered, to a real API server under Pod Security's restricted standard,
# with the definitions that their custom objects need. Builds kube-apiserver and etcd into bin/k8s where they are not there: ten minutes of
# processor time. Needs kubectl, openssl and jq. No kubelet: what is proved is that an API server takes the objects, not that pods run.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
bin=$root/bin/k8s
version=v1.37.2 staging=v0.37.2

build() {
  work=$(mktemp -d)
  cd "$work"
  go mod init apiserver
  mod=$(go mod download -json k8s.io/kubernetes@$version | sed -n 's/^\t"GoMod": "\(.*\)".*/\1/p')
  for m in $(sed -n 's#^\t\(k8s.io/[a-z0-9-]*\) => ./staging.*#\1#p' "$mod"); do
    go mod edit -replace "$m=$m@$staging"
  done
  go mod edit -require k8s.io/kubernetes@$version -require go.etcd.io/etcd/server/v3@v3.7.3
  printf '//go:build tools\n\npackage tools\n\nimport (\n\t_ "go.etcd.io/etcd/server/v3"\n\t_ "k8s.io/kubernetes/cmd/kube-apiserver"\n)\n' >tools.go
  go mod tidy
  go build -o "$bin/etcd" go.etcd.io/etcd/server/v3
  go build -o "$bin/kube-apiserver" k8s.io/kubernetes/cmd/kube-apiserver
  cd "$root" && rm -rf "$work"
}
mkdir -p "$bin"
[ -x "$bin/etcd" ] && [ -x "$bin/kube-apiserver" ] || build

dir=$(mktemp -d)
# Not asked to end: without etcd the API server would wait for it, and with it nothing is worth keeping.
trap 'kill -9 $server $etcd 2>/dev/null; wait; rm -rf "$dir"' EXIT
server= etcd=
cd "$dir"
port=${PORT:-26443} store=${STORE_PORT:-22379} peer=${PEER_PORT:-22380}
openssl genrsa -out key.pem 2048 2>/dev/null
echo "verify,admin,1,system:masters" >tokens

"$bin/etcd" --data-dir etcd --listen-client-urls "http://127.0.0.1:$store" --advertise-client-urls "http://127.0.0.1:$store" \
  --listen-peer-urls "http://127.0.0.1:$peer" --initial-advertise-peer-urls "http://127.0.0.1:$peer" \
  --initial-cluster "default=http://127.0.0.1:$peer" --unsafe-no-fsync >etcd.log 2>&1 &
etcd=$!
"$bin/kube-apiserver" --etcd-servers "http://127.0.0.1:$store" --secure-port "$port" --bind-address 127.0.0.1 --cert-dir certs \
  --service-account-issuer https://verify --service-account-key-file key.pem --service-account-signing-key-file key.pem \
  --service-cluster-ip-range 10.96.0.0/16 --authorization-mode RBAC --token-auth-file tokens >apiserver.log 2>&1 &
server=$!

k() { kubectl --kubeconfig /dev/null --server "https://127.0.0.1:$port" --insecure-skip-tls-verify --token verify "$@"; }
tries=0
until [ "$(k get --raw /readyz 2>/dev/null)" = ok ]; do
  tries=$((tries + 1))
  [ $tries -lt 120 ] || { tail -20 apiserver.log etcd.log; echo "the API server does not get ready"; exit 1; }
  sleep 1
done
echo "API server: kube-apiserver of the module k8s.io/kubernetes $version"

"$root/deploy/k8s/crds" >crds
while read -r folder; do
  for f in "$folder"/*_*.yaml; do
    k apply --server-side -f "$f" >>crds.log
  done
done <crds
k wait --for condition=established --timeout 60s crd --all >>crds.log
echo "definitions: $(k get crd -o name | wc -l)"

# A pod that is not fit for the standard is refused: the label below is in force, and so what is taken has passed it.
kubectl kustomize "$root/deploy/k8s/overlays/minimal" >minimal.yaml
k apply -f minimal.yaml >/dev/null
if k -n authd run unfit --image x --restart Never --overrides '{"spec": {"serviceAccountName": "authd"}}'  >unfit.log 2>&1; then
  echo "Pod Security lets an unfit pod pass"
  exit 1
fi
grep -q 'violates PodSecurity "restricted' unfit.log || { cat unfit.log; exit 1; }

mkdir chart
(cd "$here" && go run ./chart/write ../helm/authd "$dir/chart")
for f in "$root"/deploy/k8s/overlays/* "$dir"/chart/*.yaml; do
  echo
  echo "== ${f#"$root/"}" | sed "s#$dir/##"
  if [ -d "$f" ]; then kubectl kustomize "$f" >objects.yaml; else cp "$f" objects.yaml; fi
  k apply --validate=strict -f objects.yaml 2>&1 | tee applied
  ! grep -qiE 'warning|error|invalid|forbidden' applied
  # The pod itself, as the Deployment's controller would make it: Pod Security judges pods, and of a Deployment it only warns.
  k -n authd get deployment authd -o json | jq '{apiVersion: "v1", kind: "Pod", metadata: {generateName: "authd-", namespace: "authd", labels: .spec.template.metadata.labels}, spec: .spec.template.spec}'  | k create --dry-run=server --validate=strict -f - | sed 's/pod.* created/a pod of it is let in/'
done
