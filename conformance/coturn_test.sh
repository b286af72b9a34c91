#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# coturn, live over loopback, from a configuration of its own: the run ends in bounded time, every deviation that it finds
# is one that has been confirmed by reading the exchange (coturn.tsv), and those that coturn has, it finds.
# FAST=0: with the rows whose timers have to run out, ten minutes (make nightly).
cd "$(dirname "$0")/.."
. models/testkit/tap.sh

if ! command -v turnserver >/dev/null; then
    skip "coturn is judged" "coturn is not installed"
    finish
fi

server=
trap 'kill $server 2>/dev/null; rm -rf "$dir"' EXIT
for ((try = 0; try < 10; try++)); do
    port=$((23000 + RANDOM % 900))
    cat >"$dir/turnserver.conf" <<END
listening-ip=127.0.0.1
listening-port=$port
external-ip=127.0.0.1
relay-ip=127.0.0.1
min-port=52000
max-port=53999
realm=example.org
lt-cred-mech
user=alice:secret
user=bob:hidden
allow-loopback-peers
relay-threads=1
no-cli
no-tls
no-dtls
simple-log
log-file=$dir/coturn.log
pidfile=$dir/coturn.pid
userdb=$dir/coturn.db
END
    turnserver -c "$dir/turnserver.conf" >/dev/null 2>&1 &
    server=$!
    sleep 1
    kill -0 $server 2>/dev/null && break
done

fast=--fast limit=240
[ "${FAST:-1}" = 1 ] || { fast='' limit=1800; }
# shellcheck disable=SC2086
timeout $limit "$TURNPROOF" conform --server 127.0.0.1:$port --user alice:secret --user bob:hidden $fast --parallel 4 \
    --format json >"$dir/json" 2>"$dir/stderr"
status=$?
{ [ $status -eq 1 ] || { echo "exit $status"; cat "$dir/stderr"; }; } | result "the run ends, and finds that coturn departs (exit 1)"

jq -r '.rows[] | select(.outcome == "fail") | [.id, .seen] | @tsv' "$dir/json" | sort >"$dir/found"
grep -v '^#' conformance/coturn.tsv | sort >"$dir/known"
join -t $'\t' -v 1 "$dir/found" <(cut -f 1 "$dir/known") | result "each deviation is one that was confirmed by reading the exchange"
jq -r '.rows[] | select(.outcome == "pass" or .outcome == "implementation-defined") | .id' "$dir/json" | sort >"$dir/held"
awk -F '\t' '$2 == "always"' "$dir/known" | join -t $'\t' - "$dir/held" | result "none of those that coturn has at any time is missed"
jq -r '[.rows[] | .outcome] | group_by(.) | map("\(length) \(.[0])") | "#: coturn on loopback: " + join(", ")' "$dir/json"
finish
