#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The deployments of the port tables behind Linux: the rule sets that a person wrote (topologies/rules/*.nft) pass the
# tables as the ASA's do, the simulated firewalls agree, and the JSON beside each is what the kernel makes of it.
. models/testkit/tap.sh

rules=topologies/rules

# linux TOPOLOGY: $options put its rule sets of nftables in place. Linux has routes and addresses outside its rule file:
# the public address that it translates is its own. The administrators are one address: of a whole network one is the
# firewall's own, and what is for that it does not forward.
linux() {
    local set
    options=(--set 'check.actors.admin-pc={"at":"admin-pc"}')
    jq -r '([.nodes[] | select(.system == "expressway-e") | .settings.public_address + "/24"]) as $public |
        .nodes[] | select(.kind == "firewall" and (.name | IN("fw", "ext-fw", "int-fw"))) |
        (.interfaces | any(.name == "transit")) as $transit |
        (if .name == "int-fw" then [{to: "0.0.0.0/0", via: "10.0.30.1"}]
         else [{to: "0.0.0.0/0", via: "198.51.100.1"}] +
            (if $transit then [{to: "10.1.0.0/16", via: "10.0.30.2"}] else [] end) end) as $routes |
        "nodes.\(.name).routes=\($routes)",
        "nodes.\(.name).interfaces=\(.interfaces | map(if .name == "outside" then .addresses += $public else . end))"' \
        topologies/$1.json | while read -r set; do options+=(--set "$set"); done
    for node in fw ext-fw int-fw; do
        [ ! -e $rules/$1-$node.nft.json ] || options+=(--rules "$node=$rules/$1-$node.nft.json")
    done
}

for topology in single-nic web-proxy cluster sip-edge-standards sip-edge-microsoft p2p-microsoft; do
    linux $topology
    {
        [ ${#options[@]} -gt 6 ] || echo "no rule set: ${options[*]}"
        for size in small large; do
            "$TURNPROOF" check topologies/$topology.json "${options[@]}" --size $size --simulate --format json >"$dir/json" 2>&1
            jq -e '.rows.pass > 10 and .rows.pass == ([.rows | del(.skipped)[]] | add) and
                   .simulated_packets > 100 and .disagreements == []' "$dir/json" >/dev/null 2>&1 ||
                jq -c '.rows, .disagreements, (.answers[] | select(.row_verdict != "pass"))' "$dir/json" || cat "$dir/json"
        done
    } | result "$topology behind nftables passes the tables that it serves, small and large"
done

# One line away, and its row is named, with the place in the file.
linux web-proxy
grep -v '"protocol": "udp", "field": "dport"}}, "right": 3478}' $rules/web-proxy-ext-fw.nft.json >"$dir/broken.json"
{
    cmp -s "$dir/broken.json" $rules/web-proxy-ext-fw.nft.json && echo "nothing was taken away"
    "$TURNPROOF" check topologies/web-proxy.json "${options[@]}" --rules "ext-fw=$dir/broken.json" --format json >"$dir/json"
    [ $? -eq 1 ] || echo "exit status"
    jq -r '[.answers[] | select(.row_verdict == "blocked") | .row] | unique | join(" ")' "$dir/json" | grep -vx '1.2 1.6'
} | result "without the line for UDP 3478 rows 1.2 and 1.6 are blocked, and no other"

if unshare -n true 2>/dev/null && command -v nft >/dev/null; then
    for text in $rules/*.nft; do
        unshare -n sh -c 'nft -f "$1" && nft -j list ruleset' sh "$text" >"$dir/kernel" 2>&1
        for side in "$dir/kernel" "$text.json"; do
            jq -S '.nftables | map(select(has("metainfo") | not))' "$side" >"$dir/${side##*/}.sorted" 2>&1
        done
        same "${text##*/} is in the kernel what its JSON says" "$dir/${text##*/}.json.sorted" "$dir/kernel.sorted"
    done
else
    skip "the JSON of rule sets is what the kernel says" "network namespaces or nft are not to be had here"
fi
finish
