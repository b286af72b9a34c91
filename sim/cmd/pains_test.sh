#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What really goes wrong for people who put an Expressway-E behind firewalls, each as a scenario whose output names the
# cause. P1 to P20 are the symptoms of the collection that the project began with; the words are what must be said.
. models/testkit/tap.sh

rules=topologies/rules
e=nodes.expressway-e

# says NAME STATUS WORDS COMMAND...: the command ends with that status, and its output, lines joined, has the words (an
# extended regular expression).
says() {
    local name=$1 status=$2 words=$3
    shift 3
    "$TURNPROOF" "$@" >"$dir/out" 2>&1
    local was=$?
    {
        [ $was -eq "$status" ] || echo "status $was"
        tr -s '\n ' ' ' <"$dir/out" | grep -qE -e "$words" || { echo "it does not say: $words"; head -n 30 "$dir/out"; }
    } | result "$name"
}

# edited FILE SED: a rule set with a mistake
edited() {
    sed -E "$2" "$rules/$1" >"$dir/$1"
    cmp -s "$dir/$1" "$rules/$1" && echo "# nothing was changed in $1"
}

says "P1: without a public address the private one is announced, and media goes nowhere" 1 \
    '-> 10\.0\.10\.2:[0-9]+ dropped by internet' \
    run topologies/sip-edge-standards.json --set $e.settings.public_address=null
edited sip-edge-standards-ext-fw.cfg 's/^  inspect icmp/&\n  inspect sip/'
says "P2: SIP inspection is on" 1 'ERROR ext-fw: inspects sip: it rewrites addresses' \
    check topologies/sip-edge-standards.json --rules "ext-fw=$dir/sip-edge-standards-ext-fw.cfg"
edited single-nic-fw.cfg '/^nat \(dmz,dmz\)/d'
says "P3: a single interface without NAT reflection" 1 'BLOCKED 1\.11 TURN relay \(reflected' \
    check topologies/single-nic.json --rules "fw=$dir/single-nic-fw.cfg"
edited web-proxy-ext-fw.cfg 's/^(nat \(dmz-ext,dmz-ext\) source static EXPE-LAN2) EXPE-PUBLIC/\1 EXPE-LAN2/'
says "P4: reflection that leaves the source as it is: relays do not see whom they permit" 1 'BLOCKED 1\.11' \
    check topologies/web-proxy.json --rules "ext-fw=$dir/web-proxy-ext-fw.cfg"
edited ext-fw.cfg 's/(outside_in extended permit .*)object EXPE-LAN2/\1host 198.51.100.20/'
says "P5: rules on the translated address match nothing" 1 'ERROR .*198\.51\.100\.20|real' \
    check topologies/dual-nic.json --rules "ext-fw=$dir/ext-fw.cfg"
edited web-proxy-ext-fw.cfg '/service-object udp .* eq 3478/d; /service-object tcp .* eq 3478/s/3478/https/'
says "P6: a guest joins and has no audio and video: TURN 3478 is closed" 1 \
    'guest-1/audio .*(198\.51\.100\.20:3478|no candidate pair works)' \
    run topologies/web-proxy.json --rules "ext-fw=$dir/web-proxy-ext-fw.cfg"
says "P7: another release needs other rows" 1 'BLOCKED 1\.11' check topologies/cluster.json --expressway X12.5.2
says "P7: ... and from X12.5.3 on reflection is not asked for" 0 'only before X12\.5\.3: 1\.11' \
    check topologies/cluster.json --expressway X12.5.3
says "P9: administration on the port of the web clients" 1 \
    'WebRTC clients use the administration port: move it off 443' \
    run topologies/web-proxy.json --set "$e.settings.administration=\"10.0.10.2:443\""
edited int-fw.cfg 's/^timeout conn 1:00:00 half-closed 0:10:00/timeout conn 0:05:00 half-closed 0:05:00/'
says "P10, P11: an idle timer shorter than the silence of signalling and TURN over TCP" 1 'timeout conn 0:05:00' \
    run topologies/dual-nic.json --rules "int-fw=$dir/int-fw.cfg" --set duration_s=900 \
    --set "$e.settings.profile=\"strict\"" \
    --set 'nodes.skype-client.settings.screen={"bytes_per_s":2000,"burst_bytes":0,"duration_s":800}' \
    --set 'nodes.cms.settings.screen={"bytes_per_s":2000,"burst_bytes":0,"duration_s":800}'
says "P12: the default gateway on LAN1: the ways there and back differ" 1 'asymmetric routing' \
    run topologies/sip-edge-standards.json --set "$e.interfaces=[{\"name\":\"lan1\",\"addresses\":[\"10.0.20.2/24\"],
        \"gateway\":\"10.0.20.1\"},{\"name\":\"lan2\",\"addresses\":[\"10.0.10.2/24\"]}]"
says "P13: the relay's private address is announced to the Edge" 1 \
    'nothing reached the relayed address 10\.0\.10\.2:24000 packet TCP .* -> 10\.0\.10\.2:24000 dropped by internet' \
    run topologies/dual-nic.json --set $e.settings.public_address=null
says "P14: UDP 3478 and TCP 443 of the Edge are closed" 1 '5\.client-tcp .* is shut' \
    run topologies/lab.json --shut 5.client-tcp --shut 5.client-udp
says "P15: a relay range that is not the one in the rules" 1 '198\.51\.100\.20:32[0-9]{3}' \
    run topologies/web-proxy.json --set $e.settings.first_port=32768 --set $e.settings.last_port=40000
edited web-proxy-int-fw.cfg 's/source range 30000 35999 (destination eq 2222)/source range 25000 29999 \1/'
says "P16: the tunnel's source ports are not those of the rule" 1 \
    'TCP 10\.1\.2\.30:3[0-9]+ -> 10\.0\.20\.2:2222 dropped by int-fw' \
    run topologies/web-proxy.json --rules "int-fw=$dir/web-proxy-int-fw.cfg"
deny='access-list outside_in extended deny tcp any4 object EXPE-LAN2 eq https'
edited web-proxy-ext-fw.cfg "s/^access-list outside_in remark --- 1\.1 .*/$deny\n&/"
says "P17: a deny above the permit wins" 1 \
    'BLOCKED 1\.1 .*by .*-ext-fw\.cfg:[0-9]+: access-list outside_in extended deny tcp' \
    check topologies/web-proxy.json --rules "ext-fw=$dir/web-proxy-ext-fw.cfg"
edited single-nic-fw.cfg 's/( service-object tcp source gt 1023 destination eq) https/\1 444/'
says "P18: from the office it works, from the Internet it does not" 1 'BLOCKED 1\.1 CMA web client signalling' \
    check topologies/single-nic.json --rules "fw=$dir/single-nic-fw.cfg"
says "P20: more calls than relays" 1 'refused with (486|508)' \
    run topologies/web-proxy.json --set $e.settings.allocations=5
skip "P8: the port table itself was wrong" "no run shows it: tables are data, with releases, notes and errata"
skip "P19: live connections keep the old NAT after an edit" "rules do not change while a world runs"
finish
