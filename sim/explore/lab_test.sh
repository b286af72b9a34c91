#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The honest program: no seed of the lab call fails (EXPLORE_SEEDS: 2,000; make nightly: 100,000), nor any of a deployment
# with NAT and a strict relay; and what the command line refuses.
. models/testkit/tap.sh

# holds NAME ARGUMENTS...: every invariant does.
holds() {
    local name=$1
    shift
    { "$TURNPROOF" explore "$@" >"$dir/out" 2>&1 || cat "$dir/out"; } | result "$name"
}
holds "no seed of the lab call fails" topologies/lab.json --seeds "1..${EXPLORE_SEEDS:-2000}"
sed -n 's/^  calls /#: calls/p' "$dir/out"
holds "no seed of the deployment with NAT, its relay strict" topologies/dual-nic.json --seeds 1..150 \
    --set 'nodes.expressway-e.settings.profile="strict"'
holds "restarts alone" topologies/lab.json --seeds 1..150 --faults topologies/faults/restarts.json

for jobs in 1 3; do
    "$TURNPROOF" explore topologies/lab.json --seeds 7..206 --jobs $jobs >"$dir/jobs.$jobs" 2>&1
done
same "what is found does not depend on --jobs" "$dir/jobs.1" "$dir/jobs.3"

# refused WORDS ARGUMENTS...: exit 2, and these words.
refused() {
    local words=$1
    shift
    "$TURNPROOF" explore "$@" >"$dir/out" 2>&1
    { [ $? -eq 2 ] || echo "status is not 2"; grep -qF -- "$words" "$dir/out" || cat "$dir/out"; } | result "refused: $words"
}
refused 'expected two seeds in order, as 1..2000, found "9..1"' topologies/lab.json --seeds 9..1
refused 'expected a number of processes from 0 to 256, found "many"' topologies/lab.json --jobs many
refused 'restarts.json:' topologies/faults/restarts.json --seeds 1..2
refused 'lab.json:3:3: name: unknown key' topologies/lab.json --seeds 1..2 --faults topologies/lab.json
finish
