#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# turnproof relay on this machine's sockets: coturn's clients as strangers, signals, counters, limits.
. models/testkit/tap.sh

if ! command -v turnutils_uclient >/dev/null; then
    skip "the relay and coturn's clients" "coturn is not installed"
    finish
    exit
fi

started=()
trap 'kill "${started[@]}" 2>/dev/null; rm -rf "$dir"' EXIT

# relay NAME OPTION...: started, with its log in NAME.log; $port is where it listens
relay() {
    local name=$1
    shift
    for ((try = 0; try < 20; try++)); do
        port=$((20000 + RANDOM % 3900))
        "$TURNPROOF" relay --listen "127.0.0.1:$port" --relay-address 127.0.0.1 "$@" 2>"$dir/$name.log" &
        pid=$!
        started+=("$pid")
        while kill -0 "$pid" 2>/dev/null && ! grep -q ready "$dir/$name.log"; do sleep 0.02; done
        grep -q ready "$dir/$name.log" && return
    done
    cat "$dir/$name.log"
}

# logged NAME PATTERN: waits until the log has it
logged() {
    for ((i = 0; i < 250; i++)); do
        grep -q -E -- "$2" "$dir/$1.log" && return
        sleep 0.02
    done
    echo "no \"$2\" in the log:"
    tail -3 "$dir/$1.log"
}

peer_port=$((24000 - 100 + RANDOM % 50))
turnutils_peer -L 127.0.0.1 -p $peer_port >/dev/null 2>&1 &
started+=($!)

# judge NAME: what is wrong with what turnutils_uclient, its output in NAME, has to say of its messages
judge() {
    grep -q "^exit 0$" "$dir/$1" || tail -1 "$dir/$1"
    tail -8 "$dir/$1" | grep -q 'Total lost packets 0 (0.000000%)' || grep -v '^0: : \(IPv4\|Conn\)' "$dir/$1" | tail -5
    local sent received
    sent=$(grep -o 'tot_send_msgs=[0-9]*' "$dir/$1" | tail -1)
    received=$(grep -o 'tot_recv_msgs=[0-9]*' "$dir/$1" | tail -1)
    [ -n "$sent" ] && [ "${sent#*=}" = "${received#*=}" ] && [ "${sent#*=}" -gt 0 ] || echo "$sent $received"
}
# uclient NAME OPTION...: runs it against the relay, its output into NAME
uclient() {
    local name=$1
    shift
    timeout 60 turnutils_uclient "$@" -u alice -w secret -p "$port" -e 127.0.0.1 -r $peer_port 127.0.0.1 >"$dir/$name" 2>&1
    echo "exit $?" >>"$dir/$name"
}

# Each mode of turnutils_uclient, all at once against one relay: every message comes back, none is lost.
relay main --profile rfc5766 --user alice:secret --realm example.org --allow-peer 127.0.0.0/8 --max-allocations 2000
modes=(
    "UDP, channels|-n 20 -m 4"
    "UDP, Send and Data|-s -n 20 -m 4"
    "UDP, no RTCP|-c -n 20 -m 4"
    "UDP, client to client|-y -n 20 -m 4"
    "UDP, permissions and channels again and again|-G -n 20 -m 4"
    "TCP client, UDP relay, channels|-t -n 20 -m 4"
    "TCP client, UDP relay, Send and Data|-t -s -n 20 -m 4"
    "TCP client, padded channels|-t -D -n 20 -m 4"
    "TCP client, client to client|-t -y -n 20 -m 4"
    "RFC 6062|-T -n 20 -m 4"
    "UDP, 40 sessions|-n 10 -m 40"
    "UDP, long messages|-l 1200 -n 20 -m 4"
    "UDP, 1 session, 1000 messages|-c -n 1000 -m 1 -z 1"
    "IPv4 asked for|-X -n 10 -m 2"
    "UDP, DONT-FRAGMENT, channels|-g -n 20 -m 4"
    "UDP, DONT-FRAGMENT, Send and Data|-g -s -n 20 -m 4"
    "TCP client, DONT-FRAGMENT, Send and Data|-g -t -s -n 20 -m 4"
)
for i in "${!modes[@]}"; do
    # shellcheck disable=SC2086
    uclient "mode$i" ${modes[$i]#*|} &
    clients[i]=$!
done
wait "${clients[@]}"
for i in "${!modes[@]}"; do
    judge "mode$i" | result "turnutils_uclient ${modes[$i]#*|}: ${modes[$i]%%|*}"
done
timeout 60 turnutils_uclient -T -n 10 -m 40 -u alice -w secret -p "$port" -e 127.0.0.1 -r $peer_port 127.0.0.1 2>&1 |
    grep -c 'Total lost packets 0 (0.000000%)' | grep -v '^[1-9]' | result "turnutils_uclient -T -n 10 -m 40: 40 sessions"
turnutils_stunclient -p "$port" 127.0.0.1 2>&1 | grep -c 'UDP reflexive addr: 127.0.0.1:' | grep -v '^[12]$' |
    result "turnutils_stunclient: learns its address"

kill -USR1 "$pid"
logged main 'allocations [0-9]+ \(ever [1-9][0-9]*, refused' | result "SIGUSR1: the counters are logged"
kill -TERM "$pid"
kill -TERM "$pid" 2>/dev/null
wait "$pid"
status=$?
{
    [ $status -eq 0 ] || echo "exit $status"
    logged main 'stopping'
} | result "SIGTERM twice: it ends at once, with 0"

# Threads: clients fall to either, a ConnectionBind finds the one that it is for, a reserved port can be had from both.
relay threads --threads 2 --verbose --profile rfc5766 --user alice:secret --realm example.org --allow-peer 127.0.0.0/8 \
    --max-allocations 2000 --metrics "127.0.0.1:$((peer_port + 70))" --drain 60
modes=("UDP, 40 sessions|-n 10 -m 40" "RFC 6062, 20 sessions|-T -n 10 -m 20" "TCP client, UDP relay|-t -n 20 -m 8"
    "UDP, Send and Data, client to client|-y -s -n 20 -m 8")
clients=()
for i in "${!modes[@]}"; do
    # shellcheck disable=SC2086
    uclient "thread$i" ${modes[$i]#*|} &
    clients[i]=$!
done
wait "${clients[@]}"
for i in "${!modes[@]}"; do
    judge "thread$i" | result "--threads 2: turnutils_uclient ${modes[$i]#*|}: ${modes[$i]%%|*}"
done
kill -USR1 "$pid"
logged threads ' allocations [0-9]+ \(ever [1-9][0-9]*, refused' | result "--threads 2: SIGUSR1: the counters are logged"
exec 3<>"/dev/tcp/127.0.0.1/$((peer_port + 70))"
printf 'GET /metrics HTTP/1.1\r\n\r\n' >&3
cat <&3 >"$dir/page"
{
    made=$(grep -c 'OPENING -> LIVE' "$dir/threads.log")
    for shard in 0 1; do grep -q "\[$shard\] alloc=.* LIVE" "$dir/threads.log" || echo "thread $shard had none"; done
    grep -q "^turnproof_relay_allocated_ever_total $made\$" "$dir/page" || grep "allocated_ever.* [0-9]" "$dir/page"
    grep -q "allocations [0-9]* (ever $made," "$dir/threads.log" || grep '(ever' "$dir/threads.log"
} | result "--threads 2: page and log have the sums of both"
grep -v -E '^[0-9-]{10}T[0-9:]{8}Z ((\[[01]\] )?(alloc=|tcp |udp |the relay closed)|ready|allocations)' "$dir/threads.log" |
    result "--threads 2: no line of the log is mixed with another"
"$TURNPROOF" relay --threads 2 --listen "127.0.0.1:$port" --user u:p 2>"$dir/second.log"
{
    [ $? -eq 1 ] || echo "exit $?"
    grep -q "127.0.0.1:$port" "$dir/second.log" || cat "$dir/second.log"
} | result "--threads 2: an address that is taken is named"
kill -TERM "$pid"
logged threads 'stopping' | result "--threads 2: SIGTERM: it drains"
kill -TERM "$pid"
wait "$pid"
status=$?
{ [ $status -eq 0 ] || echo "exit $status"; } | result "--threads 2: SIGTERM again: it ends with 0"

# RFC 5780: two addresses, each with the same two ports; what turnutils_natdiscovery finds on loopback is no NAT.
relay far --user u:p
other=$((port + 1))
kill "$pid"
wait "$pid"
"$TURNPROOF" relay --user u:p --relay-address 127.0.0.1 --listen "127.0.0.1:$port" --listen "udp:127.0.0.1:$other" \
    --listen "udp:127.0.0.2:$port" --listen "udp:127.0.0.2:$other" 2>"$dir/corners.log" &
started+=($!)
logged corners ready
timeout 60 turnutils_natdiscovery -m -f -H -p "$port" 127.0.0.1 >"$dir/discovery" 2>&1
{
    [ $? -eq 0 ] || echo "exit"
    for found in 'Endpoint Independent Mapping' 'Endpoint Independent Filtering' 'successful hairpinning'; do
        grep -q "$found" "$dir/discovery" || echo "not found: $found"
    done
} | result "turnutils_natdiscovery: mapping, filtering and hairpinning are found"

# Users from a file, read again on SIGHUP; a file that is wrong then changes nothing.
echo 'bob:old' >"$dir/users"
relay users --profile rfc5766 --users "$dir/users" --allow-peer 127.0.0.0/8 --metrics "127.0.0.1:$((peer_port + 60))" --drain 0
try() {
    timeout 20 turnutils_uclient -c -n 1 -m 1 -u "$1" -w "$2" -p "$port" -e 127.0.0.1 -r $peer_port 127.0.0.1 2>&1 |
        grep -q 'Total lost packets 0' && echo in || echo out
}
{
    found=$(try bob old)$(try bob new)$(try carol old)
    [ "$found" = inoutout ] || echo "$found"
} | result "users: those of the file, with their passwords"
printf '# the new ones\nbob:new\ncarol:old\n' >"$dir/users"
kill -HUP "$pid"
{
    logged users '2 users'
    found=$(try bob old)$(try bob new)$(try carol old)
    [ "$found" = outinin ] || echo "$found"
} | result "SIGHUP: the users are those of the file as it is now"
printf 'bob:newer\nnobody\n' >"$dir/users"
kill -HUP "$pid"
{
    logged users 'the users stay as they were: .*/users:2:1: expected NAME:PASSWORD'
    [ "$(try bob new)" = in ] || echo "bob is out"
} | result "SIGHUP with a file that is wrong: said with its line, and nothing changes"

exec 3<>"/dev/tcp/127.0.0.1/$((peer_port + 60))"
printf 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n' >&3
cat <&3 >"$dir/page"
{
    head -1 "$dir/page" | grep -q '^HTTP/1.0 200 OK' || head -1 "$dir/page"
    grep -q -E '^turnproof_relay_allocated_ever_total [1-9]' "$dir/page" || cat "$dir/page"
    [ "$(grep -c '^# TYPE' "$dir/page")" -eq "$(grep -c '^turnproof' "$dir/page")" ] || echo "a counter without a type"
} | result "the counters are a page for Prometheus"
exec 3<>"/dev/tcp/127.0.0.1/$((peer_port + 60))"
printf 'GET / HTTP/1.1\r\n\r\n' >&3
head -1 <&3 | grep -v '^HTTP/1.0 404' | result "any other page is not found"
kill -TERM "$pid"
wait "$pid"
status=$?
{ [ $status -eq 0 ] || echo "exit $status"; } | result "SIGTERM: it ends with 0"

# Two cannot have one address: said, and exit 1.
relay first --user u:p
for proto in udp tcp; do
    "$TURNPROOF" relay --listen "$proto:127.0.0.1:$port" --user u:p 2>"$dir/second.log"
    {
        [ $? -eq 1 ] || echo "exit $?"
        grep -q "127.0.0.1:$port" "$dir/second.log" || cat "$dir/second.log"
    } | result "an address that is taken is named ($proto)"
done

# Without --allow-peer, loopback is no peer.
timeout 20 turnutils_uclient -c -s -n 1 -m 1 -u u -w p -p "$port" -e 127.0.0.1 -r $peer_port 127.0.0.1 >"$dir/refused" 2>&1
{ grep -q 'error 403' "$dir/refused" || tail -3 "$dir/refused"; } | result "loopback is refused as a peer"
finish
