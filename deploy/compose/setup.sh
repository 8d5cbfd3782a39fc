#!/bin/sh
# Makes the secrets of docker-compose.yml, each once: what is there stays. A file is its reader's alone.
set -eu
umask 077
cd "${SECRETS:-/secrets}"

random() { head -c 32 /dev/urandom | od -A n -t x1 | tr -d ' \n'; }
# make FILE OWNER TEXT: whole, or not at all.
make() {
  [ -s "$1" ] && return
  printf '%s\n' "$3" >"$1.new"
  chown "$2" "$1.new"
  chmod 0400 "$1.new"
  mv "$1.new" "$1"
}
make postgres 0:0 "$(random)"
make pgpass 65532:65532 "postgres:5432:authd:authd:$(cat postgres)"
make peppers 65532:65532 "$(random)"
make grafana 472:0 "$(random)"
chmod 0755 .
