#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# turnproof report: one page that stands alone, of runs, checks and sweeps; well-formed, escaped, and drawn by a browser.
. models/testkit/tap.sh

if ! command -v gnuplot >/dev/null; then
    skip "a report is made" "no gnuplot on this machine"
    finish
fi
cat >"$dir/plan.json" <<END
{"schema": "turnproof/sweep/1", "name": "small <&>", "topology": "$PWD/topologies/lab.json",
 "set": {"nodes.skype-client.settings.call_at_ms": 1000, "nodes.skype-client.settings.share_at_ms": 2000,
         "nodes.skype-client.settings.screen.duration_s": 1, "nodes.cms.settings.screen.duration_s": 1, "duration_s": 30},
 "vary": [{"name": "delay_us", "set": "links.client-wan.delay_us", "values": [1000, 50000, 200000]},
          {"name": "loss", "set": "links.client-wan.loss.bernoulli_ppm", "values": [0, 20000]}],
 "seeds": {"count": 3}}
END
"$TURNPROOF" sweep "$dir/plan.json" --out "$dir/r/sweep" >"$dir/out" 2>&1 || cat "$dir/out"
"$TURNPROOF" run topologies/lab.json --out "$dir/r/lab" >/dev/null
"$TURNPROOF" run topologies/lab.json --set 'nodes.skype-client.settings.role="attendee"' --out "$dir/r/failed" >/dev/null
"$TURNPROOF" check topologies/single-nic.json --format json >"$dir/r/check.json"
echo '{"somebody": "else"}' >"$dir/r/other.json"
{
    "$TURNPROOF" report "$dir/r" >"$dir/out" 2>&1 || echo "status $?"
    grep -qE 'report.html: 2 runs, 1 checks, 0 matrices, 1 sweeps with [0-9]+ plots' "$dir/out" || cat "$dir/out"
    page=$dir/r/report.html
    xmllint --html --noout "$page" 2>&1 | grep -vE 'Tag (svg|g|path|text|title|desc|defs|circle|use|rect|clipPath|tspan|figure|figcaption|line|polygon|polyline|style|filter|fe[a-z]*|marker|details|summary) invalid|^ *\^|^[^ ]*<|ID .* already defined' | grep 'error' | head
    for words in 'small &lt;&amp;&gt;' 'Set-up time of the share' 'Throughput of the share' 'Set-up by phase' '21002' \
                 'seeds 1 to 3' '95 % confidence' 'CMA web client signalling' 'engine native, seed 1'; do
        grep -qF "$words" "$page" || echo "the page does not say: $words"
    done
    grep -oE '(src|href)="[^"#][^"]*"|url\([^#)][^)]*\)|@import' "$page" | grep -v 'http://www.w3.org' | head -3
    for plot in "$dir"/r/plots/*.png; do
        [ "$(head -c 8 "$plot" | od -An -tx1 | tr -d ' \n')" = 89504e470d0a1a0a ] || echo "$plot is no picture"
    done
} | result "one page of two runs, a check and a sweep, that needs nothing else"
cp "$dir/r/report.html" "$dir/first.html"
"$TURNPROOF" report "$dir/r" >/dev/null
cmp "$dir/first.html" "$dir/r/report.html" 2>&1 | result "the same results, the same page"
browser=$(command -v chromium || command -v chromium-browser)
if [ -n "$browser" ]; then
    {
        timeout 60 "$browser" --headless --no-sandbox --disable-gpu --dump-dom "file://$dir/r/report.html" \
            >"$dir/dom" 2>/dev/null || echo "the browser did not end"
        [ "$(grep -c '<svg' "$dir/dom")" -ge 8 ] || echo "$(grep -c '<svg' "$dir/dom") pictures"
        [ "$(grep -o '<tr>' "$dir/dom" | wc -l)" -ge 20 ] || echo "$(grep -o '<tr>' "$dir/dom" | wc -l) table rows"
    } | result "headless Chromium draws it"
else
    skip "headless Chromium draws it" "no Chromium on this machine"
fi
mkdir "$dir/empty"
{
    "$TURNPROOF" report "$dir/empty" >"$dir/out" 2>&1
    [ $? -eq 2 ] || echo "exit status"
    grep -q 'expected results .* found none' "$dir/out" || cat "$dir/out"
    echo '{"schema": "turnproof/summary/1", ' >"$dir/empty/cut.json"
    "$TURNPROOF" report "$dir/empty" >"$dir/out" 2>&1
    [ $? -eq 2 ] || echo "exit status of a cut file"
    grep -q 'cut.json: expected a JSON document' "$dir/out" || cat "$dir/out"
} | result "a folder without results, and a file that was cut, are told"
finish
