#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Checks are checked: for each row with a probe there is a mutant of our relay or client that it catches. A mutant is a
# line of mutants/*.mutants, tab-separated: the row's id, then a file, a piece of its text that stands there once, and what
# it becomes; the last three again for a mutant of several changes. The mutated files alone are compiled, and linked
# before the library; then the row is judged. Caught: the row fails; one that never fails (the RFC is silent, or says MAY)
# says that it saw something else than in our relay. Prints the table, "#: " before each line.
# ONLY=PATTERN: only rows whose id matches.
cd "$(dirname "$0")/.."
. models/testkit/tap.sh
build=${BUILD:-build/gcc-O2}
only=${ONLY:-}
objects=$(make --no-print-directory -s list-command-objects)
flags="-std=c17 -O0 -w -fPIC -I. -D_GNU_SOURCE"
libs=$(make --no-print-directory -s list-libraries)
judge="conform --sim --strict"

# ---- one mutant, in a process of its own: NUMBER LINE ----

# change FILE OLD NEW: the mutated file under $dir/$n; a message when the text is not there once.
change() {
    local text rest
    [ -f "$1" ] || { echo "no file $1"; return 1; }
    text=$(<"$1")
    [ ! -f "$dir/$n/$1" ] || text=$(<"$dir/$n/$1")
    rest=${text#*"$2"}
    [ "$rest" != "$text" ] || { echo "$1 has no \"$2\""; return 1; }
    [ "${rest#*"$2"}" = "$rest" ] || { echo "$1 has \"$2\" more than once"; return 1; }
    mkdir -p "$dir/$n/$(dirname "$1")"
    printf '%s\n' "${text/"$2"/"$3"}" >"$dir/$n/$1"
}

mutant() {
    local n=$1 line=$2 ids id engine field why= objs= source key
    mapfile -t -d $'\t' field < <(printf '%s' "$line") # a replacement may be empty
    ids=${field[0]}
    for ((i = 1; i < ${#field[@]}; i += 3)); do
        why=$(change "${field[i]}" "${field[i + 1]}" "${field[i + 2]:-}") || { echo "bad $ids $why"; return; }
    done
    for source in $(cd "$dir/$n" && find . -name '*.c'); do
        source=${source#./}
        key=$dir/$n/${source%.c}.o
        # shellcheck disable=SC2086
        gcc $flags -c -o "$key" "$dir/$n/$source" 2>"$dir/$n/log" ||
            { echo "bad $ids does not compile: $(head -n 1 "$dir/$n/log")"; return; }
        objs="$objs $key"
    done
    # shellcheck disable=SC2086
    gcc -rdynamic -o "$dir/$n/mutant" $objects $objs "$build/libturnproof.a" $libs 2>"$dir/$n/log" ||
        { echo "bad $ids does not link: $(tail -n 1 "$dir/$n/log")"; return; }
    for id in $ids; do
        engine=memory
        [[ $id != NAT-* ]] || engine=native # a NAT is a box with packets
        # shellcheck disable=SC2086
        timeout 60 "$dir/$n/mutant" $judge --engine $engine --only "$id" >"$dir/$n/$id" 2>&1
        case $? in
        1) echo "caught $id fails" ;;
        0)
            # shellcheck disable=SC2086
            "$TURNPROOF" $judge --engine $engine --only "$id" >"$dir/$n/honest" 2>&1
            if grep -qx "$id" "$dir/open" && ! cmp -s "$dir/$n/$id" "$dir/$n/honest"; then
                echo "caught $id is seen otherwise"
            else
                echo "missed $id $(printf '%s' "${field[2]}" | head -c 60)"
            fi
            ;;
        124) echo "missed $id the run does not end" ;;
        *) echo "caught $id the relay dies" ;;
        esac
    done
    rm -rf "${dir:?}/$n"
}
export -f mutant change
export build objects flags libs judge dir

# Rows with a probe, and of these the ones that cannot fail.
"$TURNPROOF" conform --list >"$dir/list" || exit 1
awk '/^[0-9A-Z]+-/ && / probe/ { print $1 }' "$dir/list" | sort >"$dir/probes"
awk '/^[0-9A-Z]+-/ && ($2 == "open," || $2 == "MAY,") { print $1 }' "$dir/list" >"$dir/open"

# One build for all rows that the same change is for.
grep -h -v -e '^#' -e '^$' conformance/mutants/*.mutants | awk -F '\t' -v only="$only" '
    $1 ~ only { rest = substr($0, length($1) + 2); if (!(rest in ids)) order[++n] = rest; ids[rest] = ids[rest] " " $1 }
    END { for (i = 1; i <= n; i++) print substr(ids[order[i]], 2) "\t" order[i] }' >"$dir/mutants"
n=0
while IFS= read -r line; do
    n=$((n + 1))
    printf '%s\0%s\0' "$n" "$line"
done <"$dir/mutants" | xargs -0 -r -n 2 -P "${JOBS:-2}" bash -c 'mutant "$0" "$1"' >"$dir/outcome"

grep '^bad ' "$dir/outcome" | result "every mutant is made: its text stands in the source, once"
grep '^missed ' "$dir/outcome" | sort | result "no mutant survives"
sed -n 's/^[a-z]* \([^ ]*\).*/\1/p' "$dir/outcome" | sort -u >"$dir/covered"
[ -n "$only" ] || comm -23 "$dir/probes" "$dir/covered" | result "every row with a probe has a mutant"
[ -n "$only" ] || comm -13 "$dir/probes" <(grep '^caught ' "$dir/outcome" | sed 's/^caught \([^ ]*\).*/\1/' | sort -u) |
    result "every mutant's row has a probe"

awk '{ n[$1]++ } /^caught.*seen otherwise/ { other++ } /^caught.*dies/ { dies++ }
     END { printf "#: mutants of relay and client: %d rows caught theirs (%d by seeing otherwise, %d by its end), %d missed\n",
           n["caught"], other, dies, n["missed"] }' "$dir/outcome"
finish
