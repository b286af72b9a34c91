#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The firewalls of topologies/dual-nic.json written in the other dialects: each does what its ASA file does, so the
# tables pass, the call comes up, the simulated firewalls agree, and turnproof diff finds nothing, or what is told
# below. A mistake is blamed on its line, and the change that is proposed, made in the file, mends it.
. models/testkit/tap.sh
. sim/cmd/changes.sh

topology=topologies/dual-nic.json
rules=topologies/rules

# named OUTSIDE INSIDE MORE: options for an ext-fw whose interfaces have these names; its outer one has also MORE.
named() {
    local outer='"198.51.100.2/24"'"${3:-}"
    options=(--set "nodes.ext-fw.interfaces=[{\"name\":\"$1\",\"addresses\":[$outer]},
                    {\"name\":\"$2\",\"addresses\":[\"10.0.10.1/24\"]}]"
             --set "links.acme-wan.b=\"ext-fw:$1\"" --set "links.dmz-ext.a=\"ext-fw:$2\"")
}

# place FILE: $node is the firewall that the file is of, $options what the topology needs for it, $asa the ASA's file
# with the same names of interfaces. Linux has routes and addresses outside its rule file, and answers for no other.
place() {
    local name=${1##*/}
    node=${name%%.*} options=() outside=outside inside=dmz-ext
    case $name in
    *.ios) outside=GigabitEthernet0/0 inside=GigabitEthernet0/1 ;;
    *.pan) outside=ethernet1/1 inside=ethernet1/2 ;;
    *.fortigate) outside=wan1 inside=dmz ;;
    esac
    case $name in
    ext-fw.iptables | ext-fw.nft.json)
        named $outside $inside ',"198.51.100.20/24"'
        options+=(--set 'nodes.ext-fw.routes=[{"to":"0.0.0.0/0","via":"198.51.100.1"}]')
        ;;
    ext-fw.*) named $outside $inside ;;
    esac
    asa=$dir/$node.cfg
    sed -E "s#\b(nameif|interface|route|mtu) outside#\1 $outside#; s#\b(nameif|interface|mtu) dmz-ext#\1 $inside#
            s#\(dmz-ext,outside\)#($inside,$outside)#" $rules/$node.cfg >"$asa"
}

# told FILE: what turnproof diff says of the ASA's file and this one, by the interfaces that the packets cross.
told() {
    "$TURNPROOF" diff $topology --rules "$node=$asa" --with "$node=$1" "${options[@]}" --format json 2>&1 |
        jq -r '(.rows[] | tojson), (.changes[] | "\(.now): \(.in) > \(.out)",
            (.packets[] | "  \(.proto) \(.src):\(.sport)\n  > \(.dst):\(.dport)"))' 2>&1
}

# ---- as they are ----

# What is expected to differ, by file. A router's lists have no state: answers have lines of their own, which let other
# packets pass, too; and it routes back what came in by the same interface. A security group knows no source of what
# it lets out; a network ACL knows neither state nor source ports. The other dialects can say all that the ASA can.
cat >"$dir/ext-fw.ios.differs" <<'END'
permitted: GigabitEthernet0/0 > GigabitEthernet0/1
  udp any:53, 123
  > 198.51.100.20:0-3477, 3479-23999, 30000-65535
permitted: GigabitEthernet0/1 > GigabitEthernet0/0
  udp 10.0.10.2:3478
  > 0.0.0.0-10.0.9.255, 10.0.11.0-198.51.100.1, 198.51.100.3-255.255.255.255:0-52, 54-122, 124-65535
  udp 10.0.10.2:24000-29999
  > 0.0.0.0-10.0.9.255, 10.0.11.0-198.51.100.1, 198.51.100.3-255.255.255.255:0-52, 54-122, 124-1023
permitted: GigabitEthernet0/1 > GigabitEthernet0/1
  udp 10.0.10.2:0-23999, 30000-65535
  > 10.0.10.0, 10.0.10.2-10.0.10.255:53, 123
  udp 10.0.10.2:3478
  > 10.0.10.0, 10.0.10.2-10.0.10.255:0-52, 54-122, 124-65535
  udp 10.0.10.2:24000-29999
  > 10.0.10.0, 10.0.10.2-10.0.10.255:any
  tcp 10.0.10.2:24000-29999
  > 10.0.10.0, 10.0.10.2-10.0.10.255:1024-65535
  udp 10.0.10.2:36000-59999
  > 10.0.10.0, 10.0.10.2-10.0.10.255:1024-65535
END
cat >"$dir/int-fw.sg.json.differs" <<'END'
permitted: inside > dmz-int
  tcp 0.0.0.0-10.1.0.29, 10.1.0.31-255.255.255.255:any
  > 10.0.20.2:2222, 7001-7002
  udp 0.0.0.0-10.1.0.29, 10.1.0.31-255.255.255.255:any
  > 10.0.20.2:2776-2777, 36000-36011
  tcp 0.0.0.0-10.1.0.39, 10.1.0.41-255.255.255.255:any
  > 10.0.20.2:3478
  udp 0.0.0.0-10.1.0.39, 10.1.0.41-255.255.255.255:any
  > 10.0.20.2:3478, 24000-29999
  tcp 0.0.0.0-10.1.8.255, 10.1.10.0-255.255.255.255:any
  > 10.0.20.2:22, 8443
  tcp 10.1.0.30:0-24999, 30000-65535
  > 10.0.20.2:7001-7002
  tcp 10.1.0.30:0-29999, 36000-65535
  > 10.0.20.2:2222
  udp 10.1.0.30:0-35999, 60000-65535
  > 10.0.20.2:2776-2777, 36000-36011
  tcp, udp 10.1.0.40:0-1023
  > 10.0.20.2:3478
  udp 10.1.0.40:0-49999, 51001-65535
  > 10.0.20.2:24000-29999
END
cat >"$dir/int-fw.nacl.json.differs" <<'END'
permitted: dmz-int > dmz-int
  tcp, udp 10.0.20.2:any
  > 10.0.20.0, 10.0.20.2-10.0.20.255:1024-65535
permitted: dmz-int > inside
  tcp, udp 10.0.20.2:any
  > 10.1.0.0, 10.1.0.2-10.1.0.255:1024-65535
permitted: inside > dmz-int
  tcp 0.0.0.0-10.1.0.29, 10.1.0.31-255.255.255.255:any
  > 10.0.20.2:2222, 7001-7002
  udp 0.0.0.0-10.1.0.29, 10.1.0.31-255.255.255.255:any
  > 10.0.20.2:2776-2777, 36000-36011
  tcp 0.0.0.0-10.1.0.39, 10.1.0.41-255.255.255.255:any
  > 10.0.20.2:3478
  udp 0.0.0.0-10.1.0.39, 10.1.0.41-255.255.255.255:any
  > 10.0.20.2:3478, 24000-29999
  tcp 0.0.0.0-10.1.8.255, 10.1.10.0-255.255.255.255:any
  > 10.0.20.2:22, 8443
  tcp 10.1.0.30:0-24999, 30000-65535
  > 10.0.20.2:7001-7002
  tcp 10.1.0.30:0-29999, 36000-65535
  > 10.0.20.2:2222
  udp 10.1.0.30:0-35999, 60000-65535
  > 10.0.20.2:2776-2777, 36000-36011
  tcp, udp 10.1.0.40:0-1023
  > 10.0.20.2:3478
  udp 10.1.0.40:0-49999, 51001-65535
  > 10.0.20.2:24000-29999
END

# A finding that is true of the dialect and of no rule: flows of Azure are forgotten after four minutes.
declare -A errors=([int-fw.nsg.json]=idle-timer)

for name in ext-fw.{iptables,nft.json,ios,ftd,pan,fortigate} int-fw.{sg,nacl,nsg}.json; do
    file=$rules/$name
    place $name
    {
        "$TURNPROOF" check $topology --rules "$node=$file" "${options[@]}" --simulate --format json >"$dir/json" 2>&1
        jq -e '.rows.pass > 30 and .rows.pass == ([.rows | del(.skipped)[]] | add) and
               .simulated_packets > 1000 and .disagreements == []' "$dir/json" >/dev/null ||
            jq -c '.rows, .disagreements, (.answers[] | select(.row_verdict != "pass"))' "$dir/json" ||
            cat "$dir/json"
        found=$(jq -r '[.findings[] | select(.level == "error") | .id] | unique | join(" ")' "$dir/json")
        [ "$found" = "${errors[$name]:-}" ] || echo "errors: $found"
        jq -r --arg file $file '.lines[] | select(.file == $file) |
            select(.modelled < 5 or .unsupported > 0 or .modelled + .no_effect != .total)' "$dir/json"
    } | result "$name: all rows pass, and the simulated firewall agrees"
    { "$TURNPROOF" run $topology --rules "$node=$file" "${options[@]}" 2>&1 | grep -q '^OK' || echo "it does not"; } |
        result "$name: the call comes up"
    touch "$dir/$name.differs"
    told $file >"$dir/told"
    same "$name: it differs from the ASA in what is expected" "$dir/$name.differs" "$dir/told"
done

# ---- with a mistake ----

# broken NAME WHAT ROW LINE SED: the file, edited, fails that row and names the line that has this text (none: the end
# of the rules); its changes, made in the file, mend it.
broken() {
    local name=$1 row=$3 line=$4 at
    local bad=$dir/$name fixed=$dir/fixed.$name
    place "$name"
    sed -E "$5" $rules/$name >"$bad"
    {
        cmp -s $rules/$name "$bad" && echo "not edited"
        "$TURNPROOF" check $topology --rules "$node=$bad" "${options[@]}" --format json >"$dir/json" 2>&1
        [ $? -eq 1 ] || { echo "status $?"; head -n 3 "$dir/json"; }
        at=$(grep -nE -m 1 -- "$line" "$bad" | cut -d : -f 1)
        [ -n "$line" ] || at=null
        jq -e --argjson at "${at:-0}" --arg row $row --arg node "$node" --arg file "$bad" '[.answers[] |
            select(.row == $row and .node == $node and .verdict == "blocked") | .by[0]] |
            length > 0 and all(.line == $at and (.file == $file or $at == null))' "$dir/json" >/dev/null ||
            jq -c --arg row $row '.answers[] | select(.row == $row) | [.node, .row_verdict, .by]' "$dir/json"
        mended "$dir/json" "$node" "$bad" >"$fixed" || echo "no change proposed"
        "$TURNPROOF" check $topology --rules "$node=$fixed" "${options[@]}" --format json >"$dir/json" 2>&1
        jq -e '.rows.pass == ([.rows | del(.skipped)[]] | add)' "$dir/json" >/dev/null ||
            { jq -c .rows "$dir/json" || head -n 3 "$dir/json"; diff "$bad" "$fixed"; }
    } | result "$name, $2: the line is named, and its change mends it"
}

cut="relay ports end at 27999" tcp="TURN over TCP left out"
broken ext-fw.iptables "$cut" 3.12 '^-A EXPE-IN -j DROP' 's/dport 24000:29999/dport 24000:27999/'
broken ext-fw.iptables "$tcp" 3.10 '^-A EXPE-IN -j DROP' '/-m tcp --dport 3478/d'
broken ext-fw.nft.json "$cut" 3.12 '"expe_in".*"drop"' '/TURN relay/s/29999/27999/'
broken ext-fw.nft.json "$tcp" 3.10 '"expe_in".*"drop"' '/TURN over TCP/d'
broken ext-fw.ios "$cut" 3.12 'deny ip any any' '/198.51.100.20 range 24000/s/29999/27999/'
broken ext-fw.ios "$tcp" 3.10 'deny ip any any' '/permit tcp any host 198.51.100.20 eq 3478/d'
broken ext-fw.ftd "$cut" 3.12 'deny ip any any' '/EXPE-LAN2 range 24000 29999 rule/s/29999/27999/'
broken ext-fw.ftd "$tcp" 3.10 'deny ip any any' '/trust tcp .* eq 3478/d'
broken ext-fw.pan "$cut" 3.12 'rules rest from' '/relay-(tcp|udp) protocol/s/29999/27999/'
broken ext-fw.pan "$tcp" 3.10 'rules rest from' '/service-group turn/s/ turn-tcp//'
broken ext-fw.fortigate "$cut" 3.12 '' '/portrange 24000-29999$/s/29999/27999/'
broken ext-fw.fortigate "$tcp" 3.10 '' '/tcp-portrange 3478/d'
zone="traversal zones begin at 7002"
broken int-fw.sg.json "$zone" 3.1 '' 's/"FromPort": 7001/"FromPort": 7002/'
broken int-fw.sg.json "$tcp" 5.turn-control '' '/"tcp", "FromPort": 3478/d'
broken int-fw.nacl.json "$tcp" 5.turn-control '32767.*"Egress": true' '/"RuleNumber": 150/,+1d'
broken int-fw.nsg.json "$tcp" 5.turn-control '"rest-out"' '/"turn-tcp"/,+2d'

# Where no rule decides: behind the last of its chain, or of all. Where a FortiGate's policy denies: before it.
rest="nothing denies the rest"
broken ext-fw.nft.json "$rest" 3.12 '"forward".*"hook"' '/TURN relay|handle": 13,/d'
broken ext-fw.pan "$rest" 3.12 '' '/rules rest/d; /relay-(tcp|udp) protocol/s/29999/27999/'
deny='    edit 9\n        set srcintf "wan1"\n        set dstintf "dmz"\n        set action deny'
deny+='\n        set srcaddr "all"\n        set dstaddr "expe"\n        set schedule "always"\n        set service "ALL"\n    next'
broken ext-fw.fortigate "a policy denies" 3.12 '^    edit 9' \
    "/portrange 24000-29999$/s/29999/27999/; /^    edit 3/s/^/$deny\n/"
# Answers, where there is no state.
answers="answers left out"
broken ext-fw.ios "$answers" 3.10 'deny ip any any log-input' '/host 10.0.10.2 (any established|eq 3478 any)/d
    /list extended dmz/,$s/any log/any log-input/'
broken int-fw.nacl.json "$answers" 5.turn-control '32767.*"Egress": false' 's/"From": 1024/"From": 5000/'

# Linux answers for its own addresses alone: without the public one, nothing arrives, whatever the rules say.
named outside dmz-ext
options+=(--set 'nodes.ext-fw.routes=[{"to":"0.0.0.0/0","via":"198.51.100.1"}]' --rules ext-fw=$rules/ext-fw.iptables)
{
    "$TURNPROOF" check $topology "${options[@]}" --format json >"$dir/json" && echo "the check passes"
    jq -e 'any(.answers[]; .row == "3.12" and (.why // "" | test("ext-fw answers for its own addresses alone")))' \
        "$dir/json" >/dev/null || jq -c '.answers[] | select(.row == "3.12")' "$dir/json"
    "$TURNPROOF" run $topology "${options[@]}" --json >"$dir/json" && echo "the call comes up"
    jq -e '.failure | .node == "ext-fw" and (.where | test("own addresses alone")) and
           (.advice | test("ip address add"))' \
        "$dir/json" >/dev/null || jq -c .failure "$dir/json"
} | result "a Linux firewall without the public address on its interface is told"
finish
