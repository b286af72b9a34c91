#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# turnproof diff: exactly the packets whose fate changes, by interfaces, with the lines of both sides; rows that change.
. models/testkit/tap.sh

topology=topologies/dual-nic.json
rules=topologies/rules/ext-fw.cfg

"$TURNPROOF" diff $topology --with ext-fw=$rules >"$dir/same"
{ [ $? -eq 0 ] || echo "exit status"; grep -v '^SAME' "$dir/same"; } | result "a rule set beside itself is the same"

# Another text with the same meaning: a group's ranges cut in two, lines that never decide.
sed -e 's/ service-object udp destination range 24000 29999/ service-object udp destination range 24000 26999\n service-object udp destination range 27000 29999/' \
    -e 's/^access-list outside_in extended deny ip any4 any4 log/&\naccess-list outside_in extended permit tcp any4 any4/' \
    $rules >"$dir/meaning.cfg"
"$TURNPROOF" diff $topology --with ext-fw="$dir/meaning.cfg" >"$dir/same"
{ [ $? -eq 0 ] || echo "exit status"; grep -v '^SAME' "$dir/same"; } | result "another text with the same meaning is the same"

# One port range shorter, one host more: both are told, each in its place, and nothing else.
sed -e 's/ service-object tcp destination range 24000 29999/ service-object tcp destination range 24000 28000/' \
    -e 's/^access-list outside_in remark --- TURN/access-list outside_in extended permit tcp host 192.0.2.77 object EXPE-LAN2 eq ssh/' \
    $rules >"$dir/new.cfg"
new=$(grep -n 'eq ssh' "$dir/new.cfg" | cut -d : -f 1)
deny=$(grep -n 'outside_in extended deny' "$dir/new.cfg" | cut -d : -f 1)
"$TURNPROOF" diff $topology --with ext-fw="$dir/new.cfg" --format json >"$dir/json"
{
    [ $? -eq 1 ] || echo "exit status"
    jq -e --argjson new "$new" --argjson deny "$deny" '.schema == "turnproof/diff/1" and (.same | not) and
        (.changes | length) == 2 and all(.changes[]; .node == "ext-fw" and .in == "outside" and .out == "dmz-ext") and
        (.changes[] | select(.now == "permitted") | .packets == [{"src": "192.0.2.77", "dst": "198.51.100.20",
            "proto": "tcp", "sport": "any", "dport": "22"}] and .after[0].line == $new) and
        (.changes[] | select(.now == "denied") | .packets == [{"src": "any", "dst": "198.51.100.20",
            "proto": "tcp", "sport": "any", "dport": "28001-29999"}] and .after[0].line == $deny and
            (.before[0].text | test("TURN-RELAY"))) and
        ([.rows[] | [.row, .protocol, .before, .after]] | index([["3.12", "tcp", "pass", "blocked"]]) != null)' \
        "$dir/json" >/dev/null || jq -c '.changes[], .rows' "$dir/json"
} | result "what is new and what is gone, exactly"
"$TURNPROOF" diff $topology --rules ext-fw="$dir/new.cfg" --with ext-fw=$rules --format json >"$dir/back"
jq -e '[.changes[] | .now] | sort == ["denied", "permitted"]' "$dir/back" 2>&1 | grep -v true |
    result "the other way round it is the other way round"
"$TURNPROOF" diff $topology --with ext-fw="$dir/new.cfg" >"$dir/text"
{
    awk -v dir="$dir" 'length > 80 && !index($0, dir)' "$dir/text"
    grep -q '^DIFFERENT' "$dir/text" && grep -q '^PERMITTED     ext-fw: outside -> dmz-ext$' "$dir/text" || cat "$dir/text"
} | result "and told in 80 columns"

# A line that is not understood makes packets unknown, which is told as such.
sed 's/^access-list outside_in remark --- TURN/access-list outside_in extended permit tcp any4 object EXPE-LAN2 eq 8080 time-range NIGHT/; s/^ftp mode passive/&\ntime-range NIGHT\n periodic daily 22:00 to 23:00/' \
    $rules >"$dir/night.cfg"
"$TURNPROOF" diff $topology --with ext-fw="$dir/night.cfg" --format json |
    jq -e '[.changes[] | [.now, .packets[0].dport]] == [["unknown", "8080"]]' 2>&1 | grep -v true |
    result "newly unknown packets are told as unknown"
"$TURNPROOF" diff $topology --with ext-fw="$dir/night.cfg" --at 2026-11-21T22:30 --format json |
    jq -e '[.changes[] | [.now, .packets[0].dport]] == [["permitted", "8080"]]' 2>&1 | grep -v true |
    result "and with a time they are not"
"$TURNPROOF" diff $topology --with ext-fw="$dir/night.cfg" --at 2026-11-21T12:00 >"$dir/same"
{ [ $? -eq 0 ] || echo "exit status"; grep -v '^SAME' "$dir/same"; } | result "by day nothing changes"
finish
