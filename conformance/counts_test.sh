#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the README says of the catalogue is what the program says.
cd "$(dirname "$0")/.."
. models/testkit/tap.sh

text=$(tr '\n' ' ' <README.md | tr -s ' ')
"$TURNPROOF" conform --list | tail -n 1 | tr -cs '0-9' ' ' >"$dir/counts"
read -r rows probed watched both none <"$dir/counts"
for part in "are $rows rows with stable ids" "$probed have a probe" "$watched are watched" "$both are both" \
    "$none say why they have neither"; do
    [[ $text == *"$part"* ]] || echo "README.md does not say: $part"
done | result "the README's counts of rows are the program's"

"$TURNPROOF" conform --sim | head -n 2 | tr '\n' ' ' | tr -s ' ' | sed 's/ $//' >"$dir/verdict"
{ [[ $text == *"$(cat "$dir/verdict")"* ]] || cat "$dir/verdict"; } | result "the README's verdict is the program's"
finish
