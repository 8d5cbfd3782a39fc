#!/usr/bin/env bash
# Checks spec/revocation.pml with spin: the protocol holds in every setting,
# each broken rule is caught, and each state that something is said about can be
# reached. Needs spin and gcc. A name or more: only those.
set -euo pipefail
self=$(cd "$(dirname "$0")" && pwd)/check.sh
spec=${self%/*}/revocation.pml

# name, and what is switched on. Each is searched to its end: no state is left out.
models='
deny                  OTHER RESTART
serve                 SERVE OTHER RESTART
deny-all-requests     EARLY RESTART
serve-all-requests    SERVE EARLY RESTART
deny-two-replicas     ANOTHER RESTART
serve-two-replicas    SERVE ANOTHER RESTART
deny-redis            REDIS OTHER RESTART
serve-redis           SERVE REDIS RESTART
redis-two-replicas    REDIS ANOTHER D=1
deny-forgetting       FORGET RESTART
serve-forgetting      SERVE FORGET RESTART
deny-retention        RETAIN OTHER
deny-failover         FAILOVER D=1
deny-failover-granted FAILOVER GRANTED RESTART
deny-failover-async   FAILOVER ASYNC D=1
serve-failover        SERVE FAILOVER GRANTED RESTART
'

# In deny mode: in serve mode a missing lease check proves little.
mutants='
NO_WRITER_LOCK              OTHER
ROW_AFTER_READ
ROW_TAKEN_OVER              ANOTHER
REMOVED_EARLY
REMOVED_UNSEEN
ROW_PUT_BACK
REGISTER_LATE
ROW_BEFORE_ANSWER           RESTART
TWO_POLLS                   D=1
T0_AFTER_READ
PARTIAL_BATCH               OTHER
APPLIED_FROM_SEQUENCE
RETENTION_UNNOTICED         RETAIN OTHER
RETENTION_CHECKED_BEFORE    RETAIN
NO_FLOOR
FORGOTTEN_WITHOUT_FLOOR     FORGET
FLOOR_READ_FIRST            FORGET
ACKNOWLEDGED_BEFORE_APPLIED
LEASE_BEFORE_APPLIED
LEASE_BEFORE_ACKNOWLEDGED
LEASE_FROM_NOW
NO_LEASE
LEASE_LAST
KNOWN_BEFORE_LEASE
NO_STAMP
STAMP_AFTER_READ
LAGGING_FILL
LAGGING_POLL
STAMPED_ANEW                REDIS RESTART
JOINED_UNCHECKED
TIMED_BEFORE_COMMIT
TIMED_EARLY
LISTED_BEFORE_COMMIT
SECOND_REVOKE_AT_ONCE
NUMBERS_GIVEN_OUT_AGAIN     FAILOVER D=1
LOST_ROWS_UNCOUNTED         FAILOVER GRANTED D=1
EPOCH_WITHOUT_FLOOR         FAILOVER GRANTED D=1
ROWS_UNWAITED               FAILOVER D=1
REMOVED_UNWAITED            FAILOVER D=1
'

probes='
ACCEPTED_WARM      EARLY
STALE_SERVED       SERVE EARLY
DENIED
REFUSED
JOINED             EARLY
FILL_OVERTAKEN
LEASE_LOST
GIVEN_UP_AND_BACK
CONFIRMED_BY_ALL   ANOTHER
CONFIRMED_BY_TIME
REDIS_REFUSED      REDIS RESTART
FAILED_OVER_WITH_LOSS FAILOVER D=1
LOST_ROW           FAILOVER ASYNC D=1
'

# search NAME CFLAGS DEFINES...: builds and runs one search, and leaves what spin
# says in NAME/out.
search() {
  local name=$1 cflags=$2
  shift 2
  mkdir "$name"
  (
    cd "$name"
    spin "${@/#/-D}" -a "$spec" >spin.out
    gcc -w -DSAFETY -DNOFAIR -DMEMLIM=4000 $cflags -o pan pan.c
    ./pan -m3000000 -n >out 2>&1 || true
  ) >"$name/log" 2>&1 || { echo "$name: could not be run"; cat "$name/log" "$name/spin.out"; return 1; }
}

states() { sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' "$1/out"; }

# Errors are looked for breadth first: what is found is short enough to read.
errors=-DBFS

# A run that was cut short in any way proves nothing.
model() {
  search "$1" -O2 "${@:2}" || return
  if grep -q 'errors: 0' "$1/out" && ! grep -qiE 'not completed|too small|out of memory|memlim|truncated' "$1/out"; then
    echo "model $1: holds ($(states "$1") states, all of them)"
  else
    echo "model $1: DOES NOT HOLD, or was not searched to its end"; cat "$1/out"; return 1
  fi
}

mutant() {
  search "$1" "$errors" "M_$1" "${@:2}" || return
  local steps
  steps=$(sed -n 's/^pan:1: assertion violated  !(late) (at depth \([0-9]*\)).*/\1/p' "$1/out")
  if [ -n "$steps" ]; then
    echo "mutant $1: caught ($steps steps)"
  else
    echo "mutant $1: NOT CAUGHT"; cat "$1/out"; return 1
  fi
}

probe() {
  search "$1" "$errors" "PROBE_$1" "${@:2}" || return
  if grep 'assertion violated' "$1/out" | grep -qv '!(late)'; then
    echo "probe $1: reached"
  else
    echo "probe $1: NOT REACHED"; cat "$1/out"; return 1
  fi
}

if [ "${1-}" = --one ]; then
  shift
  "$@"
  exit
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for kind in model mutant probe; do
  list=${kind}s
  while read -r name settings; do
    if [ -z "$name" ] || { [ $# -gt 0 ] && [[ " $* " != *" $name "* ]]; }; then continue; fi
    echo "$kind $name${settings:+ $settings}"
  done <<<"${!list}"
done >jobs
[ -s jobs ] || { echo "there is nothing of that name: $*"; exit 1; }
# Two at a time; xargs fails where one of them does, after all have run.
xargs -P 2 -L 1 nice -n 10 "$self" --one <jobs || { echo "the specification does not hold"; exit 1; }
echo "$(wc -l <jobs) searches: all as they should be"
