#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each of the first packets of the call lost, one a run, on each link of the relay's path and in each direction: TCP
# repairs it, so the call must come up with every byte. What arrives late arrives together with what followed: this finds
# cores that take the end of a message for the end of a read.
. models/testkit/tap.sh

packets=${LOSS_PACKETS:-40}

# one LINK DIRECTION N: nothing when the call came up
one() {
    local out
    out=$("$TURNPROOF" run topologies/lab.json --set "links.$1.$2={\"loss\":{\"mask\":[$3]}}" 2>&1) ||
        echo "$1 $2, packet $3: $(sed -n 1,2p <<<"$out" | tr '\n' ' ')"
}
export -f one

for link in client-wan edge-dmz int-fw-dmz expressway-e-lan cms-lan; do
    for direction in ab ba; do
        for n in $(seq "$packets"); do echo "$link $direction $n"; done |
            xargs -n 3 -P 2 bash -c 'one "$0" "$1" "$2"' | result "one packet of $packets lost on $link, $direction"
    done
done
finish
