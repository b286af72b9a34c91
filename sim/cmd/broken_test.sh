#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The mistakes of topologies/broken/dual-nic.json, one run each: it fails, blames the right firewall and line, and the
# advice says what it is about. The unbroken rule sets, edited not at all, come up.
. models/testkit/tap.sh
. sim/cmd/changes.sh

variants=topologies/broken/dual-nic.json
topology=topologies/$(jq -r .topology $variants)

"$TURNPROOF" run "$topology" >"$dir/report" 2>&1 || cat "$dir/report"
[ ! -s "$dir/report" ] || "$TURNPROOF" run "$topology" >/dev/null 2>&1 && : | result "unbroken, the call comes up"

count=$(jq '.variants | length' $variants)
for ((n = 0; n < count; n++)); do
    variant() { jq -r --argjson n $n ".variants[\$n]$1" $variants; }
    id=$(variant .id)
    node=$(variant .node)
    rules=topologies/$(jq -r --arg node "$node" '.nodes[] | select(.name == $node) | .rules' "$topology")
    {
        edit "$rules" "$(variant .replace)" >"$dir/$id.cfg" || echo "cannot edit $rules"
        options=()
        while read -r set; do [ -z "$set" ] || options+=(--set "$set"); done < <(variant '.set[]?')
        "$TURNPROOF" run "$topology" --rules "$node=$dir/$id.cfg" "${options[@]}" --json >"$dir/out" 2>"$dir/stderr"
        status=$?
        if [ $status -ne 1 ]; then
            echo "status $status, expected 1"
            cat "$dir/stderr"
            jq -c '.verdict' "$dir/out"
        else
            found() { jq -r ".failure.$1 // \"\"" "$dir/out"; }
            [ "$(found node)" = "$node" ] || echo "blames '$(found node)', expected $node"
            [ "$(found phase)" = "$(variant .phase)" ] || echo "phase '$(found phase)', expected $(variant .phase)"
            where=$(found where)
            blame=$(variant '.blame // ""')
            if [ -n "$blame" ]; then
                line=$(grep -nxF -- "$blame" "$dir/$id.cfg" | cut -d: -f1 | head -n 1)
                [ "$(found line)" = "$line" ] || grep -qw "line $line" <<<"$(found advice)" ||
                    echo "line $(found line) ($(found rule)), expected $line ($blame)"
            fi
            grep -qiF -- "$(variant .advice)" <<<"$(found advice)" || echo "the advice does not say '$(variant .advice)'"
            echo "#: $id: $(found node): ${where##*/}: $(found advice)" >>"$dir/told"
        fi >"$dir/wrong"
        [ ! -s "$dir/wrong" ] || { cat "$dir/wrong"; jq -c .failure "$dir/out"; }
    } | result "$id ($(variant .trap)): $node and its line are blamed"
done
cat "$dir/told"
finish
