#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The whole catalogue on our relay: in memory, in the native engine, in ns-3, and live over loopback. No MUST fails on any
# of them, the same seed gives the same bytes, and the formats are what their readers expect.
. models/testkit/tap.sh

# judged NAME ARGUMENTS...: exit 0, and something was judged
judged() {
    local name=$1
    shift
    "$TURNPROOF" conform --format tap "$@" >"$dir/tap" 2>"$dir/stderr"
    local status=$?
    {
        [ $status -eq 0 ] || { echo "exit $status"; cat "$dir/stderr"; grep -A 30 '^not ok' "$dir/tap" | grep -v '# TODO'; }
        grep -q '^ok [0-9]* - .*' "$dir/tap" || echo "nothing was judged"
    } | result "$name"
}

judged "in memory" --sim
judged "in the native engine" --sim --engine native
if "$TURNPROOF" conform --sim --engine ns3 --only 8656-5- >/dev/null 2>"$dir/why"; then
    judged "in ns-3" --sim --engine ns3
else
    skip "in ns-3" "$(head -n 1 "$dir/why")"
fi

for engine in memory native; do
    for run in 1 2; do
        "$TURNPROOF" conform --sim --engine $engine --seed 9 --format json >"$dir/$engine.$run"
    done
    same "$engine: the same seed, the same bytes" "$dir/$engine.1" "$dir/$engine.2"
done

"$TURNPROOF" conform --sim --format junit >"$dir/junit"
if command -v xmllint >/dev/null; then
    {
        xmllint --noout "$dir/junit" 2>&1
        total=$(xmllint --xpath 'string(/testsuites/@tests)' "$dir/junit")
        cases=$(xmllint --xpath 'count(//testcase)' "$dir/junit")
        [ "$total" = "$cases" ] || echo "tests=$total, but there are $cases"
    } | result "JUnit is XML, and its counts are right"
else
    skip "JUnit is XML, and its counts are right" "xmllint is not installed"
fi
jq -e '.schema == "turnproof/conform/1" and .holds and (.counts | add) == (.rows | length)' "$dir/memory.1" 2>&1 |
    grep -v true | result "JSON is one document with its schema, and its counts are right"
"$TURNPROOF" conform --sim | awk 'length > 80' | result "the report keeps to 80 columns"
"$TURNPROOF" conform --list | awk 'length > 80' | result "and so does the list"
"$TURNPROOF" conform --list | grep -c -E '^[0-9A-Za-z]+-[^ ]+ +(MUST|SHOULD|MAY|stated|derived|open)' >"$dir/rows"
"$TURNPROOF" conform --list | sed -n '$s/ row.*//p' >"$dir/counted"
same "the list counts its rows" "$dir/counted" "$dir/rows"

"$TURNPROOF" conform --list --format json | jq -r '.rows | length' >"$dir/json-rows" 2>&1
same "as JSON it has the same rows" "$dir/rows" "$dir/json-rows"

# Live: our relay over loopback, on a port that was free. Its timers are left out here.
port=$((20000 + RANDOM % 3000))
"$TURNPROOF" relay --listen 127.0.0.1:$port --user u:p --user v:q --relay-ports 50000-50999 \
    --allow-peer 127.0.0.0/8 >"$dir/relay" 2>&1 &
relay=$!
trap 'kill $relay 2>/dev/null; rm -rf "$dir"' EXIT
for _ in $(seq 100); do
    grep -q -i listen "$dir/relay" && break
    sleep 0.1
done
judged "live over loopback" --server 127.0.0.1:$port --user u:p --user v --password q --fast --parallel 4
"$TURNPROOF" conform --server 127.0.0.1:$port --user u:wrong --fast --only 8656-7. >"$dir/wrong" 2>&1
{ [ $? -eq 1 ] || cat "$dir/wrong"; } | result "a wrong password is no pass"
kill $relay
"$TURNPROOF" conform --server 127.0.0.1:$port --user u:p 2>&1 >/dev/null | grep -v 'does not answer' |
    result "a server that is not there is said to be so"
finish
