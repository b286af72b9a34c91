#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# turnproof relay under steady load on this machine's sockets: SOAK_ALLOCATIONS (300) clients with a channel each,
# SOAK_RATE (2000) messages a second over all of them for SOAK_SECONDS (3), each to be echoed by its peer. None may be
# lost, the relay's counters must say the same, and its memory may not grow by more than GROWS_KIB from when all are there.
# (A machine that is busy otherwise overflows the kernel's socket buffers at high rates: what those lost is told.)
. models/testkit/tap.sh
allocations=${SOAK_ALLOCATIONS:-300}
seconds=${SOAK_SECONDS:-3}
rate=${SOAK_RATE:-2000}
GROWS_KIB=2048
bench=${LOAD_BENCH:-build/gcc-O2/sim/relay/load_bench}
name="a relay under load for $seconds s, $allocations allocations"

[ -x "$bench" ] || { skip "$name" "load_bench is not built"; finish; }
[ "$(ulimit -Hn)" = unlimited ] || [ "$(ulimit -Hn)" -gt $((2 * allocations + 500)) ] ||
    { skip "$name" "too few descriptors are allowed"; finish; }

overflows() { awk '/^Udp:/ && $6 ~ /^[0-9]/ { print $6 }' /proc/net/snmp; }
overflows=$(overflows)
pid=
trap 'kill $pid 2>/dev/null; rm -rf "$dir"' EXIT
for ((try = 0; try < 20; try++)); do
    port=$((20000 + RANDOM % 1900))
    "$TURNPROOF" relay --listen "127.0.0.1:$port" --relay-address 127.0.0.1 --user u:p --realm x --drain 0 \
        --profile rfc5766 --allow-peer 127.0.0.0/8 --relay-ports 24000-35999 --max-allocations "$allocations" \
        2>"$dir/log" &
    pid=$!
    while kill -0 $pid 2>/dev/null && ! grep -q ready "$dir/log"; do sleep 0.02; done
    grep -q ready "$dir/log" || continue
    "$bench" soak "127.0.0.1:$port" $pid u p $((port + 2000)) "$allocations" "$seconds" "$rate" \
        >"$dir/line" 2>"$dir/err" && break
    kill $pid 2>/dev/null
    wait $pid
done
kill -TERM $pid
wait $pid
sed 's/^/#: /' "$dir/line"
field() { sed -n "s/.*\\b$1=\\([0-9]*\\).*/\\1/p" "$dir/line"; }
sent=$(field sent)
{
    cat "$dir/err"
    [ "${sent:-0}" -eq $((rate * seconds)) ] || echo "sent: ${sent:-nothing}"
    [ "$sent" = "$(field received)" ] || echo "$sent sent, $(field received) came back; the kernel dropped $(($(overflows) - overflows))"
} | result "$name: no message is lost"
grep -o 'datagrams to peers .*' "$dir/log" | tail -1 |
    grep -v -x "datagrams to peers $sent ([0-9]* bytes), to clients $sent ([0-9]* bytes), dropped 0" |
    result "the relay's counters say so too"
{
    grown=$(($(field kib_at_end) - $(field kib_at_first)))
    [ $grown -le $GROWS_KIB ] || echo "its memory grew by $grown KiB"
} | result "its memory does not grow by more than $GROWS_KIB KiB"
finish
