#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The command line: the options of --help, manual page and completion are the same, and wrong usage is refused.
. models/testkit/tap.sh

# complete WORD...: what the completion offers for the last word
complete_words() {
    bash -c '. sim/cmd/turnproof.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _turnproof; printf "%s\n" "${COMPREPLY[@]}"' \
        sh "$@" | sort
}
"$TURNPROOF" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' | sort >"$dir/commands"
grep -o -E '^\.SS turnproof [a-z]+' sim/cmd/turnproof.1 | cut -d ' ' -f 3 | sort >"$dir/sections"
same "the manual page has the commands of --help" "$dir/commands" "$dir/sections"
(cat "$dir/commands"; echo --help; echo --version) | sort >"$dir/words"
complete_words "$TURNPROOF" "" >"$dir/offered"
same "the completion offers the commands" "$dir/words" "$dir/offered"
while read -r command; do
    "$TURNPROOF" "$command" --help | grep -o -E '^  --[a-z0-9-]+' | tr -d ' ' | sort >"$dir/help"
    sed -n "/^.SS turnproof $command\$/,/^.S[SH]/p" sim/cmd/turnproof.1 >"$dir/section"
    sed "1d" "$dir/section" | sed -n '/^.S[SH]/q;p' | sed 's/\\-/-/g' |
        grep -o -E '^\.BI? --[a-z0-9-]+' | grep -o -E -- '--[a-z0-9-]+' | sort >"$dir/man"
    same "$command: the manual page has the options of --help" "$dir/help" "$dir/man"
    complete_words "$TURNPROOF" "$command" -- >"$dir/offered"
    same "$command: the completion offers them" "$dir/help" "$dir/offered"
done <"$dir/commands"
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
usage "conform: of what" 'expected one of --sim, --server' conform --strict
usage "conform: of both" 'expected one of --sim, --server' conform --sim --server 127.0.0.1:3478 --user u:p
usage "conform: no capture" '^turnproof conform: README.md: byte 0: no capture' conform --capture README.md
usage "conform: unknown engine" '--engine: expected memory, native or ns3, found "ns4"' conform --sim --engine ns4
usage "conform: no such row" "--only: expected the beginning of a row's id, found \"9999\"" conform --sim --only 9999
usage "conform: nobody" 'expected --user NAME:PASSWORD' conform --server 127.0.0.1:3478
usage "conform: a user without a password" '--user: expected NAME:PASSWORD' conform --server 127.0.0.1:3478 --user u
usage "conform: a password of nobody" '--password: expected a --user before it' conform --password p
usage "conform: no port" '--server: expected HOST:PORT, found "127.0.0.1"' conform --server 127.0.0.1 --user u:p
usage "conform: unknown setup" '--server-setup: expected a setup' conform --server-setup nat
usage "conform: unknown format" '--format: expected text, tap, junit or json' conform --sim --format sarif
usage "relay: nowhere to listen" 'expected --listen' relay --user u:p
usage "relay: nobody may use it" 'expected --user' relay --listen 127.0.0.1:3478
usage "relay: a port that is none" '--listen: expected ADDR:PORT' relay --listen 127.0.0.1:70000 --user u:p
usage "relay: a user without a password" '--user: expected NAME:PASSWORD' relay --listen 127.0.0.1:3478 --user u
usage "relay: no such users" '^no/such.txt:1:1: ' relay --listen 127.0.0.1:3478 --users no/such.txt
usage "relay: threads that are none" '--threads: expected a number from 1 to 64, found "0"' relay --threads 0
usage "relay: not enough ports for each thread" 'relay ports' \
    relay --listen 127.0.0.1:3478 --user u:p --threads 4 --relay-ports 24000-24010
usage "relay: ports the wrong way round" '--relay-ports: expected FIRST-LAST' relay --relay-ports 9-8
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
    tr -s ' \n' ' ' <"$dir/report" | grep -q "warning: int-fw inspects sip ($dir/fw.cfg:$line): addresses in SIP are rewritten" || cat "$dir/report"
    jq -e --arg fw "$dir/fw.cfg:$line" '.warnings == ["int-fw inspects sip (\($fw)): addresses in SIP are rewritten; Cisco says off for Expressway"]' \
        "$dir/failed/summary.json" >/dev/null || jq .warnings "$dir/failed/summary.json"
} | result "SIP inspection is warned of, in report and summary"
jq -c 'select(.warnings != [])' "$dir/lab/summary.json" | result "and only that"
"$TURNPROOF" run topologies/lab.json 2>&1 | grep $'\033' | result "no colours where there is no terminal"
finish
