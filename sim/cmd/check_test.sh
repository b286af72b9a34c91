#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# turnproof check: our deployments pass the tables that they serve, in every format, and the simulated firewalls agree;
# a rule set with a mistake does not, and the line is named.
. models/testkit/tap.sh

for topology in dual-nic single-nic web-proxy cluster sip-edge-standards sip-edge-microsoft p2p-microsoft; do
    {
        "$TURNPROOF" check topologies/$topology.json --simulate --format json >"$dir/$topology" || echo "status $?"
        jq -e '.verdict == "pass" and .rows.blocked + .rows.unknown + .rows.exposed == 0 and .rows.pass > 10 and
               .simulated_packets > 100 and .disagreements == []' "$dir/$topology" >/dev/null ||
            jq -c '.rows, .simulated_packets, .disagreements, (.answers[] | select(.row_verdict != "pass"))' "$dir/$topology"
        jq -r '.lines[] | select(.modelled + .no_effect + .unsupported != .total) | "\(.file): lines do not add up"' \
            "$dir/$topology"
    } | result "$topology passes the tables that it serves"
done
"$TURNPROOF" check topologies/single-nic.json >"$dir/text" 2>&1
{
    head -n 1 "$dir/text" | grep -q '^PASS  single-nic: 18 of 18 questions pass' || head -n 2 "$dir/text"
    awk 'length > 80' "$dir/text"
    [ "$(wc -l <"$dir/text")" -le 24 ] || echo "$(wc -l <"$dir/text") lines to say that all is well"
    grep $'\033' "$dir/text"
} | result "what passes is told in a few lines of 80 columns"

# The relay range begins too high, and TURN is closed for TCP on the internal firewall.
sed 's/destination range 24000/destination range 26000/' topologies/rules/ext-fw.cfg >"$dir/ext.cfg"
sed '/permit tcp object CMS gt 1023 object EXPE-LAN1 eq 3478/d' topologies/rules/int-fw.cfg >"$dir/int.cfg"
broken="topologies/dual-nic.json --rules ext-fw=$dir/ext.cfg --rules int-fw=$dir/int.cfg"
deny=$(grep -n 'outside_in extended deny' "$dir/ext.cfg" | cut -d : -f 1)
{
    "$TURNPROOF" check $broken --format json >"$dir/json"
    [ $? -eq 1 ] || echo "exit status"
    jq -e --argjson line "$deny" '[.answers[] | select(.row == "3.12" and .protocol == "tcp" and .node == "ext-fw")] |
        length == 1 and (.[0] | .verdict == "blocked" and [.permitted[].dport] == ["26000-29999"] and
        [.blocked[].dport] == ["24000-25999"] and .by[0].line == $line and (.by[0].text | test("deny ip any4 any4")))' \
        "$dir/json" >/dev/null || jq -c '.answers[] | select(.row == "3.12")' "$dir/json"
} | result "open and blocked ports are exact, and the line is named"
"$TURNPROOF" check $broken --format sarif >"$dir/sarif"
jq -e --arg file "$dir/ext.cfg" --argjson line "$deny" '.version == "2.1.0" and .runs[0].tool.driver.name == "turnproof" and
    ([.runs[0].results[] | .ruleId] - [.runs[0].tool.driver.rules[] | .id] == []) and
    any(.runs[0].results[]; .level == "error" and any(.locations[]; .physicalLocation |
        .artifactLocation.uri == $file and .region.startLine == $line))' "$dir/sarif" 2>&1 | grep -v true |
    result "SARIF points at the line"
"$TURNPROOF" check $broken --format junit >"$dir/junit"
{
    xmllint --noout "$dir/junit" 2>&1
    failures=$(xmllint --xpath 'count(//failure)' "$dir/junit")
    blocked=$(jq '[.answers[] | select(.row_verdict == "blocked")] | unique_by(.row, .protocol) | length' "$dir/json")
    [ "$failures" -ge "$blocked" ] && [ "$failures" -gt 0 ] || echo "$failures failures of $blocked rows"
    total=$(xmllint --xpath 'string(/testsuites/@tests)' "$dir/junit")
    cases=$(xmllint --xpath 'count(//testcase)' "$dir/junit")
    [ "$total" = "$cases" ] || echo "tests=$total, $cases cases"
} | result "JUnit is well-formed and counts right"
"$TURNPROOF" check $broken >"$dir/text"
awk -v dir="$dir" 'length > 80 && !index($0, dir)' "$dir/text" | result "the report of mistakes keeps to 80 columns"
finish
