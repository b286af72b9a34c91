/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which NAT rule a packet meets, and what the rule makes of it. */
#include "models/firewall/nat.h"

bool fw_iface_address(const struct fw_addresses *a, int iface, uint8_t family, struct ip_addr *out)
{
    for (size_t i = 0; iface >= 0 && i < a->count[iface]; i++)
        if (a->prefix[iface][i].ip.family == family) {
            *out = a->prefix[iface][i].ip;
            return true;
        }
    return false;
}

/* ip, a member of from, becomes the member of to at the same position. No from: anything; no to: unchanged. */
static bool map_address(const struct fw_set *from, const struct fw_set *to, struct ip_addr *ip)
{
    uint64_t index;
    if (!from)
        return true;
    if (!fw_set_index(from, ip, &index))
        return false;
    return !to || fw_set_at(to, index, ip);
}

static bool map_port(uint16_t from_lo, uint16_t from_hi, uint16_t to_lo, uint16_t *port)
{
    if (*port < from_lo || *port > from_hi)
        return false;
    *port = (uint16_t)(to_lo + (*port - from_lo));
    return true;
}

static bool map_service(const struct fw_nat *n, struct fw_flow *f)
{
    return !n->has_service || (n->from.proto_lo <= f->proto && f->proto <= n->from.proto_hi &&
                               map_port(n->from.sport_lo, n->from.sport_hi, n->to.sport_lo, &f->sport) &&
                               map_port(n->from.dport_lo, n->from.dport_hi, n->to.dport_lo, &f->dport));
}

static bool unmap_service(const struct fw_nat *n, struct fw_flow *f)
{
    return !n->has_service || (n->to.proto_lo <= f->proto && f->proto <= n->to.proto_hi &&
                               map_port(n->to.sport_lo, n->to.sport_hi, n->from.sport_lo, &f->dport) &&
                               map_port(n->to.dport_lo, n->to.dport_hi, n->from.dport_lo, &f->sport));
}

/* Translation between families (NAT64) is not modelled: such a rule meets no packet. */
static bool same_family(const struct fw_flow *a, const struct fw_flow *b)
{
    return a->src.family == b->src.family && a->dst.family == b->dst.family;
}

static bool on(int rule_iface, int iface)
{
    return rule_iface == FW_ANY_IFACE || iface == FW_ANY_IFACE || rule_iface == iface;
}

/* The address of an interface stands for a set of one. */
static bool is_iface_address(const struct fw_addresses *a, int iface, const struct ip_addr *ip)
{
    struct ip_addr own;
    return fw_iface_address(a, iface, ip->family, &own) && ip_equal(&own, ip);
}

bool fw_nat_reverse(const struct fw_nat *n, const struct fw_addresses *a, int in, struct fw_flow *f)
{
    if (n->dynamic || n->inactive || n->unidirectional || !on(n->mapped_iface, in))
        return false;
    struct fw_flow t = *f;
    if (n->interface) {
        if (!is_iface_address(a, n->mapped_iface, &t.dst) || !n->real)
            return false;
        t.dst = n->real->addr[0].a;
    } else if (!map_address(n->mapped ? n->mapped : n->real, n->mapped ? n->real : NULL, &t.dst)) {
        return false;
    }
    if (n->has_dst && n->dst_interface) {
        if (!fw_set_has(n->dst_to, &t.src) || !fw_iface_address(a, n->real_iface, t.src.family, &t.src))
            return false;
    } else if (n->has_dst &&
               !map_address(n->dst_to ? n->dst_to : n->dst_from, n->dst_to ? n->dst_from : NULL, &t.src)) {
        return false;
    }
    if (!unmap_service(n, &t) || !same_family(f, &t))
        return false;
    *f = t;
    return true;
}

bool fw_nat_forward(const struct fw_nat *n, const struct fw_addresses *a, int in, int out, struct fw_flow *f)
{
    if (n->inactive || !on(n->real_iface, in) || !on(n->mapped_iface, out))
        return false;
    struct fw_flow t = *f;
    if (n->has_dst && n->dst_interface) {
        if (!is_iface_address(a, n->real_iface, &t.dst) || !n->dst_to)
            return false;
        t.dst = n->dst_to->addr[0].a;
    } else if (n->has_dst && !map_address(n->dst_from, n->dst_to, &t.dst)) {
        return false;
    }
    bool fixed = n->dynamic || n->interface;
    if (!map_address(n->real, fixed ? NULL : n->mapped, &t.src) || !map_service(n, &t))
        return false;
    if (!n->dynamic && n->interface && !fw_iface_address(a, n->mapped_iface, t.src.family, &t.src))
        return false;
    if (!same_family(f, &t))
        return false;
    *f = t;
    return true;
}

bool fw_nat_pools(const struct fw_nat *n, const struct fw_addresses *a, int mapped, const struct ip_addr *ip)
{
    if (!n->dynamic || n->inactive || !on(n->mapped_iface, mapped))
        return false;
    uint64_t index;
    return (n->mapped && fw_set_index(n->mapped, ip, &index)) || (n->interface && is_iface_address(a, mapped, ip));
}
