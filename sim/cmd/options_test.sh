#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The command line: the options of --help, manual page and completion are the same, and wrong usage is refused.
. models/testkit/tap.sh

for command in check diff run; do
    "$TURNPROOF" $command --help | grep -o -E '^  --[a-z-]+' | tr -d ' ' | sort >"$dir/help"
    awk -v from=".SS turnproof $command" '/^\.S[SH]/ { on = $0 == from } on' sim/cmd/turnproof.1 | sed 's/\\-/-/g' |
        grep -o -E '^\.BI? --[a-z-]+' | grep -o -E -- '--[a-z-]+' | sort >"$dir/man"
    # The completion, asked as the shell asks it.
    (
        . sim/cmd/turnproof.bash
        COMP_WORDS=(turnproof $command --)
        COMP_CWORD=2
        _turnproof
        printf '%s\n' "${COMPREPLY[@]}" | sort
    ) >"$dir/bash"
    [ -s "$dir/help" ] || echo "no options" >>"$dir/man"
    same "$command: the manual page has the options of --help" "$dir/help" "$dir/man"
    same "$command: the completion has the options of --help" "$dir/help" "$dir/bash"
done
if command -v man >/dev/null; then
    MANWIDTH=100 man --warnings -E UTF-8 -l -Tutf8 -Z sim/cmd/turnproof.1 2>&1 >/dev/null | result "the manual page is well-formed"
else
    skip "the manual page is well-formed" "man is not installed"
fi

# usage WHAT STDERR-PATTERN ARGUMENTS...: exit 2, nothing on stdout, the pattern on stderr
usage() {
    local what=$1 pattern=$2
    shift 2
    "$TURNPROOF" "$@" >"$dir/stdout" 2>"$dir/stderr"
    local status=$?
    {
        [ $status -eq 2 ] || echo "exit $status"
        cat "$dir/stdout"
        grep -q -E -- "$pattern" "$dir/stderr" || cat "$dir/stderr"
    } | result "$what"
}
usage "no command" '^Usage: turnproof COMMAND'
usage "unknown command" 'no such command: walk' walk
usage "unknown option" "unrecognized option '--fast'" run --fast topologies/lab.json
usage "no topology" 'expected one TOPOLOGY, found 0' run
usage "two topologies" 'expected one TOPOLOGY, found 2' run topologies/lab.json topologies/lab.json
usage "unknown engine" 'expected native, ns3 or both, found "ns4"' run --engine ns4 topologies/lab.json
usage "bad seed" '--seed: expected a whole number' run --seed -1 topologies/lab.json
usage "seed of more than 64 bits" '--seed: expected a whole number' run --seed 18446744073709551616 topologies/lab.json
usage "unknown size" '--size: expected small, medium or large, found "big"' check --size big topologies/lab.json
usage "unknown release" '--expressway: expected a release as X12.5.3, found "12"' check --expressway 12 topologies/lab.json
usage "unknown format" '--format: expected text, json, junit or sarif, found "xml"' check --format xml topologies/lab.json
usage "bad time" '--at: expected a time as 2026-11-21T02:00, found "2026-02-30T00:00"' \
    check --at 2026-02-30T00:00 topologies/lab.json
usage "unknown table" '^no-such:1:1: |no-such' check --table no-such topologies/lab.json
usage "a table that is none" 'README.md:1:1: ' check --table ./README.md topologies/lab.json
usage "diff of one rule set" 'expected --with NODE=FILE, found none' diff topologies/lab.json
usage "diff in a format for CI" '--format: expected text or json, found "sarif"' \
    diff --format sarif --with ext-fw=x topologies/lab.json
usage "check of no such file" '^no/such.json:1:1: ' check no/such.json
usage "check of rules that are not there" '^no/such.cfg:1:1: ' check topologies/lab.json --rules ext-fw=no/such.cfg
usage "diff with rules of no firewall" 'expected NODE=FILE' diff topologies/lab.json --with cms=x
usage "no such file" '^no/such.json:1:1: ' run no/such.json
usage "override without a value" '^--set:1:1: expected PATH=JSON' run topologies/lab.json --set nodes
usage "rules of no firewall" '^--rules:1:1: expected NODE=FILE' run topologies/lab.json --rules cms=x
usage "rules that are not there" '^no/such.cfg:1:1: ' run topologies/lab.json --rules ext-fw=no/such.cfg
usage "rules in the wrong format" '^README.md:[0-9]+:[0-9]+: ' run topologies/lab.json --rules ext-fw=asa:README.md
usage "a folder that cannot be made" 'README.md' run topologies/lab.json --out README.md/x

"$TURNPROOF" --version | grep -v -E '^turnproof [0-9]+\.[0-9]+$' | result "--version is one line"
"$TURNPROOF" run topologies/lab.json --json 2>&1 | jq -e '.schema == "turnproof/summary/1"' 2>&1 | grep -v true |
    result "--json is one document with its schema"
"$TURNPROOF" run topologies/lab.json --out "$dir/lab" >"$dir/report"
awk 'length > 80' "$dir/report" "$dir/lab/ladder.txt" | result "report and ladder keep to 80 columns"
sha256sum <"$dir/lab/events.ndjson" | cut -d ' ' -f 1 >"$dir/expected"
"$TURNPROOF" run topologies/lab.json --json | jq -r .trace_sha256 >"$dir/found"
same "without --out, the hash of the same events" "$dir/expected" "$dir/found"

# A rule set that inspects SIP and lets nobody to the Expressway: both are said, and each in its place.
sed -e 's/^  inspect icmp/&\n  inspect sip/' -e '/^access-list dmz_in extended permit tcp/d' \
    topologies/rules/lab-int-fw.cfg >"$dir/fw.cfg"
line=$(grep -n 'inspect sip' "$dir/fw.cfg" | cut -d : -f 1)
"$TURNPROOF" run topologies/lab.json --rules int-fw="$dir/fw.cfg" --out "$dir/failed" >"$dir/report"
{
    [ $? -eq 1 ] || echo "exit status"
    awk -v dir="$dir" 'length > 80 && !index($0, dir)' "$dir/report"
    tr -s ' \n' ' ' <"$dir/report" | grep -q "warning: int-fw inspects sip ($dir/fw.cfg:$line): not simulated" || cat "$dir/report"
    jq -e --arg fw "$dir/fw.cfg:$line" '.warnings == ["int-fw inspects sip (\($fw)): not simulated; Cisco says off for Expressway"]' \
        "$dir/failed/summary.json" >/dev/null || jq .warnings "$dir/failed/summary.json"
} | result "an inspection that is not simulated is warned of, in report and summary"
jq -c 'select(.warnings != [])' "$dir/lab/summary.json" | result "and only that"
"$TURNPROOF" run topologies/lab.json 2>&1 | grep $'\033' | result "no colours where there is no terminal"
finish
