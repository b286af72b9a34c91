/* SPDX-License-Identifier: GPL-2.0-or-later */
/* access-list and access-group. */
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/firewall/asa.h"

/* ---- the protocol position ---- */

/* `object icmp-echo`, `object ospf`: objects that an ASA has built in. */
static bool built_in(const char *name, struct fw_service *s)
{
    uint8_t proto;
    bool any;
    *s = FW_SERVICE_ANY;
    if (strncmp(name, "icmp-", 5) == 0 && asa_icmp_type(name + 5, false, &s->sport_lo)) {
        s->proto_lo = s->proto_hi = PROTO_ICMP;
        s->sport_hi = s->sport_lo;
        return true;
    }
    if (!asa_protocol(name, &proto, &any) || any)
        return false;
    s->proto_lo = s->proto_hi = proto;
    return true;
}

/* What comes first: fills base. *bare: protocols alone, so that ports may follow. */
static int protocol_part(struct asa *a, bool *bare)
{
    uint8_t proto;
    bool any, group = asa_take(a, "object-group"), object = !group && asa_take(a, "object");
    a->base.count = 0;
    *bare = true;
    if (!group && !object) {
        if (!asa_protocol(asa_peek(a), &proto, &any))
            return asa_expected(a, "a protocol");
        a->at++;
        return asa_push_service(a, &a->base, &(struct fw_service){proto, any ? 255 : proto, 0, 65535, 0, 65535});
    }
    struct asa_symbol *s = asa_find(a, false, asa_peek(a));
    struct fw_service known;
    if (object && !s && built_in(asa_peek(a), &known)) {
        a->at++;
        *bare = false;
        return asa_push_service(a, &a->base, &known);
    }
    if (!s || (s->kind != ASA_PROTOCOL_GROUP && s->kind != ASA_SERVICE_GROUP && s->kind != ASA_SERVICE))
        return asa_expected(a, "a protocol or service object that is defined");
    *bare = s->kind == ASA_PROTOCOL_GROUP;
    int err = asa_expand_services(a, s, &a->base);
    a->at += !err;
    return err;
}

/* ---- addresses ---- */

static int iface_address(struct asa *a, struct asa_addrs *out)
{
    int i = fw_rules_find_interface(a->rules, asa_peek(a));
    if (i < 0)
        return asa_expected(a, "the name of an interface");
    const struct fw_iface *f = &a->rules->iface[i];
    if (!f->address_count)
        return asa_fail(a, E_UNSUPPORTED, "the address of interface %.60s is not in the file", f->name);
    a->at++;
    int err = 0;
    for (size_t k = 0; k < f->address_count && !err; k++)
        err = asa_push_addr(a, out, &(struct fw_addr){.a = f->address[k].ip, .b = f->address[k].ip});
    return err;
}

/* *count 0 stands for any, of both families. */
static int address_part(struct asa *a, struct asa_addrs *out)
{
    struct fw_addr addr;
    int err;
    out->count = 0;
    if (asa_take(a, "any"))
        return 0;
    if (asa_take(a, "any4")) {
        addr = fw_addr_any(IP_V4);
    } else if (asa_take(a, "any6")) {
        addr = fw_addr_any(IP_V6);
    } else if (asa_take(a, "interface")) {
        return iface_address(a, out);
    } else if (asa_take(a, "object") || asa_take(a, "object-group")) {
        err = asa_expand_addrs(a, asa_peek(a), out);
        a->at += !err;
        return err || out->count ? err : asa_fail(a, E_MALFORMED, "the group is empty");
    } else if (strcmp(asa_peek(a), "user") == 0 || strcmp(asa_peek(a), "object-group-user") == 0 ||
               strcmp(asa_peek(a), "security-group") == 0 || strcmp(asa_peek(a), "user-group") == 0) {
        return asa_fail(a, E_UNSUPPORTED, "rules for users or security groups (%.40s) are not supported",
                        asa_peek(a));
    } else if ((err = asa_address_text(a, &addr)) != 0) {
        return err;
    }
    return asa_push_addr(a, out, &addr);
}

/* ---- ports ---- */

static unsigned port_protos(const struct asa_services *base)
{
    unsigned protos = 0;
    for (size_t i = 0; i < base->count; i++) {
        uint8_t p = base->v[i].proto_lo;
        if (p != base->v[i].proto_hi || (p != PROTO_TCP && p != PROTO_UDP && p != 132))
            return 0;
        protos |= p == PROTO_TCP ? ASA_TCP : p == PROTO_UDP ? ASA_UDP : 4U;
    }
    return protos;
}

static bool all_icmp(const struct asa_services *base)
{
    for (size_t i = 0; i < base->count; i++)
        if (base->v[i].proto_lo != base->v[i].proto_hi ||
            (base->v[i].proto_lo != PROTO_ICMP && base->v[i].proto_lo != PROTO_ICMP6))
            return false;
    return base->count > 0;
}

/* A group in the place of ports: of the right kind, else it is the next address. */
static struct asa_symbol *group_ahead(const struct asa *a, enum asa_kind kind)
{
    if (strcmp(asa_peek(a), "object-group") != 0 || a->at + 1 >= a->words)
        return NULL;
    struct asa_symbol *s = asa_find(a, false, a->word[a->at + 1].text);
    return s && s->kind == kind ? s : NULL;
}

/* Ports narrow each service of a->base; side: source or destination. The result replaces a->base. */
static int port_part(struct asa *a, bool source)
{
    unsigned protos = port_protos(&a->base);
    struct asa_symbol *group = group_ahead(a, ASA_PORT_GROUP);
    if (!asa_at_ports(a) && !group)
        return 0;
    if (!protos)
        return asa_fail(a, E_MALFORMED, "ports need tcp, udp or sctp");
    struct asa_services narrow = {0};
    struct asa_ports p = {.count = 0};
    int err = 0;
    if (group) {
        if (protos & ~group->protos & (ASA_TCP | ASA_UDP)) {
            a->at++;
            return asa_fail(a, E_MALFORMED, "object-group %.60s is not for this protocol", group->name);
        }
        a->at++;
        err = asa_expand_services(a, group, &narrow);
        a->at++;
    } else {
        err = asa_ports(a, protos, &p);
    }
    for (size_t i = 0; !err && i < p.count; i++)
        err = asa_push_service(a, &narrow, &(struct fw_service){0, 255, 0, 65535, p.lo[i], p.hi[i]});
    a->service.count = 0;
    for (size_t i = 0; i < a->base.count; i++)
        for (size_t j = 0; !err && j < narrow.count; j++) {
            struct fw_service s = a->base.v[i];
            *(source ? &s.sport_lo : &s.dport_lo) = narrow.v[j].dport_lo;
            *(source ? &s.sport_hi : &s.dport_hi) = narrow.v[j].dport_hi;
            err = asa_push_service(a, &a->service, &s);
        }
    free(narrow.v);
    struct asa_services t = a->base;
    a->base = a->service;
    a->service = t;
    return err;
}

/* `echo`, `3 1`, `object-group TYPES`, behind the destination of an icmp rule. */
static int icmp_part(struct asa *a)
{
    struct asa_symbol *group = group_ahead(a, ASA_ICMP_GROUP);
    struct asa_services types = {0};
    uint16_t type;
    int err = 0;
    if (group) {
        a->at++;
        err = asa_expand_services(a, group, &types);
        a->at++;
    } else if (asa_icmp_type(asa_peek(a), a->base.v[0].proto_lo == PROTO_ICMP6, &type)) {
        struct fw_service s = {0, 255, type, type, 0, 65535};
        long code;
        a->at++;
        if (asa_is_number(asa_peek(a)) && !(err = asa_number(a, 0, 255, "an ICMP code", &code)))
            s.dport_lo = s.dport_hi = (uint16_t)code;
        err = err ? err : asa_push_service(a, &types, &s);
    } else {
        return 0;
    }
    a->service.count = 0;
    for (size_t i = 0; i < a->base.count; i++)
        for (size_t j = 0; !err && j < types.count; j++) {
            struct fw_service s = types.v[j];
            s.proto_lo = s.proto_hi = a->base.v[i].proto_lo;
            err = s.proto_lo == PROTO_ICMP6 && group
                      ? asa_fail(a, E_UNSUPPORTED, "an icmp-type group with icmp6: its numbers are those of ICMP")
                      : asa_push_service(a, &a->service, &s);
        }
    free(types.v);
    struct asa_services t = a->base;
    a->base = a->service;
    a->service = t;
    return err;
}

/* ---- the line ---- */

static bool is_level(const char *s)
{
    static const char *const level[] = {"emergencies", "alerts", "critical", "errors", "warnings", "notifications",
                                        "informational", "debugging", "disable", "default"};
    for (size_t i = 0; i < sizeof level / sizeof *level; i++)
        if (strcmp(s, level[i]) == 0)
            return true;
    return s[0] >= '0' && s[0] <= '7' && !s[1];
}

/* `log ...`, `time-range T`, `inactive`. */
static int tail_part(struct asa *a, bool *inactive)
{
    size_t range = 0;
    long n;
    *inactive = false;
    while (asa_more(a)) {
        int err = 0;
        if (asa_take(a, "log")) {
            a->at += is_level(asa_peek(a));
            if (asa_take(a, "interval"))
                err = asa_number(a, 1, 600, "seconds", &n);
        } else if (asa_take(a, "inactive")) {
            *inactive = true;
        } else if (asa_take(a, "time-range")) {
            const struct asa_symbol *s = asa_find(a, false, asa_peek(a));
            if (!s || s->kind != ASA_TIME_RANGE)
                return asa_expected(a, "the name of a time-range");
            range = a->at++;
        } else {
            return asa_expected(a, "log, time-range, inactive or the end of the line");
        }
        if (err)
            return err;
    }
    if (!range || *inactive)
        return 0;
    a->at = range;
    return asa_fail(a, E_UNSUPPORTED, "time-range %.60s: whether the rule is active depends on the clock; make it "
                    "`inactive` or take the time-range away", asa_peek(a));
}

static int extended(struct asa *a, const char *list)
{
    bool bare, inactive = false, permit = asa_take(a, "permit");
    if (!permit && !asa_take(a, "deny"))
        return asa_expected(a, "permit or deny");
    int err = protocol_part(a, &bare);
    err = err ? err : address_part(a, &a->src);
    err = err || !bare ? err : port_part(a, true);
    err = err ? err : address_part(a, &a->dst);
    if (!err && bare)
        err = all_icmp(&a->base) ? icmp_part(a) : port_part(a, false);
    err = err ? err : tail_part(a, &inactive);
    if (err)
        return err;
    const struct fw_service *s = a->base.v;
    bool all = a->base.count == 1 && s->proto_lo == 0 && s->proto_hi == 255;
    struct fw_rule_spec spec = {.list = list, .action = permit ? FW_PERMIT : FW_DENY, .inactive = inactive,
                                .src = a->src.v, .src_count = a->src.count, .dst = a->dst.v,
                                .dst_count = a->dst.count, .service = s, .service_count = all ? 0 : a->base.count,
                                .line = a->line, .text = a->raw};
    if (a->base.count == 0)
        return asa_fail(a, E_MALFORMED, "no service is left: a group is empty");
    a->expanded += a->base.count;
    if (a->expanded > ASA_EXPANDED_MAX)
        return asa_fail(a, E_RANGE, "the rules expand to more than %d services", ASA_EXPANDED_MAX);
    return fw_rules_add_rule(a->rules, &spec) ? asa_fail(a, E_NOMEM, "no memory left") : 0;
}

int asa_access_list(struct asa *a)
{
    long n;
    if (!asa_more(a))
        return asa_expected(a, "the name of an access-list");
    const char *list = asa_next(a);
    if (asa_take(a, "line")) {
        int err = asa_number(a, 1, 1000000, "a line number", &n);
        if (err)
            return err;
    }
    /* Standard and webtype lists serve routing and VPN; access-group takes neither. */
    a->quiet = strcmp(asa_peek(a), "remark") == 0 || strcmp(asa_peek(a), "standard") == 0 ||
               strcmp(asa_peek(a), "webtype") == 0;
    if (a->quiet)
        return 0;
    if (asa_take(a, "extended") || strcmp(asa_peek(a), "permit") == 0 || strcmp(asa_peek(a), "deny") == 0)
        return extended(a, list);
    if (strcmp(asa_peek(a), "advanced") == 0 || strcmp(asa_peek(a), "ethertype") == 0)
        return asa_fail(a, E_UNSUPPORTED, "access-lists of kind %s are not supported", asa_peek(a));
    return asa_expected(a, "extended, standard or remark");
}

/* ---- access-group ---- */

int asa_access_group(struct asa *a)
{
    const char *list = asa_peek(a);
    if (!asa_more(a) || !fw_rules_list(a->rules, list))
        return asa_expected(a, "an extended access-list that is defined");
    a->at++;
    int iface = FW_ANY_IFACE;
    enum fw_direction dir = FW_IN;
    if (!asa_take(a, "global")) {
        if (asa_take(a, "out"))
            dir = FW_OUT;
        else if (!asa_take(a, "in"))
            return asa_expected(a, "in, out or global");
        if (!asa_take(a, "interface"))
            return asa_expected(a, "interface");
        iface = fw_rules_find_interface(a->rules, asa_peek(a));
        if (iface < 0)
            return asa_expected(a, "the name of an interface");
        a->at++;
    }
    a->quiet = asa_take(a, "control-plane"); /* about traffic to the box itself */
    if (a->quiet)
        return asa_end(a);
    asa_take(a, "per-user-override");
    int err = asa_end(a);
    if (err)
        return err;
    return fw_rules_bind(a->rules, list, iface, dir) ? asa_fail(a, E_NOMEM, "no memory left") : 0;
}
