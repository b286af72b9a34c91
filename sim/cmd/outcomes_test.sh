#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The deployments in other ways of running them: profiles, who opens the connection, roles, a direction closed, credentials.
. models/testkit/tap.sh

# up NAME TOPOLOGY ARGUMENTS...: the call comes up, whole, on both engines where there are two.
engine=both
[ -e build/turnproof-ns3.so ] || engine=native
up() {
    local name=$1 topology=$2
    shift 2
    { "$TURNPROOF" run "topologies/$topology.json" --engine $engine "$@" >"$dir/out" 2>&1 || head -n 12 "$dir/out"; } |
        result "$name"
}

# down NAME PHASE REASON ADVICE TOPOLOGY ARGUMENTS...: it fails in that phase, with these words.
down() {
    local name=$1 phase=$2 reason=$3 advice=$4 topology=$5
    shift 5
    "$TURNPROOF" run "topologies/$topology.json" --json "$@" >"$dir/out" 2>"$dir/err"
    {
        [ $? -eq 1 ] || { echo "status is not 1"; head -n 3 "$dir/err"; }
        jq -r '.failure | .phase, .reason, .advice' "$dir/out" >"$dir/failure"
        sed -n 1p "$dir/failure" | grep -qx -- "$phase" || echo "phase: $(sed -n 1p "$dir/failure")"
        sed -n 2p "$dir/failure" | grep -qi -- "$reason" || echo "reason: $(sed -n 2p "$dir/failure")"
        sed -n 3p "$dir/failure" | grep -qi -- "$advice" || echo "advice: $(sed -n 3p "$dir/failure")"
    } | result "$name"
}

e=nodes.expressway-e.settings
cms=nodes.cms.settings
client=nodes.skype-client.settings
edge=nodes.skype-edge.settings

up "the lab" lab
up "dual NIC" dual-nic
up "SIP edge for Microsoft clients" sip-edge-microsoft
up "point to point, hosts without a system beside it" p2p-microsoft
up "dual NIC, the relay strict, with permissions" dual-nic --set "$e.profile=\"strict\""
up "Meeting Server opens the connection too" dual-nic --set "$cms.connect=true"
up "only Meeting Server opens it: the Edge only waits" dual-nic --set "$cms.connect=true" --set "$edge.connect_out=false" \
    --set "$client.host_candidates=false"
sed '/^access-list outside_in extended permit object-group TURN-RELAY/d' topologies/rules/ext-fw.cfg >"$dir/ext-fw.cfg"
up "relay ports closed from outside: one open direction is enough" dual-nic --rules "ext-fw=$dir/ext-fw.cfg" \
    --set "$cms.connect=true" --set "$client.host_candidates=false"
up "a relay that loses and reorders" dual-nic \
    --set 'links.acme-wan.loss={"gilbert_elliott":{"good_loss_ppm":1000,"bad_loss_ppm":200000,"to_bad_ppm":5000,"to_good_ppm":200000}}' \
    --set links.acme-wan.reorder_ppm=10000 --set links.acme-wan.reorder_us=3000 --set links.acme-wan.duplicate_ppm=5000 \
    --set duration_s=240
down "nobody begins a call" "" "there is no call" "skype-client" single-nic
down "an attendee may not share: 21002" invite 21002 "make the attendee a presenter" lab --set "$client.role=\"attendee\""
down "the wrong password on Meeting Server" allocate 401 "password" lab --set "$cms.turn_password=\"wrong\""
down "the wrong password on the Skype side" connect "no relay at the Skype Edge.*431" "credentials" lab --set "$client.turn_password=\"wrong\""
down "strict, and no permission asked for" connect "no ConnectionAttempt.*no permission" "CreatePermission" lab --set "$e.profile=\"strict\""
down "a TURN port of 0" invite "cannot listen" "" lab --set "$e.turn=[\"10.48.54.229:0\"]"
finish
