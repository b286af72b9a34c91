#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# turnproof sweep: the same bytes for any number of jobs, after any interruption and under mpirun; tables that add up;
# wrong plans are told with file, line and column.
. models/testkit/tap.sh

cat >"$dir/plan.json" <<END
{"schema": "turnproof/sweep/1", "name": "small", "topology": "$PWD/topologies/lab.json",
 "set": {"nodes.skype-client.settings.call_at_ms": 1000, "nodes.skype-client.settings.share_at_ms": 2000,
         "nodes.skype-client.settings.screen.duration_s": 2, "nodes.cms.settings.screen.duration_s": 2, "duration_s": 30},
 "vary": [{"name": "loss", "set": "links.client-wan.loss", "values": [{"bernoulli_ppm": 0}, {"bernoulli_ppm": 20000}]},
          {"name": "way", "cases": [{"label": "near, \"dry\""},
                                    {"label": "far", "set": {"links.client-wan.delay_us": 90000}}]}],
 "seeds": {"first": 5, "count": 6}}
END
sweep() {
    "$TURNPROOF" sweep "$dir/plan.json" --out "$@" >"$dir/out" 2>&1 || echo "status $?: $(cat "$dir/out")"
}
tables() {
    (cd "$1" && ls && cat runs.csv cells.csv sweep.json)
}
sweep "$dir/one" --jobs 1
tables "$dir/one" >"$dir/expected" 2>&1
{
    [ "$(wc -l <"$dir/one/runs.csv")" = 25 ] || echo "$(wc -l <"$dir/one/runs.csv") lines in runs.csv"
    jq -e '.cells | length == 4 and all(.[]; .metrics.ok.n == 6 and .metrics.ok.min == 1) and
           .[0].axes.way == "near, \"dry\"" and .[1].metrics.setup_ns.mean > .[0].metrics.setup_ns.mean and
           .[2].metrics.setup_ns.ci95 > 0 and .[2].metrics["share.cms.update_max_ns"].mean >
           .[0].metrics["share.cms.update_max_ns"].mean' "$dir/one/sweep.json" >/dev/null || cat "$dir/one/sweep.json"
    python3 - "$dir/one" 2>&1 <<'END'
import csv, math, sys
runs = list(csv.DictReader(open(sys.argv[1] + '/runs.csv')))
for c in csv.DictReader(open(sys.argv[1] + '/cells.csv')):
    v = [int(r[c['metric']]) for r in runs if r['loss'] == c['loss'] and r['way'] == c['way'] and r[c['metric']]]
    mean = sum(v) / len(v)
    sd = math.sqrt(sum((x - mean) ** 2 for x in v) / (len(v) - 1))
    half = 2.571 * sd / math.sqrt(len(v))
    if len(v) != 6 or min(v) != int(c['min']) or max(v) != int(c['max']) or \
       abs(mean - float(c['mean'])) > 0.06 + mean * 1e-9 or abs(half - float(c['ci95'])) > 0.06 + half * 1e-6:
        print(c, mean, half)
END
} | result "four cells of six seeds, and means and intervals that another program finds too"
for jobs in 2 7; do
    sweep "$dir/jobs$jobs" --jobs $jobs
    tables "$dir/jobs$jobs" | cmp - "$dir/expected" 2>&1
done | result "as many jobs as you like, the same bytes"
{
    # Interrupted: the first lines of a part, the last of them cut in a number.
    mkdir "$dir/half"
    "$TURNPROOF" sweep "$dir/plan.json" --out "$dir/half" --jobs 1 >/dev/null 2>&1 &
    pid=$!
    for _ in $(seq 200); do
        [ "$(wc -l 2>/dev/null <"$dir/half/part.0" || echo 0)" -gt 7 ] && break
        sleep 0.01
    done
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    if [ -e "$dir/half/part.0" ]; then
        size=$(stat -c %s "$dir/half/part.0")
        truncate -s $((size - 8)) "$dir/half/part.0"
    fi
    sweep "$dir/half" --jobs 2
    tables "$dir/half" | cmp - "$dir/expected" 2>&1
} | result "interrupted in the middle of a line, it goes on, and ends with the same bytes"
{
    mkdir "$dir/other"
    echo 'plan 1234' >"$dir/other/part.0"
    "$TURNPROOF" sweep "$dir/plan.json" --out "$dir/other" >"$dir/out" 2>&1
    [ $? -eq 2 ] || echo "exit status"
    grep -q 'part.0: expected runs of this plan, found those of another' "$dir/out" || cat "$dir/out"
} | result "a folder with another plan's runs is not gone on with"
if command -v mpirun >/dev/null; then
    for ranks in 4 3; do
        OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun --oversubscribe -n $ranks \
            "$TURNPROOF" sweep "$dir/plan.json" --out "$dir/mpi$ranks" >"$dir/out" 2>&1 || cat "$dir/out"
        [ "$(grep -c '24 runs' "$dir/out")" = 1 ] || cat "$dir/out"
        tables "$dir/mpi$ranks" | cmp - "$dir/expected" 2>&1
    done | result "under mpirun with 4 and with 3 ranks, the same bytes"
else
    skip "under mpirun, the same bytes" "no mpirun on this machine"
fi

# wrong NAME EXPECTED CHANGE: what a change of the plan (by jq) is told as.
wrong() {
    jq "$3" "$dir/plan.json" >"$dir/wrong.json"
    {
        "$TURNPROOF" sweep "$dir/wrong.json" --out "$dir/wrong" >"$dir/out" 2>&1
        [ $? -eq 2 ] || echo "exit status"
        grep -qE "^turnproof: .*wrong.json:[0-9]+:[0-9]+: .*$2|^turnproof: .*$2" "$dir/out" || cat "$dir/out"
    } | result "$1"
}
wrong "an unknown key" 'unknown|not' '.vari = 1'
wrong "values without a path" 'expected set and values together' 'del(.vary[0].set)'
wrong "an axis of nothing" 'expected a list of at least one' '.vary[0].values = []'
wrong "an engine that there is not" 'expected engines native and ns3' '.vary[0] = {name: "e", engines: ["ns4"]}'
wrong "too many runs" 'expected at most 1000000 runs' '.seeds.count = 900000'
wrong "a path that leads nowhere" 'nowhere' '.vary[1].cases[1].set = {"links.nowhere.delay_us": 1}'
wrong "a value that the topology does not take" 'delay_us' '.vary[1].cases[1].set = {"links.client-wan.delay_us": "x"}'
wrong "a topology that is not there" 'no such|No such|not' '.topology = "nowhere.json"'
finish
