#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Input that is wrong: exit 2, and a first line of file:line:column: on standard error. Nothing crashes; run under the
# sanitizers, when that variant is built, because a crash there is louder.
. models/testkit/tap.sh

[ ! -x build/gcc-O2-san/turnproof ] || TURNPROOF=build/gcc-O2-san/turnproof
good=topologies/lab.json

# refused NAME FILE ARGUMENTS...
refused() {
    local name=$1 file=$2
    shift 2
    "$TURNPROOF" run "$file" "$@" >"$dir/out" 2>"$dir/err" </dev/null
    local status=$?
    {
        [ $status -eq 2 ] || { echo "status $status, expected 2"; head -n 5 "$dir/err"; }
        head -n 1 "$dir/err" | grep -q -E '^[^ :]+:[0-9]+:[0-9]+: .+' || { echo "no file:line:column:"; head -n 3 "$dir/err"; }
        [ ! -s "$dir/out" ] || echo "something on standard output"
    } | result "$name"
}

# patched NAME JQ-FILTER: the lab with one thing wrong
patched() {
    jq "$2" $good >"$dir/bad.json"
    cp -r topologies/rules "$dir/" 2>/dev/null
    refused "$1" "$dir/bad.json"
    sed 's/^/# /' "$dir/err" | head -n 1
}

patched "unknown key" '.nodes[0].colour = "red"'
patched "wrong type" '.duration_s = "long"'
patched "out of range" '.links[0].loss = {"bernoulli_ppm": 1000001}'
patched "missing key" 'del(.nodes[0].name)'
patched "unknown node in a link" '.links[0].a = "nobody:eth0"'
patched "unknown interface in a link" '.links[0].a = "skype-client:eth9"'
patched "an interface linked twice" '.links += [.links[0] | .name = "again"]'
patched "an interface not linked" 'del(.links[0])'
patched "duplicate node" '.nodes[1].name = .nodes[0].name'
patched "duplicate address" '(.nodes[] | select(.name == "cms").interfaces[0].addresses[0]) = "10.48.54.229/24"'
patched "bad address" '.nodes[0].interfaces[0].addresses[0] = "203.0.113.500/24"'
patched "gateway not on the link" '.nodes[0].interfaces[0].gateway = "10.9.9.9"'
patched "gateway is the own address" '.nodes[0].interfaces[0].gateway = "203.0.113.50"'
patched "unknown system" '.nodes[0].system = "toaster"'
patched "unknown schema" '.schema = "turnproof/topology/99"'
patched "unreachable host" 'del(.nodes[] | select(.name == "skype-edge") | .interfaces[0].gateway, .routes)'
patched "no rule file" '(.nodes[] | select(.name == "ext-fw").rules) = "rules/none.cfg"'

# The topology cut at many places, and bytes of it changed at random (with a fixed seed).
size=$(stat -c %s $good)
for ((i = 0; i < 60; i++)); do
    at=$((size * i / 60))
    head -c $at $good >"$dir/cut.json"
    "$TURNPROOF" run "$dir/cut.json" >/dev/null 2>"$dir/err"
    [ $? -eq 2 ] && head -n 1 "$dir/err" | grep -q -E ':[0-9]+:[0-9]+: ' || echo "cut at $at: $(head -n 2 "$dir/err")"
done | result "a topology cut anywhere"
for ((i = 0; i < 60; i++)); do
    awk -v seed=$i 'BEGIN { srand(seed); RS = "\001" }
        { n = length($0); for (k = 0; k < 3; k++) { p = int(rand() * n); c = sprintf("%c", 33 + int(rand() * 93))
          $0 = substr($0, 1, p) c substr($0, p + 2) } printf "%s", $0 }' $good >"$dir/rules.json"
    timeout 60 "$TURNPROOF" run "$dir/rules.json" >/dev/null 2>"$dir/err"
    status=$?
    [ $status -le 2 ] || echo "seed $i: status $status: $(head -n 3 "$dir/err")"
done | result "a topology with changed bytes never crashes"
for path in $(jq -r 'paths(type == "number") | map(tostring) | join(".")' $good); do
    for value in 0 4294967295; do
        timeout 60 "$TURNPROOF" run $good --set "$path=$value" >/dev/null 2>"$dir/err"
        status=$?
        [ $status -le 2 ] || echo "$path=$value: status $status: $(tail -n 1 "$dir/err")"
    done
done | result "no number at its extremes crashes"
for value in '"0.0.0.0:0"' '["10.48.54.229:0"]' '"[::1]:1"' '"255.255.255.255:65535"'; do
    for path in expressway-e.settings.{turn,sip,traversal} skype-edge.settings.{federation,turn,sip} \
        cms.settings.{turn,sip} expressway-c.settings.{traversal,meeting_server} skype-client.settings.edge_{sip,turn}; do
        timeout 60 "$TURNPROOF" run $good --set "nodes.$path=$value" >/dev/null 2>"$dir/err"
        status=$?
        [ $status -le 2 ] || echo "$path=$value: status $status: $(tail -n 1 "$dir/err")"
    done
done | result "no endpoint at its extremes crashes"
# The same for check and diff: topologies, tables and rule files that are not what they should be.
checked() {
    local name=$1
    shift
    "$TURNPROOF" "$@" >"$dir/out" 2>"$dir/err" </dev/null
    local status=$?
    {
        [ $status -eq 2 ] || { echo "status $status, expected 2"; head -n 5 "$dir/err"; }
        head -n 1 "$dir/err" | grep -q -E '^[^ :]+:[0-9]+:[0-9]+: .+' || { echo "no file:line:column:"; head -n 3 "$dir/err"; }
        [ ! -s "$dir/out" ] || echo "something on standard output"
    } | result "$name"
}
rules=topologies/rules/ext-fw.cfg
head -c 4096 /dev/urandom >"$dir/binary.cfg"
head -c $((10 * 1024 * 1024)) /dev/zero | tr '\0' 'x' >"$dir/line.cfg"
jq 'del(.check)' topologies/dual-nic.json >"$dir/no-tables.json"
cp -r topologies/rules "$dir/" 2>/dev/null
checked "check without tables" check "$dir/no-tables.json"
checked "check of binary rules" check topologies/dual-nic.json --rules ext-fw="$dir/binary.cfg"
checked "check of binary rules that are said to be ASA's" check topologies/dual-nic.json --rules ext-fw=asa:"$dir/binary.cfg"
checked "check of a line of 10 MB" check topologies/dual-nic.json --rules ext-fw=asa:"$dir/line.cfg"
checked "diff with binary rules" diff topologies/dual-nic.json --with ext-fw="$dir/binary.cfg"
checked "check with a table of another schema" check topologies/dual-nic.json --table ./topologies/lab.json
size=$(stat -c %s $rules)
for ((i = 1; i < 40; i++)); do
    head -c $((size * i / 40)) $rules >"$dir/cut.cfg"
    timeout 60 "$TURNPROOF" check topologies/dual-nic.json --rules ext-fw="$dir/cut.cfg" --format json >"$dir/out" 2>"$dir/err"
    status=$?
    [ $status -le 2 ] && { [ $status -eq 2 ] || jq -e .verdict "$dir/out" >/dev/null; } ||
        echo "cut at $((size * i / 40)): status $status: $(head -n 2 "$dir/err")"
done | result "check of a rule file cut anywhere"
for ((i = 0; i < 40; i++)); do
    awk -v seed=$i 'BEGIN { srand(seed); RS = "\001" }
        { n = length($0); for (k = 0; k < 6; k++) { p = int(rand() * n); c = sprintf("%c", 33 + int(rand() * 93))
          $0 = substr($0, 1, p) c substr($0, p + 2) } printf "%s", $0 }' $rules >"$dir/changed.cfg"
    timeout 60 "$TURNPROOF" check topologies/dual-nic.json --rules ext-fw="$dir/changed.cfg" --format json >"$dir/out" 2>"$dir/err"
    status=$?
    [ $status -le 2 ] && { [ $status -eq 2 ] || jq -e .verdict "$dir/out" >/dev/null; } ||
        echo "seed $i: status $status: $(head -n 3 "$dir/err")"
    timeout 60 "$TURNPROOF" diff topologies/dual-nic.json --with ext-fw="$dir/changed.cfg" >/dev/null 2>"$dir/err"
    status=$?
    [ $status -le 2 ] || echo "diff, seed $i: status $status: $(head -n 3 "$dir/err")"
done | result "check and diff of a rule file with changed bytes never crash"

head -c 3000 /dev/zero | tr '\0' '[' >"$dir/deep.json"
refused "three thousand brackets" "$dir/deep.json"
head -c 2000 "$TURNPROOF" >"$dir/binary.json"
refused "a binary" "$dir/binary.json"

# An ASA file cut in half at every tenth line is refused, or is a smaller rule set: never a crash.
asa=topologies/rules/lab-ext-fw.cfg
for ((n = 1; n < $(wc -c <$asa); n += 37)); do
    head -c $n $asa >"$dir/half.cfg"
    timeout 60 "$TURNPROOF" run $good --rules "ext-fw=$dir/half.cfg" >/dev/null 2>"$dir/err"
    status=$?
    case $status in
    1) ;;
    2) head -n 1 "$dir/err" | grep -q -E 'half.cfg:[0-9]+:[0-9]+: ' || echo "$n bytes: $(head -n 1 "$dir/err")" ;;
    *) echo "$n bytes: status $status: $(head -n 3 "$dir/err")" ;;
    esac
done | result "an ASA file cut anywhere"
sed 's/^access-group outside_in in.*/access-gruop outside_in in interface outside/' $asa >"$dir/typo.cfg"
"$TURNPROOF" run $good --rules "ext-fw=$dir/typo.cfg" >"$dir/out" 2>"$dir/err"
{ [ $? -eq 1 ] && tr -s '\n ' ' ' <"$dir/out" | grep -q -E 'typo.cfg:[0-9]+: access-gruop' || cat "$dir/out" "$dir/err"; } |
    result "a line that is not understood is named"

"$TURNPROOF" run >"$dir/out" 2>"$dir/err"
{ [ $? -eq 2 ] || echo "status"; } | result "no topology: usage, exit 2"
"$TURNPROOF" run $good --engine warp >"$dir/out" 2>"$dir/err"
{ [ $? -eq 2 ] || echo "status"; } | result "an unknown engine: exit 2"
"$TURNPROOF" run $good --out "$dir/o" --capture cms:nowhere >"$dir/out" 2>"$dir/err"
{ [ $? -eq 2 ] && grep -q 'cms:nowhere' "$dir/err" || cat "$dir/err"; } | result "a link end that is not there: exit 2"
"$TURNPROOF" run "$dir/nothing.json" >"$dir/out" 2>"$dir/err"
{ [ $? -eq 2 ] || echo "status"; } | result "a file that is not there: exit 2"
finish
