#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The search is searched: each fault of planted.tsv is built into a turnproof of its own, which has to find it, run it
# again by its seed, and shrink it to a topology that fails alike. PLANTED=all: all of them within 10,000 seeds, with
# figures (make nightly); else those of CI, by the seeds that are known to find them.
. models/testkit/tap.sh
build=${BUILD:-build/gcc-O2}
objects=$(make --no-print-directory -s list-command-objects)
libs=$(make --no-print-directory -s list-libraries)
ci="relay-loses-bytes relay-loses-the-tail tcp-syn-does-not-back-off tcp-reassembles-wrongly"

# plant FILE OLD NEW: the program $dir/planted with that change; a message when it cannot be made.
plant() {
    local text rest
    text=$(<"$1")
    rest=${text#*"$2"}
    [ "$rest" != "$text" ] || { echo "$1 has no \"$2\""; return 1; }
    [ "${rest#*"$2"}" = "$rest" ] || { echo "$1 has \"$2\" more than once"; return 1; }
    mkdir -p "$dir/$(dirname "$1")"
    printf '%s\n' "${text/"$2"/"$3"}" >"$dir/$1"
    gcc -std=c17 -O2 -w -fPIC -I. -D_GNU_SOURCE -c -o "$dir/planted.o" "$dir/$1" 2>&1 || return 1
    # shellcheck disable=SC2086
    gcc -rdynamic -o "$dir/planted" $objects "$dir/planted.o" "$build/libturnproof.a" $libs 2>&1
}

# found FIRST..LAST INVARIANT: by the planted program; its seed goes to $dir/seed.
found() {
    local invariant=$2 seed
    "$dir/planted" explore topologies/lab.json --seeds "$1" --out "$dir/small.json" >"$dir/out" 2>"$dir/err"
    [ $? -eq 1 ] || { echo "not found"; head -n 3 "$dir/out"; return 1; }
    sed -n '1s/^seed \([0-9]*\): .*/\1/p' "$dir/out" >"$dir/seed"
    seed=$(<"$dir/seed")
    [ "$invariant" = any ] || grep -q "^seed [0-9]*: $invariant does not hold" "$dir/out" || head -n 1 "$dir/out"
    "$dir/planted" explore topologies/lab.json --seeds "$seed..$seed" >"$dir/again" 2>"$dir/err"
    diff <(head -n 1 "$dir/out") <(head -n 1 "$dir/again")
    "$dir/planted" explore "$dir/small.json" >"$dir/small" 2>"$dir/err"
    diff <(head -n 1 "$dir/out") <(head -n 1 "$dir/small")
    "$TURNPROOF" explore "$dir/small.json" >"$dir/honest" 2>&1 || { echo "the honest program:"; head -n 6 "$dir/honest"; }
}

while IFS=$'\t' read -r name seed invariant file old new <&3; do
    [[ $name != \#* ]] || continue
    [ "${PLANTED:-}" = all ] || [[ " $ci " == *" $name "* ]] || continue
    seeds=$seed..$seed
    [ "${PLANTED:-}" != all ] || seeds=1..10000
    { plant "$file" "$old" "$new" && found "$seeds" "$invariant"; } >"$dir/wrong" 2>&1
    result "$name is found, found again and shrunk" <"$dir/wrong"
    [ "${PLANTED:-}" != all ] || sed -n -e '1p' -e '/^  shrunk/p' -e '/^  fault/p' -e '/^  link/p' "$dir/out" | sed 's/^/#: /'
done 3<sim/explore/planted.tsv
finish
