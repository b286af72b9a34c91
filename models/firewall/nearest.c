/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/firewall/nearest.h"

enum { PROTO = 1, SPORT = 2, DPORT = 4, SRC = 8, DST = 16, INACTIVE = 32 };
enum { NEAR_PORTS = 2048, DNSIX = 195, DOMAIN = 53 };

const struct fw_known_range *fw_known_range(uint8_t proto, uint16_t port)
{
    static const struct fw_known_range ranges[] = {
        {24000, 29999, true, true},  /* TURN relays of Expressway-E */
        {36000, 59999, false, true}, /* media through Expressway */
        {50000, 59999, true, false}, /* media relays of a Skype for Business Edge */
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (ranges[i].lo <= port && port <= ranges[i].hi &&
            ((proto == PROTO_TCP && ranges[i].tcp) || (proto == PROTO_UDP && ranges[i].udp)))
            return &ranges[i];
    return NULL;
}

static bool has_ports(uint8_t proto)
{
    return proto == PROTO_TCP || proto == PROTO_UDP;
}

static unsigned service_differs(const struct fw_service *s, const struct fw_flow *f)
{
    unsigned d = 0;
    if (f->proto < s->proto_lo || f->proto > s->proto_hi)
        d |= PROTO;
    if (f->sport < s->sport_lo || f->sport > s->sport_hi)
        d |= SPORT;
    if (f->dport < s->dport_lo || f->dport > s->dport_hi)
        d |= DPORT;
    /* Ports of another kind of protocol say nothing. */
    return d & PROTO && (!has_ports(s->proto_lo) || !has_ports(f->proto)) ? d | SPORT | DPORT : d;
}

static uint32_t port_distance(const struct fw_service *s, uint16_t port)
{
    return port < s->dport_lo   ? (uint32_t)(s->dport_lo - port)
           : port > s->dport_hi ? (uint32_t)(port - s->dport_hi)
                                : 0;
}

/* The range is of the same use as the port, or ends near it. */
static bool just_misses(const struct fw_service *s, const struct fw_flow *f)
{
    const struct fw_known_range *k = fw_known_range(f->proto, f->dport);
    if (k && s->dport_hi >= k->lo && s->dport_lo <= k->hi)
        return true;
    return s->dport_lo != s->dport_hi && port_distance(s, f->dport) <= NEAR_PORTS;
}

static enum fw_difference difference(unsigned d, const struct fw_rule *rule, const struct fw_service *s,
                                     const struct fw_flow *arrived, const struct fw_flow *f)
{
    switch (d) {
    case 0:
        return FW_DIFF_SHADOWED;
    case INACTIVE:
        return FW_DIFF_INACTIVE;
    case PROTO:
        return FW_DIFF_PROTO;
    case SPORT:
        return FW_DIFF_SPORT;
    case SRC:
        return FW_DIFF_SRC;
    case DST:
        return !ip_equal(&arrived->dst, &f->dst) && fw_set_has(rule->dst, &arrived->dst) ? FW_DIFF_MAPPED
                                                                                         : FW_DIFF_DST;
    case DPORT:
        if (f->proto == PROTO_UDP && f->dport == DOMAIN && s->dport_lo == DNSIX && s->dport_hi == DNSIX)
            return FW_DIFF_NAME;
        return just_misses(s, f) ? FW_DIFF_RANGE : FW_DIFF_PORT;
    default:
        return FW_DIFF_NONE;
    }
}

static bool nearer(const struct fw_nearest *a, const struct fw_nearest *b)
{
    return a->what != b->what ? a->what < b->what : a->distance < b->distance;
}

struct fw_nearest fw_nearest(const struct fw_list *l, const struct fw_flow *arrived, const struct fw_flow *seen)
{
    static const struct fw_service any = {0, 255, 0, 65535, 0, 65535};
    struct fw_nearest best = {.what = FW_DIFF_NONE};
    for (size_t i = 0; i < l->count; i++) {
        const struct fw_rule *rule = &l->rule[i];
        if (rule->action != FW_PERMIT || rule->implied)
            continue;
        unsigned common = (rule->inactive ? INACTIVE : 0U) | (fw_set_has(rule->src, &seen->src) ? 0U : SRC) |
                          (fw_set_has(rule->dst, &seen->dst) ? 0U : DST);
        size_t n = rule->service_count ? rule->service_count : 1;
        for (size_t k = 0; k < n; k++) {
            const struct fw_service *s = rule->service_count ? &rule->service[k] : &any;
            struct fw_nearest here = {.rule = rule, .service = s, .distance = port_distance(s, seen->dport)};
            here.what = difference(common | service_differs(s, seen), rule, s, arrived, seen);
            if (here.what != FW_DIFF_NONE && nearer(&here, &best))
                best = here;
        }
    }
    return best;
}
