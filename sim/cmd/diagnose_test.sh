#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# turnproof diagnose names what is wrong: in captures of simulated calls that fail in known ways, taken at Meeting Server
# and at Expressway-E; in captures of coturn and its client; with a log. tshark agrees on each STUN message.
. models/testkit/tap.sh
. sim/cmd/changes.sh

# The two places: what is there on all interfaces of Meeting Server, of Expressway-E.
at_cms=(--capture cms:a)
declare -A at_expressway=([lab]="--capture expressway-e:lan1"
                          [dual-nic]="--capture expressway-e:lan1 --capture expressway-e:lan2")

mkdir "$dir/all" # every capture, for tshark at the end
count_all=0

# said FILE: "VERDICT IDS" of a diagnosis
said() {
    jq -r '[.verdict] + [.findings[].id] | join(" ")' "$1"
}

# diagnosed NAME EXPECTED CAPTURE [OPTION]...: text and JSON, and the exit status that belongs to the verdict
diagnosed() {
    local name=$1 expected=$2 capture=$3 status
    shift 3
    count_all=$((count_all + 1))
    cp "$capture" "$dir/all/$(printf %03d $count_all).pcapng"
    {
        "$TURNPROOF" diagnose "$capture" "$@" --format json >"$dir/json" 2>"$dir/stderr"
        status=$?
        [ "$(said "$dir/json")" = "$expected" ] || { echo "found '$(said "$dir/json")'"; cat "$dir/stderr"; jq -c .not_seen "$dir/json"; }
        case $expected in cause*) [ $status -eq 1 ] ;; *) [ $status -eq 0 ] ;; esac || echo "exit status $status"
        "$TURNPROOF" diagnose "$capture" "$@" >"$dir/text" 2>>"$dir/stderr"
        [ $? -eq $status ] || echo "text and JSON differ in exit status"
        awk -v path="$capture" 'length > 80 && !index($0, path)' "$dir/text"
        cat "$dir/stderr"
    } | result "$name: $expected"
}

# call NAME TOPOLOGY AT-CMS AT-EXPRESSWAY [OPTION]...: a run, and what each capture of it must say
call() {
    local name=$1 topology=$2 cms=$3 expressway=$4
    shift 4
    "$TURNPROOF" run "topologies/$topology.json" --out "$dir/cms" "${at_cms[@]}" "$@" >/dev/null 2>&1
    "$TURNPROOF" run "topologies/$topology.json" --out "$dir/expressway" ${at_expressway[$topology]} "$@" >/dev/null 2>&1
    diagnosed "$name at Meeting Server" "$cms" "$dir/cms/capture.pcapng"
    diagnosed "$name at Expressway-E" "$expressway" "$dir/expressway/capture.pcapng"
}

# coturn's server and client, each run in a network namespace of its own and captured there, beside what follows.
cat >"$dir/coturn.sh" <<'COTURN'
# coturn.sh FILE SERVER-OPTIONS|none|ours CLIENT-OPTIONS: a capture of one run of turnutils_uclient
rm -f "$1"
ip link set lo up
turnutils_peer -L 127.0.0.1 -p 3480 >/dev/null 2>&1 &
case $2 in
none) ;;
ours) "$TURNPROOF" relay --listen 127.0.0.1:3478 --user u:p --realm x --allow-peer 127.0.0.0/8 >/dev/null 2>&1 & ;;
*) turnserver -n -L 127.0.0.1 -E 127.0.0.1 -p 3478 --allow-loopback-peers -a -u u:p -r x --no-cli --no-tls --no-dtls \
    --log-file "$1.log" --simple-log --pidfile "$1.pid" --db "$1.db" $2 >/dev/null 2>&1 & ;;
esac
dumpcap -q -i lo -w "$1" >/dev/null 2>"$1.err" &
capturing=$!
for ((i = 0; i < 50; i++)); do
    [ -s "$1" ] && { [ "$2" = none ] || ss -ltn | grep -q :3478; } && break
    sleep 0.1
done
timeout 7 turnutils_uclient -n 5 -u u -p 3478 -e 127.0.0.1 -r 3480 $3 127.0.0.1 >/dev/null 2>&1
sleep 1.2 # packets come to dumpcap in batches
kill -INT $capturing
wait $capturing
kill $(jobs -p)
COTURN

# NAME|EXPECTED|SERVER-OPTIONS|CLIENT-OPTIONS
coturn=("it works|nothing-wrong||-T -w p -m 1"
        "wrong password|cause wrong-credentials||-T -w other -m 1"
        "no server|cause turn-port-refused|none|-T -w p -m 1"
        "no TCP relays|cause allocate-refused|--no-tcp-relay|-T -w p -m 1"
        "a peer that is denied|cause permission-refused|--denied-peer-ip=127.0.0.1|-T -w p -m 1"
        "TLS to the plain port|cause tls-instead-of-stun||-T -w p -m 1 -S"
        "a quota|cause allocate-refused|-q 1|-T -w p -m 4"
        "ChannelData over UDP|nothing-wrong||-w p -m 1"
        "Send and Data over TCP|nothing-wrong||-t -s -w p -m 1"
        "its client and our relay|nothing-wrong|ours|-T -w p -m 1"
        "its client and our relay, over UDP|nothing-wrong|ours|-w p -m 1")
why_no_coturn=
if ! command -v turnutils_uclient >/dev/null || ! command -v dumpcap >/dev/null || ! command -v ss >/dev/null; then
    why_no_coturn="coturn, dumpcap or ss is not installed"
elif ! unshare -n sh -c 'ip link set lo up && dumpcap -q -i lo -a duration:1 -w "$0"' "$dir/try" 2>/dev/null; then
    why_no_coturn="network namespaces, or capturing in them, is not allowed here"
else
    mkdir "$dir/coturn"
    for ((n = 0; n < ${#coturn[@]}; n++)); do
        IFS='|' read -r _ _ server client <<<"${coturn[n]}"
        unshare -n bash "$dir/coturn.sh" "$dir/coturn/$n.pcapng" "$server" "$client" >/dev/null 2>&1 &
    done
fi

call "lab" lab nothing-wrong nothing-wrong
call "lab, a relay that wants permissions" lab "cause permission-missing no-connection-attempt" \
    "cause permission-missing" --set 'nodes.expressway-e.settings.profile="strict"'
call "lab, wrong password" lab "cause wrong-credentials share-refused" \
    "cause wrong-credentials share-refused" \
    --set 'nodes.cms.settings.turn_password="other"'
call "lab, wrong user" lab "cause wrong-credentials share-refused" \
    "cause wrong-credentials share-refused" \
    --set 'nodes.cms.settings.turn_user="other"'

# proved NAME FILTER: the last diagnosis shows the frame that tshark finds first by the filter
proved() {
    command -v tshark >/dev/null || { skip "$1: the frame" "tshark is not installed"; return; }
    {
        frame=$(tshark -r "$dir/expressway/capture.pcapng" -Y "$2" -T fields -e frame.number 2>/dev/null | head -n 1)
        jq -e --argjson frame "${frame:-0}" 'any(.findings[0].evidence[]; .frame == $frame)' "$dir/json" >/dev/null ||
            { echo "frame ${frame:-0} is not shown"; jq -c '.findings[0].evidence' "$dir/json"; }
    } | result "$1: the frame that shows it"
}
proved "lab, wrong user at Expressway-E" "stun.type == 0x0003 and stun.att.username"

# The mistakes of topologies/broken/dual-nic.json. Where nothing of the call passes, a capture cannot tell why; and the
# idle timer of conn-timeout-below-refresh kills signalling that Meeting Server does not see.
declare -A expected=(
    [turn-control-udp-only]="cause turn-port-blocked share-refused|cause share-refused"
    [relay-range-udp-only]="cause no-connection-attempt|cause no-connection-attempt"
    [relay-range-too-short]="cause no-connection-attempt|cause no-connection-attempt"
    [rule-on-mapped-address]="cause no-connection-attempt|cause no-connection-attempt"
    [conn-timeout-below-refresh]="nothing-wrong|cause sip-idle-timer"
    [global-list-behind-explicit-deny]="cause no-connection-attempt|cause no-connection-attempt"
    [default-gateway-on-lan1]="not-enough|cause way-back-blocked"
    [port-group-of-the-wrong-protocol]="cause no-connection-attempt|cause no-connection-attempt"
    [inactive-forgotten]="cause turn-port-blocked share-refused|cause share-refused"
    [deny-above-wins]="cause no-connection-attempt|cause no-connection-attempt"
    [traversal-source-ports]="not-enough|not-enough"
    [static-nat-missing]="not-enough|not-enough"
    [object-with-a-typing-error]="cause turn-port-blocked share-refused|cause share-refused"
    [pseudo-tls-port-closed]="not-enough|not-enough"
    [edge-may-not-connect-out]="cause no-connection-attempt|cause no-connection-attempt"
    [access-list-not-bound]="not-enough|not-enough"
)
# mistake_is_found ID NODE=RULES: with the topology, the line to blame and what to write instead are of the file with the
# mistake; and there are no addresses where there are names.
mistake_is_found() {
    {
        for place in cms expressway; do
            "$TURNPROOF" diagnose "$dir/$place/capture.pcapng" --topology topologies/dual-nic.json --rules "$2" \
                --format json >"$dir/json"
            jq -r --arg file "${2#*=}" '.findings[] | .way // empty |
                (.firewalls[] | select(.verdict == "blocked").lines[] | select(.file == $file) | "blocked"),
                (.changes[] | select(.file == $file and .proved) | "change"),
                (.timers[] | select(.file == $file and .write) | "timer")' "$dir/json"
            jq -r '.findings[] | .saw, .evidence[].text | select(test("[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+"))' "$dir/json"
        done | sort -u | tr '\n' ' ' >"$dir/found"
        case $(cat "$dir/found") in "blocked change " | "timer ") ;; *) echo "found '$(cat "$dir/found")'" ;; esac
    } | result "$1: the line with the mistake is named"
}

variants=topologies/broken/dual-nic.json
count=$(jq '.variants | length' $variants)
for ((n = 0; n < count; n++)); do
    variant() { jq -r --argjson n $n ".variants[\$n]$1" $variants; }
    id=$(variant .id)
    node=$(variant .node)
    rules=topologies/$(jq -r --arg node "$node" '.nodes[] | select(.name == $node) | .rules' topologies/dual-nic.json)
    edit "$rules" "$(variant .replace)" >"$dir/$id.cfg"
    options=(--rules "$node=$dir/$id.cfg")
    while read -r set; do [ -z "$set" ] || options+=(--set "$set"); done < <(variant '.set[]?')
    if [ -z "${expected[$id]:-}" ]; then
        echo "there is no expectation for it" | result "$id"
        continue
    fi
    call "$id" dual-nic "${expected[$id]%|*}" "${expected[$id]#*|}" "${options[@]}"
    case ${expected[$id]} in
    *turn-port-blocked* | *no-connection-attempt* | *idle-timer*) mistake_is_found "$id" "$node=$dir/$id.cfg" ;;
    esac
done

# The Skype side, with [MS-TURN] in pseudo-TLS, at the Edge; and a closed port at the client.
# skype NAME EXPECTED PLACE [OPTION]...
skype() {
    local name=$1 expected=$2 place=$3
    shift 3
    "$TURNPROOF" run topologies/dual-nic.json --out "$dir/skype" --capture "$place" "$@" \
        --set nodes.skype-client.settings.host_candidates=false >/dev/null 2>&1
    diagnosed "$name" "$expected" "$dir/skype/capture.pcapng"
}
skype "at Skype's Edge" nothing-wrong skype-edge:eth0
jq -r '[.messages[].name | select(startswith("MS-TURN Allocate"))][:4] | join(", ")' "$dir/json" |
    grep -vx 'MS-TURN Allocate request, MS-TURN Allocate error 401, MS-TURN Allocate request, MS-TURN Allocate success' |
    result "MS-TURN is read"
skype "wrong MRAS password, at Skype's Edge" "cause ms-allocate-refused" skype-edge:eth0 \
    --set 'nodes.skype-client.settings.turn_password="other"'
skype "pseudo-tls-port-closed, at the Skype client" "cause edge-port-blocked" skype-client:eth0 \
    --rules "skype-fw=$dir/pseudo-tls-port-closed.cfg"

# An attendee who may not share: signalling in clear at Skype's Edge says it, and so does the log.
options=(--set 'nodes.skype-client.settings.role="attendee"')
"$TURNPROOF" run topologies/lab.json --out "$dir/edge" --capture skype-edge:eth0 "${options[@]}" >/dev/null 2>&1
diagnosed "an attendee, at Skype's Edge" "cause attendee-cannot-share" "$dir/edge/capture.pcapng"
"$TURNPROOF" run topologies/lab.json --out "$dir/cms" "${at_cms[@]}" "${options[@]}" >/dev/null 2>&1
cat >"$dir/log" <<'LOG'
Nov 20 10:15:31 user.info cms host:server: INFO : call 17: outgoing SIP call to "sip:meeting@acme.example"
Nov 20 10:15:32 user.info cms host:server: INFO : SIP trace: ms-diagnostics-public: 21002;reason="Attendees cannot share in this conference";component="ASMCU"
LOG
diagnosed "an attendee, at Meeting Server, with its log" "cause attendee-cannot-share" "$dir/cms/capture.pcapng" --log "$dir/log"
jq -r '.findings[0].evidence[0].line' "$dir/json" | grep -vx 2 | result "the log's line is told"
diagnosed "an attendee, at Meeting Server, without its log" "not-enough" "$dir/cms/capture.pcapng"

# The page: well-formed, and what a capture says is never markup.
"$TURNPROOF" diagnose "$dir/skype/capture.pcapng" --format html >"$dir/page.html"
"$TURNPROOF" run topologies/lab.json --out "$dir/cms" "${at_cms[@]}" \
    --set 'nodes.expressway-e.settings.turn_user="<b>&"' --set 'nodes.cms.settings.turn_user="<b>&"' >/dev/null
"$TURNPROOF" diagnose "$dir/cms/capture.pcapng" --format html >"$dir/marked.html"
for page in page marked; do
    if command -v xmllint >/dev/null; then
        sed -e 's/<!DOCTYPE html>//' -e 's/<meta charset="utf-8">//' "$dir/$page.html" | xmllint --noout - 2>&1 |
            result "the $page page is well-formed"
    else
        skip "the $page page is well-formed" "xmllint is not installed"
    fi
done
{
    grep -q 'user &lt;b&gt;&amp;' "$dir/marked.html" || echo "the user is not there"
    grep -o '<b>' "$dir/marked.html"
    grep -q '<svg' "$dir/marked.html" || echo "no ladder"
} | result "a page has the ladder, and no markup of others"

# Parts of a capture.
"$TURNPROOF" run topologies/lab.json --out "$dir/cms" "${at_cms[@]}" >/dev/null
head -c 6000 "$dir/cms/capture.pcapng" >"$dir/short.pcapng"
"$TURNPROOF" diagnose "$dir/short.pcapng" --format json >"$dir/json"
jq -r 'if .broken_off == null or .verdict != "not-enough" then . else empty end' "$dir/json" | result "a capture that breaks off is said to"
"$TURNPROOF" diagnose - <"$dir/cms/capture.pcapng" --format json | jq -r '.verdict' | grep -vx nothing-wrong |
    result "standard input is read"

# A bar for who waits at a terminal, gone at the end; nothing elsewhere.
if command -v script >/dev/null; then
    script -qec "$TURNPROOF diagnose $dir/cms/capture.pcapng >/dev/null" /dev/null </dev/null | tr '\r' '\n' >"$dir/bar"
    {
        grep -q -E '^\[ *\] +0 %$' "$dir/bar" || echo "it does not begin"
        grep -q -E '^\[#{40}\] 100 %$' "$dir/bar" || echo "it does not end"
        "$TURNPROOF" diagnose "$dir/cms/capture.pcapng" 2>&1 >/dev/null
    } | result "a progress bar on a terminal, and only there"
else
    skip "a progress bar on a terminal" "script is not installed"
fi

# refused NAME PATTERN ARGUMENT...: exit 2, and why
refused() {
    local name=$1 pattern=$2
    shift 2
    {
        "$TURNPROOF" diagnose "$@" >"$dir/stdout" 2>"$dir/stderr"
        [ $? -eq 2 ] || echo "exit status"
        cat "$dir/stdout"
        grep -q -E -- "$pattern" "$dir/stderr" || cat "$dir/stderr"
    } | result "$name"
}
refused "no capture" 'expected one CAPTURE, found 0'
refused "a capture that is none" 'README.md: ' README.md
refused "a capture that is not there" 'no/such: ' no/such
refused "a log that is not there" '^no/such:1:1: expected a log, found: No such file' "$dir/cms/capture.pcapng" --log no/such
refused "a log that is none" 'capture.pcapng:[0-9]+:1: expected a line of text, found a NUL byte' \
    "$dir/cms/capture.pcapng" --log "$dir/cms/capture.pcapng"
refused "an unknown format" '--format: expected text, json or html, found "xml"' "$dir/cms/capture.pcapng" --format xml
# coturn's runs are over by now.
wait
if [ -n "$why_no_coturn" ]; then
    skip "captures of coturn" "$why_no_coturn"
else
    for ((n = 0; n < ${#coturn[@]}; n++)); do
        IFS='|' read -r name expect _ <<<"${coturn[n]}"
        diagnosed "coturn, $name" "$expect" "$dir/coturn/$n.pcapng"
    done
fi

# tshark reads the same in all of them.
if tshark -v 2>/dev/null | tr '\n' ' ' | grep -qi 'with lua'; then
    sim/cmd/diagnose_fields.sh "$dir"/all/*.pcapng >"$dir/fields"
    grep '^#: ' "$dir/fields"
    grep -v '^#: ' "$dir/fields" | result "tshark decodes every message alike"
else
    skip "tshark decodes every message alike" "tshark is not installed, or without Lua"
fi
finish
