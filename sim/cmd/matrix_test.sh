#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Rows x outcome: what is expected of each deployment stands in topologies/expected/, and every difference is said. With
# EXPECTED=update they are written anew, for a person to read the change.
. models/testkit/tap.sh

# outcomes: of a matrix in JSON, one row a line
outcomes() {
    jq -c '.rows[] | {row, outcome, why, effects: [.effects[] | "\(.service)\(if .node == "" then "" else " at " + .node end) \(.state)"]}' "$1"
}

# matrix TOPOLOGY ENGINE: as expected, and the status says what the rows do
matrix() {
    local expected=topologies/expected/$1.json
    {
        "$TURNPROOF" matrix "topologies/$1.json" --engine "$2" --json >"$dir/matrix" 2>"$dir/err"
        local status=$? holds
        holds=$(jq -r .holds "$dir/matrix")
        [ $status-$holds = 0-true ] || [ $status-$holds = 1-false ] || echo "status $status, holds: $holds"
        cat "$dir/err"
        outcomes "$dir/matrix" >"$dir/found"
        if [ "${EXPECTED:-}" = update ] && [ "$2" = native ]; then
            { echo "{\"rows\": ["; sed '$!s/$/,/' "$dir/found"; echo "]}"; } >"$expected"
        fi
        outcomes_expected=$(jq -c '.rows[]' "$expected")
        diff <(echo "$outcomes_expected") "$dir/found" | sed -n 's/^</expected/p; s/^>/found   /p'
    } | result "$1 on $2: what each row is for"
}

ns3=${MATRIX_NS3:-lab dual-nic} # "all": takes minutes
[ -e build/turnproof-ns3.so ] || ns3=
for file in topologies/expected/*.json; do
    name=$(basename "$file" .json)
    matrix "$name" native
    if [ "$ns3" = all ] || [[ " $ns3 " == *" $name "* ]]; then
        matrix "$name" ns3
    else
        skip "$name on ns3" "for the nightly run, where the plug-in is built"
    fi
done

# The rows of the guides' four tables, all 53: each is carried in one deployment at least.
jq -r '.rows[].id | select(test("^[1-4]\\.[0-9]+$"))' topologies/ports/*.json | sort >"$dir/rows"
jq -r '.rows[] | select(.outcome != "not-carried") | .row' topologies/expected/*.json | sort -u | comm -12 - "$dir/rows" >"$dir/carried"
{
    [ "$(wc -l <"$dir/rows")" -eq 53 ] || echo "$(wc -l <"$dir/rows") rows in the tables"
    comm -23 "$dir/rows" "$dir/carried" | sed 's/^/nowhere carried: /'
} | result "every row of the port tables is carried somewhere"

"$TURNPROOF" matrix topologies/lab.json --json --jobs 1 >"$dir/one"
"$TURNPROOF" matrix topologies/lab.json --json --jobs 3 >"$dir/three"
same "the same whatever the number of jobs" "$dir/one" "$dir/three"

"$TURNPROOF" matrix topologies/lab.json --row 5.zone >"$dir/zone"
{
    [ $? -eq 0 ] || echo "status is not 0"
    sed -n 4p "$dir/zone" | grep -qE '^  5\.zone +[0-9]+  nothing breaks: no firewall is on its way$' || cat "$dir/zone"
} | result "a row by itself"
"$TURNPROOF" matrix topologies/dual-nic.json >"$dir/text"
{
    [ $? -eq 1 ] || echo "status is not 1"
    awk 'length($0) > 80' "$dir/text"
    grep -qx '! 3.3                         0  not carried' "$dir/text" || cat "$dir/text"
} | result "for people: 80 columns, a mark before what does not hold"

# What a shut row is to blame for is told as a line of a rule file is.
"$TURNPROOF" run topologies/dual-nic.json --shut 3.12 --json >"$dir/shut"
{
    jq -r '.failure | .phase, .rule' "$dir/shut" | diff - <(echo connect; echo "row 3.12 (TURN media) is shut")
    jq -r '.rows[] | select(.id == "3.12") | .packets' "$dir/shut" | grep -qx 0 || echo "3.12 carries packets though it is shut"
} | result "a row that is shut is to blame"

# The report of a run has the same rows as its JSON.
"$TURNPROOF" run topologies/dual-nic.json >"$dir/report"
"$TURNPROOF" run topologies/dual-nic.json --json >"$dir/run"
{
    jq -r '[.rows[] | select(.id | test("outside") | not)] | "  Rows of the port tables on native: \([.[] | select(.packets > 0)] | length) of \(length) carried packets"' "$dir/run" >"$dir/line"
    grep -qxFf "$dir/line" "$dir/report" || { cat "$dir/line"; grep Rows "$dir/report"; }
    sed -n '/nothing in/,/^$/p' "$dir/report" | sed 's/nothing in//' | tr -s ' \n' '\n' | grep . >"$dir/named"
    jq -r '.rows[] | select(.packets == 0 and (.id | test("outside") | not)) | .id' "$dir/run" | diff - "$dir/named"
} | result "a run names the rows that nothing carried"

# usage PATTERN ARGUMENTS...: exit 2, and these words
usage() {
    local pattern=$1
    shift
    "$TURNPROOF" "$@" >"$dir/out" 2>"$dir/err"
    {
        [ $? -eq 2 ] || echo "the status is not 2"
        grep -q -- "$pattern" "$dir/err" || cat "$dir/err"
    } | result "refused: $*"
}
usage 'expected a row .* found "9.9"' run topologies/lab.json --shut 9.9
usage 'expected a row .* found "9.9"' matrix topologies/lab.json --row 9.9
usage 'expected a whole number from 1' matrix topologies/lab.json --jobs 0
usage 'nope' run topologies/lab.json --set 'check.tables=["nope"]'
usage 'expected native or ns3' matrix topologies/lab.json --engine both
finish
