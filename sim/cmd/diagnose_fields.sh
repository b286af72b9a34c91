#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# diagnose_fields.sh CAPTURE...: does tshark, with our plug-in, decode each STUN and ChannelData message as `turnproof
# diagnose` does? Compared are frame, type, transaction, the attributes in their order with length and value, what those
# say (addresses, texts, numbers), and whether FINGERPRINT is right. Differences go to standard output, tshark's in
# lines that begin with ">"; behind them one line "#: N messages ..."; exit status 1: there are any.
#
# A line is FRAME|TYPE|TRANSACTION| TYPE LENGTH VALUE SAYS ...|FINGERPRINT, in hex, lengths in decimal; "-": nothing.
set -u -o pipefail
TURNPROOF=${TURNPROOF:-build/turnproof}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

ours() {
    "$TURNPROOF" diagnose "$1" --format json | jq -r '
        ["0x0001", "0x0006", "0x0009", "0x000c", "0x000d", "0x0012", "0x0014", "0x0016", "0x0019", "0x0020", "0x8020", "0x8022",
         "0x8023", "0x802b", "0x802c", "0x8054", "0x8070"] as $new | ["0x0001", "0x0009", "0x000d", "0x000e", "0x0011", "0x0012", "0x8020"] as $old |
        .messages[] | (if .dialect == "ms-turn" then $old else $new end) as $said |
        if .channel then "\(.frame)|ChannelData||\(.channel) \(.length)|-"
        elif .transaction then
            "\(.frame)|\(.stun_type)|\(.transaction)|" + ([.attributes[] | . as $a |
                " \(.type) \(.length) \(.value | if . == "" then "-" else . end) " +
                (if any($said[]; . == $a.type) and .says then .says | gsub(" "; "_") else "-" end)] | add // "") +
            "|" + ({"right": "1", "wrong": "0"}[.fingerprint // ""] // "-")
        elif .stun_type then "\(.frame): fields were not kept" else empty end'
}

# tshark's fields, from the page that it writes for each packet. Of [MS-TURN] its dissector of RFC 3489 does not give each
# value: those are cut out of the payload at the place that it names.
theirs() {
    tshark -X lua_script:reports/wireshark/turnproof.lua -r "$1" -d tcp.port==3478,stun \
        -Y "(stun || msturn) && !icmp && !icmpv6" -T pdml 2>"$dir/stderr" | awk '
    function get(key) {
        return match($0, " " key "=\"[^\"]*\"") ? substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 4) : ""
    }
    function text(s) {
        gsub(/&lt;/, "<", s); gsub(/&gt;/, ">", s); gsub(/&quot;/, "\"", s); gsub(/&#x27;/, "\047", s)
        gsub(/&amp;/, "\\&", s); gsub(/ /, "_", s)
        return s
    }
    function end_message(   i, line) {
        if (type != "") {
            line = frame "|" type "|" id "|"
            if (channel != "")
                line = line channel
            for (i = 1; i <= n; i++)
                line = line " " kind[i] " " len[i] " " (value[i] ? value[i] : "-") " " (says[i] ? says[i] : "-")
            print line "|" (crc == "" ? "-" : crc)
        }
        type = id = crc = channel = ""
        n = 0
    }
    /<packet>/ { end_message(); stun = 0 }
    /<field name="num"/ { frame = get("show") }
    /<proto name=/ { stun = /"(classic)?stun"/; if (stun) end_message() }
    /name="tcp.payload"/ { payload = get("value"); payload_at = get("pos") }
    /name="msstun.type"/ { for (ms = n; ms > 0 && at[ms] != get("pos"); ms--) ; }
    /name="msstun.candidate_identifier"/ || /name="msstun.implementation_version"/ {
        if (ms)
            says[ms] = text(get("show"))
    }
    !stun { next }
    /name="classicstun.att.type"/ { n++; kind[n] = get("show"); at[n] = get("pos"); says[n] = value[n] = "" }
    /name="classicstun.att.length"/ { value[n] = substr(payload, 2 * (at[n] + 4 - payload_at) + 1) }
    { sub(/name="classicstun/, "name=\"stun") }
    /name="stun.type"/ { type = get("show") }
    /name="stun.channel"/ { type = "ChannelData"; channel = get("show") }
    /name="stun.length"/ { if (channel != "") channel = channel " " get("show") }
    /name="stun.id"/ { id = get("value") }
    /name="stun.attribute"/ || /show="Unknown attribute/ && !/name="_ws/ {
        bytes = get("value"); n++; kind[n] = "0x" substr(bytes, 1, 4); at[n] = get("pos"); says[n] = ""
        value[n] = substr(bytes, 9)
    }
    /name="stun.value"/ { value[n] = get("value") }
    /name="stun.att.length"/ { len[n] = get("show"); value[n] = substr(value[n], 1, 2 * len[n]) }
    /name="stun.att.port"/ { port = get("show") }
    /name="stun.att.ipv4"/ { says[n] = get("show") ":" port }
    /name="stun.att.ipv6"/ { says[n] = "[" get("show") "]:" port }
    /name="stun.att.lifetime"/ { says[n] = get("show") }
    /name="stun.att.error.class"/ { error = 100 * get("show") }
    /name="stun.att.error"/ { error += get("show"); says[n] = error "_" }
    /name="stun.att.error.reason"/ { says[n] = error "_" text(get("show")) }
    /name="stun.att.transp"/ { says[n] = get("show") == "0x06" ? "TCP" : get("show") == "0x11" ? "UDP" : get("show") }
    /name="stun.att.channelnum"/ { says[n] = get("show") "0000" }
    /name="stun.att.username"/ || /name="stun.att.realm"/ || /name="stun.att.software"/ { says[n] = text(get("show")) }
    /name="stun.att.ms.foundation"/ || /name="stun.att.ms.version.ice"/ { says[n] = text(get("show")) } # newer tsharks
    /name="stun.att.crc32.status"/ { crc = get("show") }
    END { end_message() }'
}

# tshark's faults, one by one:
# 1. It takes any segment or datagram that begins with 0x40 to 0x7f and has a length behind that for ChannelData, by
#    heuristics, also of connections that carry media, or a peer's bytes. Only channels that a ChannelBind of the same
#    capture asked for are that (RFC 8656 12).
# 2. It tells the packet that an ICMP error quotes as if it were sent there and then: such frames are left out above.
# 3. CONNECTION-ID, PRIORITY in the form we give it, and the texts of [MS-TURN] are bytes for it: of these what they say is
#    not compared, the bytes are.
without_faults() {
    awk -F '|' 'NR == FNR { if ($2 == "0x0009") { split($4, word, " 0x000c 4 "); bound["0x" substr(word[2], 1, 4)] = 1 } next }
                $2 != "ChannelData" || substr($4, 1, 6) in bound' "$1" "$1"
}

messages=0 wrong=0
for capture in "$@"; do
    ours "$capture" | sort >"$dir/ours" || wrong=1
    theirs "$capture" | sort >"$dir/raw" || wrong=1
    without_faults "$dir/raw" >"$dir/theirs"
    messages=$((messages + $(wc -l <"$dir/ours")))
    grep -v '^Running as' "$dir/stderr" && wrong=1
    diff "$dir/ours" "$dir/theirs" >"$dir/diff" || { echo "$capture"; grep '^[<>]' "$dir/diff"; wrong=1; }
done
echo "#: $messages messages of $# captures, field by field as tshark has them"
exit $wrong
