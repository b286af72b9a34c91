#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A meeting that lasts: 20 web participants, each with a relay of its own and one of Meeting Server's, for MEETING_MINUTES
# (30; nightly 480) of simulated time. Audio at one packet a second each way, so that what is tried is what keeps a
# meeting alive: refreshes, permissions, channels, consent, tunnels, keep-alives of SIP and of the web.
. models/testkit/tap.sh

minutes=${MEETING_MINUTES:-30}
calls() { # NODE: ten calls of that host
    printf '{"name":"%s","from":"%s","media":["audio"],"at_ms":5000,"for_s":%d,"expand":{"count":10,"every_ms":500}}' "$1" \
        "$1" $((minutes * 60))
}
slow='{"packets_per_s":1}'
meeting() { # MORE...
    "$TURNPROOF" run topologies/web-proxy.json --set duration_s=$((minutes * 60 + 60)) --set "nodes.cms.settings.audio=$slow" \
        --set "calls=[$(calls guest-pc),$(calls laptop)]" --set "nodes.guest-pc.settings.media.audio=$slow" \
        --set "nodes.laptop.settings.media.audio=$slow" --json "$@" >"$dir/out" 2>"$dir/err" || echo "status $?"
    cat "$dir/err"
}
{
    meeting
    jq -e '.verdict == "ok"' "$dir/out" >/dev/null || jq -c '.verdict, .failure' "$dir/out"
    # Who takes part, at both ends, and has all that was sent.
    jq -r '[.services[] | select(.name | endswith("/audio"))] |
        if length != 40 then "\(length) ends of audio" else empty end,
        (.[] | select(.state != "done" or .losses != 0 or (.text | test("lost 0$") | not)) |
         "\(.name) at \(.node): \(.state), \(.text)")' "$dir/out"
    # On time, and nothing that the RFCs forbid, at the relay. When a nonce becomes stale, after an hour, a client has
    # requests for several peers under way: those sent before the 438 reached it come behind it, and the watch at the
    # relay cannot tell them from a client that has not learnt (8489-9.2.5-6).
    jq -r '.conformance[] | select(.result == "fail" and .level == "MUST" and .id != "8489-9.2.5-6") | "\(.id): \(.saw)"' "$dir/out"
    jq -r 'if (.conformance | length) < 20 then "few rows were watched" else empty end' "$dir/out"
} | result "20 participants for $minutes minutes: nobody is lost, nothing is late"
finish
