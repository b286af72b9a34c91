#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The lab call over a grid of loss and round-trip time on the relay's path, 20 seeds each: every share comes up with all
# bytes in order exactly once (the digests of both sides agree), or fails with a reason to act on. GRID_SEEDS=N for more.
# On ns-3 a tenth of the seeds.
. models/testkit/tap.sh

seeds=${GRID_SEEDS:-20}

# one ENGINE LOSS_PPM RTT_MS SEED: a line "ok", "failed: reason" or "WRONG: ..."
one() {
    local engine=$1 loss=$2 rtt=$3 seed=$4 out
    out=$("$TURNPROOF" run topologies/lab.json --engine "$engine" --json --seed "$seed" --set "duration_s=240" \
        --set "links.int-fw-dmz.loss={\"bernoulli_ppm\":$loss}" --set "links.int-fw-dmz.delay_us=$((rtt * 500))" 2>&1)
    local status=$?
    if [ $status -eq 0 ] && jq -e '.verdict == "ok" and (.shares | length > 0 and all(.complete))' >/dev/null <<<"$out"; then
        echo ok
    elif [ $status -eq 1 ] && jq -e '.failure.phase and (.failure.advice | length > 0)' >/dev/null <<<"$out"; then
        echo "failed: $(jq -r '.failure.phase + ": " + .failure.reason' <<<"$out")"
    else
        echo "WRONG: $engine, loss $loss ppm, rtt $rtt ms, seed $seed: status $status: $(head -c 300 <<<"$out")"
    fi
}
export -f one

# grid ENGINE SEEDS
grid() {
    local engine=$1 seeds=$2 loss rtt
    echo "#: on $engine: loss %, round trip in ms, shares up of $seeds, and why not"
    for loss in 0 1000 10000 30000 50000; do
        for rtt in 10 50 200; do
            for seed in $(seq "$seeds"); do echo "$engine $loss $rtt $seed"; done |
                xargs -n 4 -P 2 bash -c 'one "$0" "$1" "$2" "$3"' >"$dir/cell"
            awk -v loss=$loss -v rtt=$rtt '/^ok/ { ok++ } /^failed/ { why[$0]++ }
                END { printf "#: %6.1f %8d %6d", loss / 10000, rtt, ok
                      for (w in why) printf "; %d %s", why[w], w
                      print "" }' "$dir/cell"
            {
                grep WRONG "$dir/cell"
                [ "$(wc -l <"$dir/cell")" -eq "$seeds" ] || echo "runs are missing"
                [ $loss -gt 1000 ] || grep failed "$dir/cell" # so little loss is no reason to fail
            } | result "$engine, loss $loss ppm, round trip $rtt ms: up, or a reason to act on"
        done
    done
}

grid native "$seeds"
if [ -e build/turnproof-ns3.so ]; then
    grid ns3 $(((seeds + 9) / 10))
else
    skip "the grid on ns-3" "the plug-in is not built"
fi
finish
