# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by system tests: changes made in rule files: those that turnproof check proposes, and
# mistakes.

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

# edit FILE REPLACEMENTS: the file with [[old line, new lines or null], ...]; a line that is not there is an error.
edit() {
    jq -r '.[]? | [.[0], .[1] // "\u0001"] | @tsv' <<<"$2" >"$dir/edits"
    awk -F '\t' -v edits="$dir/edits" '
        BEGIN { while ((getline < edits) > 0) { gsub(/\\n/, "\n", $2); to[$1] = $2; left[$1] = 1 } FS = "\n" }
        { gsub(/\r$/, "") }
        $0 in to { delete left[$0]; if (to[$0] != "\001") print to[$0]; next }
        { print }
        END { for (l in left) { print "no such line: " l > "/dev/stderr"; exit 1 } }' "$1"
}
