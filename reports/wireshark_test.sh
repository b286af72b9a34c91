#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The Wireshark plug-in, run by tshark on a capture of the lab call: it finds each STUN message in an RFC 4571 frame that our
# own capture comments on, with the same type, candidate and version, and nothing is malformed.
. models/testkit/tap.sh

if ! command -v tshark >/dev/null; then
    skip "the Wireshark plug-in" "tshark is not installed"
    finish
fi

"$TURNPROOF" run topologies/lab.json --out "$dir/lab" --capture cms:a >/dev/null
fields() { tshark -r "$dir/lab/capture.pcapng" -T fields "$@" 2>"$dir/stderr"; }
plugin() { fields -X lua_script:reports/wireshark/turnproof.lua "$@"; }

# "31 request 2 2": frame, class, candidate, version
fields -Y frame.comment -e frame.number -e frame.comment | grep 'RFC 4571 frame: Binding' |
    sed -E -e 's/^([0-9]+)\tRFC 4571 frame: Binding (request|success)/\1 \2/' \
        -e 's/^([0-9]+ [a-z]+)(.*candidate ([0-9]+))?.*version ([0-9]+).*/\1 \3 \4/' >"$dir/expected"
plugin -Y 'rfc4571 && stun' -e frame.number -e stun.type.class -e msstun.candidate_identifier \
    -e msstun.implementation_version | awk -F '\t' '{ print $1, $2 == "0x0010" ? "success" : "request", $3, $4 }' >"$dir/found"
grep -i lua "$dir/stderr" | result "the plug-in loads"
same "framed STUN is found, with Microsoft's attributes" "$dir/expected" "$dir/found"
{ [ "$(wc -l <"$dir/found")" -ge 4 ] || echo "only $(wc -l <"$dir/found") messages"; } | result "both directions are there"

plugin -Y 'rfc4571.payload' -e frame.number | wc -l >"$dir/media"
{ [ "$(cat "$dir/media")" -gt 500 ] || echo "$(cat "$dir/media") packets"; } | result "so is the screen, frame by frame"
plugin -Y '_ws.malformed || _ws.lua.error' -e frame.number | result "nothing is malformed"
finish
