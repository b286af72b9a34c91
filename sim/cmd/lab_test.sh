#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The lab call against the reference capture: the ten messages seen at Meeting Server, in order, between the addresses
# and ports of the capture, with its frame lengths, as tshark reads them back from our capture. On both engines.
. models/testkit/tap.sh

engines="native ns3"
[ -e build/turnproof-ns3.so ] || engines=native
"$TURNPROOF" run topologies/lab.json --engine "$([ "$engines" = native ] && echo native || echo both)" --out "$dir/lab" \
    >"$dir/report" 2>"$dir/stderr"
status=$?
{ [ $status -eq 0 ] || cat "$dir/report" "$dir/stderr"; } | result "the call comes up, exit 0"

# from, to, frame length, STUN type: facts of the reference capture (frames 2394 ... 3209). Meeting Server's control
# connection has an ephemeral port that the capture does not name; the bound connection is the one from 44342.
cat >"$dir/expected" <<'END'
10.48.54.230:control 10.48.54.229:3478 98 0x0003
10.48.54.229:3478 10.48.54.230:control 230 0x0113
10.48.54.230:control 10.48.54.229:3478 202 0x0003
10.48.54.229:3478 10.48.54.230:control 166 0x0103
10.48.54.230:control 10.48.54.229:3478 190 0x0004
10.48.54.229:3478 10.48.54.230:control 142 0x0104
10.48.54.229:3478 10.48.54.230:control 154 0x001c
10.48.54.230:44342 10.48.54.229:3478 190 0x000b
10.48.54.229:3478 10.48.54.230:44342 142 0x010b
10.48.54.229:3478 10.48.54.230:control 82 0x0011
END

for engine in native ns3; do
    if [[ " $engines " != *" $engine "* ]]; then
        skip "the ten messages on $engine" "the ns-3 plug-in is not built"
        continue
    fi
    capture=$dir/lab/$engine/capture.pcapng
    [ -e "$capture" ] || capture=$dir/lab/capture.pcapng
    # Each packet is there once for each link end that it passed; one end's view is a capture as people know it, and
    # is what --capture leaves.
    tshark -r "$capture" -Y 'frame.interface_name == "cms:a"' -w "$dir/cms.pcapng" 2>/dev/null
    "$TURNPROOF" run topologies/lab.json --engine $engine --out "$dir/one.$engine" --capture cms:a >/dev/null
    frames() { tshark -r "$1" -T fields -e frame.interface_name -e frame.time_epoch -e frame.len -e tcp.seq_raw 2>/dev/null; }
    frames "$dir/cms.pcapng" >"$dir/frames.all"
    frames "$dir/one.$engine/capture.pcapng" >"$dir/frames.one"
    same "--capture leaves one end's packets, on $engine" "$dir/frames.all" "$dir/frames.one"
    # Only STUN at the start of a segment counts: what is framed (RFC 4571) is another matter.
    tshark -r "$dir/cms.pcapng" -Y 'tcp.port == 3478 && tcp.len > 0' \
        -T fields -e ip.src -e tcp.srcport -e ip.dst -e tcp.dstport -e frame.len -e tcp.payload 2>/dev/null |
        awk 'substr($6, 9, 8) == "2112a442" {
                 s = $1 ":" $2; d = $3 ":" $4
                 if (control == "") control = s
                 if (s == control) s = $1 ":control"
                 if (d == control) d = $3 ":control"
                 print s, d, $5, "0x" substr($6, 1, 4)
             }' | head -n 10 >"$dir/found.$engine"
    same "the ten messages, their ends and frame lengths, on $engine" "$dir/expected" "$dir/found.$engine"

    tshark -r "$dir/cms.pcapng" -Y 'stun.type == 0x001c' \
        -T fields -e stun.att.ipv4 -e stun.att.port 2>/dev/null |
        awk '$1 == "192.168.1.252" && $2 == 53577 { ok = 1 } END { if (!ok) print "no ConnectionAttempt from it" }' |
        result "the peer is 192.168.1.252:53577, on $engine"
    tshark -r "$capture" -Y 'frame.interface_name == "skype-edge:eth0" && tcp.flags.syn == 1 && tcp.dstport == 24000' \
        -T fields -e ip.src -e tcp.srcport 2>/dev/null | head -n 1 |
        awk '$1 == "192.168.1.252" && $2 == 53577 { ok = 1 } END { if (!ok) print "no SYN from it to port 24000" }' |
        result "the Edge connects from its relay port to relay port 24000, on $engine"
    tshark -r "$dir/cms.pcapng" -Y '_ws.malformed || tcp.checksum.status == 0 || ip.checksum.status == 0' \
        -o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE 2>/dev/null | head -n 5 |
        result "nothing malformed, every checksum right, on $engine"
done

if [ "$engines" != native ]; then
    for engine in native ns3; do
        jq -r '.messages[] | [.from, .to, .name] | @tsv' "$dir/lab/$engine/summary.json" >"$dir/messages.$engine"
    done
    same "both engines send the same messages in the same order" "$dir/messages.native" "$dir/messages.ns3"
    jq -rn --slurpfile a "$dir/lab/native/summary.json" --slurpfile b "$dir/lab/ns3/summary.json" '
        [$a[0].phases, $b[0].phases] | transpose[]
        | {name: .[0].name, a: (.[0].end_ns - .[0].start_ns), b: (.[1].end_ns - .[1].start_ns)}
        | select(((.a - .b) | fabs) > 0.05 * .b) | "\(.name): native \(.a) ns, ns-3 \(.b) ns"' |
        result "each phase takes the same time on both, within 5 %"
fi
# What the monitors see at the relay: the departures of the reference capture, which --strict does not pardon; and none
# that must hold where the relay keeps to the RFCs.
jq -r '.conformance[] | select(.result == "fail") | .id' "$dir/one.native/summary.json" >"$dir/departs"
printf '%s\n' 6062-5.3-5 8656-5-10 8656-7.2-36 MSI-10 MSI-11 >"$dir/expected"
same "which rows the lab's relay and clients depart from" "$dir/expected" "$dir/departs"
"$TURNPROOF" run topologies/lab.json --strict >"$dir/strict"
status=$?
{ [ $status -eq 1 ] && grep -q '^NONCONFORMANT' "$dir/strict" || head -n 3 "$dir/strict"; } |
    result "--strict: a broken MUST is exit 1"
{ "$TURNPROOF" run topologies/dual-nic.json --set 'nodes.expressway-e.settings.profile="strict"' --strict >"$dir/strict" ||
    head -n 6 "$dir/strict"; } | result "--strict: a relay that keeps to the RFCs is exit 0"

finish
