/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Object-groups of IOS, and port operators, of which `eq` takes several. */
#include <string.h>

#include "models/base/err.h"
#include "models/firewall/ios.h"

/* ---- ports ---- */

static int push(struct asa *a, struct asa_services *out, unsigned lo, unsigned hi)
{
    return asa_push_service(a, out, &(struct fw_service){0, 255, 0, 65535, (uint16_t)lo, (uint16_t)hi});
}

/* Cuts a port out of the ranges. */
static int cut(struct asa *a, struct asa_services *out, uint16_t p)
{
    for (size_t i = 0; i < out->count; i++) {
        struct fw_service *s = &out->v[i];
        if (p < s->dport_lo || p > s->dport_hi)
            continue;
        unsigned hi = s->dport_hi;
        bool below = p > s->dport_lo, above = p < hi;
        if (below)
            s->dport_hi = (uint16_t)(p - 1);
        else if (above)
            s->dport_lo = (uint16_t)(p + 1);
        else
            *s = out->v[--out->count];
        return below && above ? push(a, out, p + 1U, hi) : 0;
    }
    return 0;
}

/* `eq P...` and `neq P...`: one port at least. */
static int several(struct asa *a, unsigned protos, struct asa_services *out, bool without)
{
    uint16_t p;
    int err = without ? push(a, out, 0, 65535) : 0;
    if (!ios_port(asa_peek(a), protos, &p))
        return asa_expected(a, "a port");
    for (; !err && asa_more(a) && ios_port(asa_peek(a), protos, &p); a->at++)
        err = without ? cut(a, out, p) : push(a, out, p, p);
    return err;
}

int ios_ports(struct asa *a, unsigned protos, struct asa_services *out, bool *some)
{
    *some = asa_at_ports(a);
    if (!*some)
        return 0;
    const char *op = asa_next(a);
    if (strcmp(op, "eq") == 0 || strcmp(op, "neq") == 0)
        return several(a, protos, out, *op == 'n');
    uint16_t p, q = 0;
    bool range = strcmp(op, "range") == 0;
    if (!ios_port(asa_peek(a), protos, &p))
        return asa_expected(a, "a port");
    a->at++;
    if (range) {
        if (!ios_port(asa_peek(a), protos, &q) || q < p)
            return asa_expected(a, "a port not below the first");
        a->at++;
        return push(a, out, p, q);
    }
    bool lt = strcmp(op, "lt") == 0;
    if ((lt && p == 0) || (!lt && p == 65535))
        return asa_fail(a, E_RANGE, "no port is there");
    return lt ? push(a, out, 0, p - 1U) : push(a, out, p + 1U, 65535);
}

/* ---- groups ---- */

static int add(struct asa *a, const struct asa_item *item)
{
    int err = asa_end(a);
    return err ? err : asa_add_item(a, item);
}

static int group(struct asa *a, enum asa_kind kind)
{
    if (!asa_more(a))
        return asa_expected(a, "a name");
    a->below = asa_unknown_member;
    int err = asa_define(a, asa_next(a), kind, &a->symbol);
    return err ? err : asa_end(a);
}

int ios_group_network(struct asa *a)
{
    return group(a, ASA_NETWORK_GROUP);
}

int ios_group_service(struct asa *a)
{
    return group(a, ASA_SERVICE_GROUP);
}

static int group_object(struct asa *a)
{
    if (!asa_more(a))
        return asa_expected(a, "the name of a group");
    struct asa_item i = {.kind = ASA_MEMBER, .name = fw_arena_text(a->rules, asa_next(a)),
                         .text = fw_arena_text(a->rules, a->raw)};
    return i.name && i.text ? add(a, &i) : asa_no_memory(a);
}

static int any_address(struct asa *a)
{
    return add(a, &(struct asa_item){.kind = ASA_ADDR, .addr = fw_addr_any(IP_V4)});
}

/* `host A`, `range A B`, `A NETMASK` (a netmask here, not a wildcard), `A /24`, `A::/64`. */
static int network(struct asa *a)
{
    struct asa_item i = {.kind = ASA_ADDR};
    int err;
    a->at = 0;
    if (asa_take(a, "host")) {
        err = asa_ip(a, &i.addr.a);
        i.addr.b = i.addr.a;
    } else if (asa_take(a, "range")) {
        err = asa_ip(a, &i.addr.a);
        err = err ? err : asa_ip(a, &i.addr.b);
        if (!err && (i.addr.a.family != i.addr.b.family || ip_compare(&i.addr.a, &i.addr.b) > 0))
            err = asa_fail(a, E_RANGE, "expected an address not below the first");
    } else if (a->words == 2 && a->word[1].text[0] == '/') {
        struct ip_prefix p = {0};
        long len = 0;
        err = asa_ip(a, &p.ip);
        a->word[1].text++;
        err = err ? err : asa_number(a, 0, p.ip.family == IP_V4 ? 32 : 128, "a prefix length", &len);
        p.len = (uint8_t)len;
        i.addr = fw_addr_prefix(&p);
    } else {
        err = asa_ip_mask(a, &i.addr);
    }
    return err ? err : add(a, &i);
}

static int icmp_service(struct asa *a, uint8_t proto)
{
    struct fw_service s = {proto, proto, 0, 65535, 0, 65535};
    long n;
    int err = 0;
    if (asa_is_number(asa_peek(a))) {
        err = asa_number(a, 0, 255, "an ICMP type", &n);
        s.sport_lo = s.sport_hi = (uint16_t)n;
    } else if (asa_more(a)) {
        if (!ios_icmp(asa_peek(a), proto == PROTO_ICMP6, &s))
            return asa_expected(a, "an ICMP message");
        a->at++;
    }
    return err ? err : add(a, &(struct asa_item){.kind = ASA_SERVE, .service = s});
}

/* `tcp eq 443`, `udp source gt 1023 range 1 9`, `tcp-udp eq 53`, `icmp echo`, `ip`. */
static int service(struct asa *a)
{
    uint8_t proto = PROTO_TCP;
    bool any = false, some;
    a->at = 0;
    bool both = asa_take(a, "tcp-udp");
    if (!both && !ios_protocol(asa_peek(a), false, &proto, &any))
        return asa_expected(a, "a protocol");
    a->at += !both;
    if (!any && (proto == PROTO_ICMP || proto == PROTO_ICMP6))
        return icmp_service(a, proto);
    unsigned protos = both ? ASA_TCP | ASA_UDP : proto == PROTO_TCP ? ASA_TCP : proto == PROTO_UDP ? ASA_UDP : 0;
    a->base.count = a->service.count = 0;
    int err = protos && asa_take(a, "source") ? ios_ports(a, protos, &a->base, &some) : 0;
    err = err || !protos ? err : ios_ports(a, protos, &a->service, &some);
    err = err ? err : asa_end(a);
    err = err || a->base.count ? err : push(a, &a->base, 0, 65535);
    err = err || a->service.count ? err : push(a, &a->service, 0, 65535);
    for (size_t i = 0; i < a->base.count; i++)
        for (size_t j = 0; j < a->service.count; j++)
            for (int k = 0; k < (both ? 2 : 1) && !err; k++) {
                uint8_t lo = k ? PROTO_UDP : any ? 0 : proto, hi = any ? 255 : lo;
                err = asa_add_item(a, &(struct asa_item){
                    .kind = ASA_SERVE,
                    .service = {lo, hi, a->base.v[i].dport_lo, a->base.v[i].dport_hi, a->service.v[j].dport_lo,
                                a->service.v[j].dport_hi}});
            }
    return err;
}

const struct asa_command ios_in_network_group[] = {
    {"description", ASA_OBJECTS, NULL, NULL},
    {"group-object", ASA_OBJECTS, group_object, NULL},
    {"any", ASA_OBJECTS, any_address, NULL},
    {"", ASA_OBJECTS, network, NULL},
    {0},
};
const struct asa_command ios_in_service_group[] = {
    {"description", ASA_OBJECTS, NULL, NULL},
    {"group-object", ASA_OBJECTS, group_object, NULL},
    {"", ASA_OBJECTS, service, NULL},
    {0},
};
