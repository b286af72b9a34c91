# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by system tests: the changes that turnproof check proposes, made in the file that they are for.

# mended REPORT NODE FILE: the file with the changes that the report proposes for the node; false: it proposes none.
mended() {
    jq -r --arg node "$2" '.repairs[] | select(.node == $node and .proved) | .changes[] |
        [.before_line, (if .remove then .remove | split("\n") | length else 0 end), .text] | @tsv' "$1" >"$dir/changes"
    awk -F '\t' -v changes="$dir/changes" '
        BEGIN {
            while ((getline < changes) > 0) {
                gsub(/\\n/, "\n", $3); text[$1] = $3; for (i = 0; i < $2; i++) gone[$1 + i] = 1; any = 1
            }
            FS = "\n"
        }
        FNR in text { if (text[FNR] != "") print text[FNR] }
        !(FNR in gone) { print }
        END { if (0 in text) print text[0]; exit !any }' "$3"
}
