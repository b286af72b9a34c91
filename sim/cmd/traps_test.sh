#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# turnproof check names every mistake of topologies/broken by its line, and its changes mend what a rule file can mend:
# they are applied to the file here, and the check is run again with it.
. models/testkit/tap.sh
. sim/cmd/changes.sh

# names REPORT LINE: the line is told, as one that decides, as a finding, or in a hint.
names() {
    jq -e --argjson line "$2" 'any(.answers[] | .by[]?, empty; .line == $line) or any(.findings[]; .line == $line) or
        any(.answers[] | .suggestion // ""; test("\\bline \($line)\\b"))' "$1" >/dev/null
}

# check_one TOPOLOGY NODE ID REPLACEMENTS OPTIONS...: the report in $dir/ID.json, the file in $dir/ID.cfg.
check_one() {
    local topology=$1 node=$2 id=$3 replace=$4 rules
    shift 4
    rules=topologies/$(jq -r --arg node "$node" '.nodes[] | select(.name == $node) | .rules' "$topology")
    edit "$rules" "$replace" >"$dir/$id.cfg" || echo "cannot edit $rules"
    "$TURNPROOF" check "$topology" --rules "$node=$dir/$id.cfg" "$@" --format json >"$dir/$id.json" 2>"$dir/stderr"
    status=$?
    [ $status -le 1 ] || cat "$dir/stderr"
}

# repaired TOPOLOGY NODE ID OPTIONS...: with the changes that are proposed it passes.
repaired() {
    local topology=$1 node=$2 id=$3
    shift 3
    if mended "$dir/$id.json" "$node" "$dir/$id.cfg" >"$dir/mended.cfg"; then
        "$TURNPROOF" check "$topology" --rules "$node=$dir/mended.cfg" "$@" >"$dir/again" 2>&1 ||
            { echo "mended, it still fails:"; cat "$dir/again"; diff "$dir/$id.cfg" "$dir/mended.cfg"; }
    else
        echo "no proved change: $(jq -c .repairs "$dir/$id.json")"
    fi
}

# ---- the variants that a run must blame ----

variants=topologies/broken/dual-nic.json
topology=topologies/$(jq -r .topology $variants)
count=$(jq '.variants | length' $variants)
for ((n = 0; n < count; n++)); do
    variant() { jq -r --argjson n $n ".variants[\$n]$1" $variants; }
    id=$(variant .id) node=$(variant .node) options=()
    while read -r set; do [ -z "$set" ] || options+=(--set "$set"); done < <(variant '.set[]?')
    {
        check_one $topology "$node" "$id" "$(jq -c --argjson n $n '.variants[$n].replace' $variants)" "${options[@]}"
        blame=$(variant '.blame // ""')
        if [ -n "$blame" ]; then
            line=$(grep -nxF -- "$blame" "$dir/$id.cfg" | cut -d: -f1 | head -n 1)
            names "$dir/$id.json" "$line" || echo "line $line ($blame) is not named"
        fi
        case $id in
        edge-may-not-connect-out) # either of the two directions is enough for the table: less works
            [ $status -eq 0 ] || echo "status $status"
            jq -e '.rows.degraded > 0' "$dir/$id.json" >/dev/null || jq -c .rows "$dir/$id.json"
            ;;
        default-gateway-on-lan1) # no rule mends it
            [ $status -eq 1 ] || echo "status $status"
            jq -e 'any(.findings[]; .id == "wrong-gateway" and .node == "expressway-e" and (.change | test("lan2")))' \
                "$dir/$id.json" >/dev/null || jq -c .findings "$dir/$id.json"
            ;;
        *)
            [ $status -eq 1 ] || echo "status $status, expected 1"
            repaired $topology "$node" "$id" "${options[@]}"
            ;;
        esac
    } | result "$id ($(variant .trap)): $([[ $id =~ ^(edge-may|default-gateway) ]] && echo named || echo 'named, and mended')"
done

# ---- the traps of a rule file ----

traps=topologies/broken/traps.json
count=$(jq '.traps | length' $traps)
for ((n = 0; n < count; n++)); do
    of() { jq -r --argjson n $n ".traps[\$n]$1" $traps; }
    id=$(of .id) node=$(of .node) topology=topologies/$(of .topology) options=()
    while read -r set; do [ -z "$set" ] || options+=(--set "$set"); done < <(of '.set[]?')
    while read -r option; do [ -z "$option" ] || options+=("$option"); done < <(of '.options[]?')
    {
        check_one "$topology" "$node" "$id" "$(jq -c --argjson n $n '.traps[$n].replace' $traps)" "${options[@]}"
        expected=1
        [ "$(of '.passes // false')" = false ] || expected=0
        [ $status -eq $expected ] || echo "status $status, expected $expected"
        jq -r --argjson trap "$(jq -c --argjson n $n '.traps[$n]' $traps)" '. as $report |
            ($trap.rows // [])[] as $row | [$report.answers[] | select(.row == $row) | .row_verdict] |
            select(index($trap.verdict // "blocked") == null) | "row \($row): \(.)"' "$dir/$id.json"
        finding=$(of '.finding // ""') line=$(of '.line // ""') reason=$(of '.reason // ""')
        [ -z "$finding" ] || jq -e --arg id "$finding" 'any(.findings[]; .id == $id)' "$dir/$id.json" >/dev/null ||
            { echo "no finding $finding"; jq -c .findings "$dir/$id.json"; }
        [ -z "$reason" ] || jq -e --arg reason "$reason" 'any(.answers[]; .reason // "" | contains($reason))' \
            "$dir/$id.json" >/dev/null || echo "no reason with '$reason'"
        if [ -n "$line" ]; then
            number=$(grep -nF -- "$line" "$dir/$id.cfg" | cut -d: -f1 | head -n 1)
            names "$dir/$id.json" "$number" || echo "line $number ($line) is not named"
        fi
        [ "$(of '.repaired // false')" = false ] || repaired "$topology" "$node" "$id" "${options[@]}"
    } | result "$id ($(of .trap)): named$([ "$(of '.repaired // false')" = false ] || echo ', and mended')"
done

# ---- other dialects ----

# dialect NAME: the internal firewall in another dialect (standard input), with rows closed; its change is in that dialect.
dialect() {
    cat >"$dir/$1.cfg"
    {
        "$TURNPROOF" check topologies/dual-nic.json --rules int-fw="$1:$dir/$1.cfg" --format json >"$dir/$1.json" 2>"$dir/stderr"
        [ $? -eq 1 ] || cat "$dir/stderr" "$dir/$1.json"
        jq -e --argjson deny "$(grep -n -E 'deny|REJECT' "$dir/$1.cfg" | tail -n 1 | cut -d : -f 1)" \
            '[.answers[] | select(.row == "5.turn-control" and .protocol == "tcp") | .verdict, .by[0].line] ==
             ["blocked", $deny]' "$dir/$1.json" >/dev/null || jq -c '.answers[] | select(.row == "5.turn-control")' "$dir/$1.json"
        repaired topologies/dual-nic.json int-fw "$1"
    } | result "$1: a change in its own dialect, which mends it"
}
dialect ios <<'END'
version 15.2
hostname int-fw
!
interface dmz-int
 ip address 10.0.20.1 255.255.255.0
!
interface inside
 ip address 10.1.0.1 255.255.255.0
 ip access-group INSIDE-IN in
!
ip access-list extended INSIDE-IN
 permit tcp host 10.1.0.30 range 25000 29999 host 10.0.20.2 eq 7001
 permit tcp host 10.1.0.30 host 10.0.20.2 eq 2222
 permit udp host 10.1.0.40 host 10.0.20.2 eq 3478
 deny   ip any any log
!
end
END
dialect iptables <<'END'
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i inside -o dmz-int -s 10.1.0.30/32 -d 10.0.20.2/32 -p tcp -m tcp --dport 7001 -j ACCEPT
-A FORWARD -i inside -o dmz-int -s 10.1.0.30/32 -d 10.0.20.2/32 -p tcp -m tcp --dport 2222 -j ACCEPT
-A FORWARD -i inside -o dmz-int -s 10.1.0.40/32 -d 10.0.20.2/32 -p udp -m udp --dport 3478 -j ACCEPT
-A FORWARD -j REJECT --reject-with icmp-admin-prohibited
COMMIT
END

# A timer that is only noted: its line, put behind the one that it is about, ends the note.
"$TURNPROOF" check topologies/single-nic.json --format json >"$dir/noted"
jq -r '.findings[] | select(.id == "idle-timer") | [.line, .change] | @tsv' "$dir/noted" >"$dir/note"
{
    [ -s "$dir/note" ] || echo "no note"
    awk -F '\t' -v note="$dir/note" 'BEGIN { getline < note; at = $1; text = $2 } { print } FNR == at { print text }' \
        topologies/rules/single-nic-fw.cfg >"$dir/fw.cfg"
    "$TURNPROOF" check topologies/single-nic.json --rules fw="$dir/fw.cfg" --format json |
        jq -c '.findings[] | select(.id == "idle-timer")'
} | result "the line for a timer is one that the firewall understands"

# What people err about is told with its line; a file in another encoding gives UTF-8 all the same.
sed '0,/eq domain/s/eq domain/eq dns/' topologies/rules/ext-fw.cfg >"$dir/fw.cfg"
printf 'gr\374ne-zone enable\n' >>"$dir/fw.cfg"
line=$(grep -n 'eq dns$' "$dir/fw.cfg" | cut -d : -f 1)
{
    "$TURNPROOF" check topologies/dual-nic.json --rules ext-fw="$dir/fw.cfg" --format json >"$dir/json"
    iconv -f UTF-8 -t UTF-8 "$dir/json" >"$dir/valid" 2>&1 || echo "not UTF-8"
    jq -e --argjson line "$line" 'any(.lines[]; .notes[0].line == $line and (.notes[0].says | test("195")) and
        any(.unsupported_lines[]; .text == "gr\ufffdne-zone enable"))' "$dir/json" >/dev/null || jq -c .lines "$dir/json"
    "$TURNPROOF" check topologies/dual-nic.json --rules ext-fw="$dir/fw.cfg" |
        grep -q "^  note  .*fw.cfg:$line: " || echo "the text has no note"
} | result "a note is told with its line, and the report is UTF-8 whatever the file is"
finish
