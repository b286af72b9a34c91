#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Faults in a topology: each link out for 1, 10 and 40 s and each system made again, in mid-call and while nobody calls.
# What becomes of the call stands in topologies/faults/outcomes.tsv, whose right columns a person has judged.
# WRITE=1 FAULTS=all writes that file.
. models/testkit/tap.sh
expected=topologies/faults/outcomes.tsv
engine=${ENGINE:-native}

# case_of TOPOLOGY AT_MS FAULT: the fault, and what becomes of the call.
case_of() {
    "$TURNPROOF" run "topologies/$1.json" --engine "$engine" --json --set "faults=[{\"at_ms\":$2,$3}]" >>"$dir/out"
    printf '%s %s %s\n' "$1" "$2" "$(printf '%s' "$3" | tr -d '"{}')" >>"$dir/cases"
}

# all TOPOLOGY IDLE_MS CALL_MS
all() {
    local link node kind
    for link in $(jq -r '.links[] | .name // ((.a | split(":")[0]) + "-" + (.b | split(":")[0]))' "topologies/$1.json"); do
        for ms in 1000 10000 40000; do
            case_of "$1" "$3" "\"kind\":\"outage\",\"link\":\"$link\",\"for_ms\":$ms"
        done
    done
    for node in $(jq -r '.nodes[] | select(.system).name' "topologies/$1.json"); do
        case_of "$1" "$2" "\"kind\":\"restart\",\"node\":\"$node\",\"for_ms\":10000"
        for kind in restart half-open; do
            case_of "$1" "$3" "\"kind\":\"$kind\",\"node\":\"$node\",\"for_ms\":3000"
        done
    done
}

all lab 20000 53000
all dual-nic 2000 21500
all web-proxy 2000 20000
all sip-edge-standards 2000 20000
[ "${FAULTS:-}" != all ] || all p2p-microsoft 2000 20000 # half a minute: in the nightly run
jq -r '[.verdict, .failure.reason // ""] | @tsv' "$dir/out" | paste "$dir/cases" - | sed 's/\t$//' >"$dir/found"
[ -z "${WRITE:-}" ] || cp "$dir/found" $expected
cut -d ' ' -f 1 "$dir/found" | sort -u | sed 's/$/ /' >"$dir/topologies"
grep -f "$dir/topologies" $expected >"$dir/expected"
same "a call recovers from a fault, or ends with the cause" "$dir/expected" "$dir/found"
awk -F '\t' '$2 != "ok" && $3 == ""' "$dir/found" | result "who fails says why"

# wrong FAULT WORDS: it is refused with these.
wrong() {
    "$TURNPROOF" run topologies/lab.json --set "faults=[$1]" >"$dir/out" 2>&1
    { [ $? -eq 2 ] || echo "status is not 2"; grep -qF -- "$2" "$dir/out" || cat "$dir/out"; } | result "refused: $2"
}
wrong '{"kind":"restart","node":"cms","for_ms":1}' 'expected the key "at_ms", found none'
wrong '{"at_ms":1,"kind":"fire"}' 'faults.0.kind: expected "restart", "half-open", "slow-reader"'
wrong '{"at_ms":1,"kind":"restart","node":"cms"}' 'faults.0: expected the key "for_ms" in a fault of kind restart'
wrong '{"at_ms":1,"kind":"restart","node":"cms","for_ms":0}' 'faults.0.for_ms: expected at least 1'
wrong '{"at_ms":1,"kind":"flush","node":"cms"}' 'faults.0.node: expected a firewall of the topology, found "cms"'
wrong '{"at_ms":1,"kind":"clock","node":"ext-fw","ahead_ms":1}' 'faults.0.node: expected a host of the topology'
wrong '{"at_ms":1,"kind":"outage","link":"moon","for_ms":1}' 'faults.0.link: expected a link of the topology, found "moon"'
wrong '{"at_ms":1,"kind":"outage","link":"cms-lan","for_ms":1,"node":"cms"}' 'expected no such key in a fault of kind outage'

# Every kind, on both engines: what the call makes of it is the same.
if [ -e build/turnproof-ns3.so ]; then
    for fault in '"kind":"restart","node":"cms","for_ms":3000@53000' '"kind":"half-open","node":"expressway-e","for_ms":2000@53000' \
        '"kind":"slow-reader","node":"skype-client","for_ms":4000@53000' '"kind":"clock","node":"cms","ahead_ms":900000@51000' \
        '"kind":"exhaust-ports","node":"cms","for_ms":4000@51000' '"kind":"flush","node":"ext-fw"@53000' \
        '"kind":"rebind","node":"int-fw"@53000' '"kind":"outage","link":"site-wan","for_ms":9000@53000'; do
        for engine in native ns3; do
            "$TURNPROOF" run topologies/lab.json --engine $engine --json --set "faults=[{\"at_ms\":${fault##*@},${fault%@*}}]" |
                jq -r '.verdict, .failure.phase, .failure.reason' >"$dir/$engine"
        done
        same "native and ns-3 agree on ${fault%%,*}" "$dir/native" "$dir/ns3"
    done
else
    skip "native and ns-3 agree" "no ns-3"
fi
finish
