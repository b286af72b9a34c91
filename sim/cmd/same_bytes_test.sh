#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Same input, same seed: the same bytes in events.ndjson and capture.pcapng, whatever the compiler and the optimisation;
# another seed with jitter: others.
. models/testkit/tap.sh

topology=topologies/lab.json
jitter="--set links.client-wan.jitter_us=3000 --set links.client-wan.loss={\"bernoulli_ppm\":10000}"

# run PROGRAM FOLDER ARGUMENTS...: the hashes of what it leaves.
run() {
    local program=$1 out=$2
    shift 2
    "$program" run $topology --out "$out" "$@" >/dev/null 2>"$out.stderr"
    local status=$?
    [ $status -eq 0 ] || { echo "$program ended with status $status: $(head -n 3 "$out.stderr")"; return; }
    (cd "$out" && sha256sum events.ndjson capture.pcapng)
}

run "$TURNPROOF" "$dir/first" $jitter >"$dir/expected"
grep -v -E '^[0-9a-f]{64}  ' "$dir/expected" | result "a run with jitter and loss comes up"
for i in 2 3 4 5 6 7 8 9 10; do
    run "$TURNPROOF" "$dir/again$i" $jitter | diff "$dir/expected" - && rm -rf "$dir/again$i"
done | result "ten runs leave the same bytes"

for variant in gcc-O0 clang-O2 clang-O0 gcc-O2-san; do
    program=build/$variant/turnproof
    if [ -x "$program" ]; then
        run "$program" "$dir/$variant" $jitter | diff "$dir/expected" - | result "$variant leaves the same bytes"
    else
        skip "$variant leaves the same bytes" "not built"
    fi
done

# check PROGRAM: all that it says of a rule set with mistakes, in every format.
sed 's/destination range 24000/destination range 26000/' topologies/rules/ext-fw.cfg >"$dir/ext.cfg"
sed '/permit tcp object CMS gt 1023/d' topologies/rules/int-fw.cfg >"$dir/int.cfg"
check() {
    local rules="--rules ext-fw=$dir/ext.cfg --rules int-fw=$dir/int.cfg"
    for format in text json junit sarif; do
        "$1" check topologies/dual-nic.json $rules --simulate --format $format
        [ $? -eq 1 ] || echo "$1: exit status"
    done 2>&1 | sha256sum
    "$1" diff topologies/dual-nic.json --with ext-fw="$dir/ext.cfg" 2>&1 | sha256sum
}
check "$TURNPROOF" >"$dir/checked"
for variant in gcc-O0 clang-O2 clang-O0 gcc-O2-san; do
    program=build/$variant/turnproof
    if [ -x "$program" ]; then
        check "$program" | diff "$dir/checked" - | result "$variant checks and compares with the same words"
    else
        skip "$variant checks and compares with the same words" "not built"
    fi
done

run "$TURNPROOF" "$dir/seed" $jitter --seed 2 >"$dir/other"
{ cmp -s "$dir/expected" "$dir/other" && echo "seed 2 left the bytes of seed 1"; } | result "another seed, another trace"
finish
