# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by system tests: TAP out. TURNPROOF is the program under test, $dir a folder that goes away.
set -u
shopt -s lastpipe
TURNPROOF=${TURNPROOF:-build/turnproof}
export TURNPROOF
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
tap_count=0
tap_failed=0

# result NAME: ok when standard input is empty; what is there says what is wrong.
result() {
    tap_count=$((tap_count + 1))
    local wrong
    wrong=$(cat)
    if [ -z "$wrong" ]; then
        echo "ok $tap_count - $1"
    else
        printf '%s\n' "$wrong" | head -n "${TAP_LINES:-40}" | sed 's/^/# /'
        echo "not ok $tap_count - $1"
        tap_failed=$((tap_failed + 1))
    fi
}

# skip NAME WHY
skip() {
    tap_count=$((tap_count + 1))
    echo "ok $tap_count # SKIP $1: $2"
}

# same NAME EXPECTED-FILE FOUND-FILE
same() {
    diff "$2" "$3" | result "$1"
}

finish() {
    echo "1..$tap_count"
    exit $((tap_failed > 0))
}
