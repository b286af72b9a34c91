/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names, objects and object-groups, and what they expand to. Groups nest; a group that contains itself is an error,
 * and so is one that expands to more than ASA_ITEMS_MAX members. Members that cannot be known (the address of a DNS
 * name, a line that is not understood) are said to be there. */
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/firewall/asa.h"

/* ---- symbols ---- */

static struct asa_symbol **slot(const struct asa *a, bool alias, const char *name)
{
    uint32_t h = fw_hash(name, strlen(name)) + alias;
    return (struct asa_symbol **)&a->bucket[h % (sizeof a->bucket / sizeof *a->bucket)];
}

struct asa_symbol *asa_find(const struct asa *a, bool alias, const char *name)
{
    struct asa_symbol *s = *slot(a, alias, name);
    while (s && (strcmp(s->name, name) != 0 || (s->kind == ASA_ALIAS) != alias))
        s = s->next;
    return s;
}

int asa_define(struct asa *a, const char *name, enum asa_kind kind, struct asa_symbol **out)
{
    struct asa_symbol *s = asa_find(a, kind == ASA_ALIAS, name);
    *out = s;
    if (s && s->kind != kind)
        return asa_fail(a, E_EXISTS, "\"%.60s\" is already the name of something else", name);
    if (s)
        return 0;
    s = fw_arena(a->rules, sizeof *s);
    if (!s)
        return asa_no_memory(a);
    struct asa_symbol **head = slot(a, kind == ASA_ALIAS, name);
    *s = (struct asa_symbol){.name = fw_arena_text(a->rules, name), .kind = kind, .next = *head};
    s->last = &s->first;
    if (!s->name)
        return asa_no_memory(a);
    *head = *out = s;
    return 0;
}

int asa_add_item(struct asa *a, const struct asa_item *item)
{
    struct asa_item *i = fw_arena(a->rules, sizeof *i);
    if (!i)
        return asa_no_memory(a);
    *i = *item;
    i->line = a->line;
    i->next = NULL;
    *a->symbol->last = i;
    a->symbol->last = &i->next;
    return 0;
}

static int add_name(struct asa *a, enum asa_item_kind kind, const char *what)
{
    if (!asa_more(a))
        return asa_expected(a, what);
    struct asa_item i = {.kind = kind, .name = fw_arena_text(a->rules, asa_next(a)),
                         .text = fw_arena_text(a->rules, a->raw)};
    return i.name && i.text ? asa_add_item(a, &i) : asa_no_memory(a);
}

static int add_unknown(struct asa *a, const char *why, unsigned families)
{
    struct asa_item i = {.kind = ASA_UNKNOWN, .name = fw_arena_text(a->rules, why), .families = families};
    return i.name ? asa_add_item(a, &i) : asa_no_memory(a);
}

int asa_unknown_member(struct asa *a, const char *why)
{
    char text[240];
    struct text t = text_of(text, sizeof text);
    text_add(&t, "line %u: %s", a->line, why);
    return a->pass == ASA_OBJECTS ? add_unknown(a, text, ASA_FAMILIES) : 0;
}

static int add_service(struct asa *a, const struct fw_service *s)
{
    return asa_add_item(a, &(struct asa_item){.kind = ASA_SERVE, .service = *s});
}

/* ---- addresses ---- */

int asa_ip(struct asa *a, struct ip_addr *out)
{
    const char *s = asa_peek(a);
    const struct asa_symbol *alias = asa_find(a, true, s);
    if (alias && alias->first)
        *out = alias->first->addr.a;
    else if (ip_parse(s, out) != 0)
        return asa_expected(a, "an address");
    a->at++;
    return 0;
}

/* Contiguous masks are ranges; the others match bits ([ASA] access-list: a netmask, not a wildcard). */
int asa_ip_mask(struct asa *a, struct fw_addr *out)
{
    struct ip_prefix p;
    if (strchr(asa_peek(a), '/')) {
        if (prefix_parse(asa_peek(a), &p) != 0 || p.ip.family != IP_V6)
            return asa_expected(a, "an IPv6 prefix");
        a->at++;
        *out = fw_addr_prefix(&p);
        return 0;
    }
    struct ip_addr ip, mask;
    int err = asa_ip(a, &ip);
    if (err)
        return err;
    if (ip.family != IP_V4 || ip_parse(asa_peek(a), &mask) != 0 || mask.family != IP_V4)
        return asa_expected(a, "a netmask");
    a->at++;
    uint32_t m = ip_v4_value(&mask);
    if ((~m & (~m + 1)) != 0) {
        *out = (struct fw_addr){.a = ip_v4(ip_v4_value(&ip) & m), .b = mask, .masked = true};
        return 0;
    }
    p = (struct ip_prefix){.ip = ip, .len = 0};
    for (; m; m <<= 1)
        p.len++;
    *out = fw_addr_prefix(&p);
    return 0;
}

static int host(struct asa *a, struct fw_addr *out)
{
    struct ip_addr ip;
    int err = asa_ip(a, &ip);
    if (!err)
        *out = (struct fw_addr){.a = ip, .b = ip};
    return err;
}

int asa_address_text(struct asa *a, struct fw_addr *out)
{
    return asa_take(a, "host") ? host(a, out) : asa_ip_mask(a, out);
}

int asa_push_addr(struct asa *a, struct asa_addrs *v, const struct fw_addr *x)
{
    if (v->count == ASA_ITEMS_MAX)
        return asa_refuse(a, E_RANGE, "this expands to more than %d addresses", ASA_ITEMS_MAX);
    if (v->count == v->cap) {
        size_t cap = v->cap ? 2 * v->cap : 16;
        struct fw_addr *p = realloc(v->v, cap * sizeof *p);
        if (!p)
            return asa_no_memory(a);
        v->v = p;
        v->cap = cap;
    }
    v->v[v->count++] = *x;
    return 0;
}

int asa_push_service(struct asa *a, struct asa_services *v, const struct fw_service *x)
{
    if (v->count == ASA_ITEMS_MAX)
        return asa_refuse(a, E_RANGE, "this expands to more than %d services", ASA_ITEMS_MAX);
    if (v->count == v->cap) {
        size_t cap = v->cap ? 2 * v->cap : 16;
        struct fw_service *p = realloc(v->v, cap * sizeof *p);
        if (!p)
            return asa_no_memory(a);
        v->v = p;
        v->cap = cap;
    }
    v->v[v->count++] = *x;
    return 0;
}

/* ---- expansion ---- */

static bool is_network(enum asa_kind k)
{
    return k == ASA_NETWORK || k == ASA_NETWORK_GROUP;
}

static bool may_hold(enum asa_kind group, enum asa_kind member)
{
    return group == member || (group == ASA_NETWORK_GROUP && member == ASA_NETWORK) ||
           (group == ASA_SERVICE_GROUP && member == ASA_SERVICE);
}

/* There are members that are not known. */
static void unsure(struct asa *a, struct asa_addrs *addrs, struct asa_services *services, unsigned families,
                   const char *fmt, const char *name)
{
    char text[240];
    struct text t = text_of(text, sizeof text);
    text_add(&t, fmt, name);
    const char *why = fw_arena_text(a->rules, text);
    if (addrs) {
        addrs->unknown |= families;
        addrs->why = addrs->why ? addrs->why : why;
    } else {
        services->why = services->why ? services->why : why;
    }
}

static int expand(struct asa *a, struct asa_symbol *s, unsigned depth, struct asa_addrs *addrs,
                  struct asa_services *services)
{
    if (s->busy || depth > ASA_DEPTH_MAX)
        return asa_refuse(a, E_MALFORMED, "object-group %.60s contains itself", s->name);
    if (++a->steps > ASA_ITEMS_MAX)
        return asa_refuse(a, E_RANGE, "object-group %.60s is met more than %d times", s->name, ASA_ITEMS_MAX);
    if (!s->first && (s->kind == ASA_NETWORK || s->kind == ASA_SERVICE))
        unsure(a, addrs, services, ASA_FAMILIES, "object %.60s has no value", s->name);
    s->busy = true;
    int err = 0;
    for (const struct asa_item *i = s->first; i && !err; i = i->next) {
        struct asa_symbol *member = i->kind == ASA_MEMBER ? asa_find(a, false, i->name) : NULL;
        struct fw_service known;
        if (i->kind == ASA_UNKNOWN)
            unsure(a, addrs, services, i->families, "%s", i->name);
        else if (i->kind == ASA_ADDR)
            err = asa_push_addr(a, addrs, &i->addr);
        else if (i->kind == ASA_SERVE)
            err = asa_push_service(a, services, &i->service);
        else if (!member && services && asa_built_in(i->name, &known))
            err = asa_push_service(a, services, &known);
        else if (!member || !may_hold(s->kind, member->kind))
            unsure(a, addrs, services, ASA_FAMILIES, "\"%.60s\" is not defined", i->name);
        else
            err = expand(a, member, depth + 1, addrs, services);
    }
    s->busy = false;
    return err;
}

int asa_expand_addrs(struct asa *a, const char *name, struct asa_addrs *out)
{
    struct asa_symbol *s = asa_find(a, false, name);
    a->steps = 0;
    if (s && is_network(s->kind))
        return expand(a, s, 0, out, NULL);
    unsure(a, out, NULL, ASA_FAMILIES, "network object \"%.60s\" is not defined", name);
    return 0;
}

int asa_expand_services(struct asa *a, struct asa_symbol *s, struct asa_services *out)
{
    a->steps = 0;
    return expand(a, s, 0, NULL, out);
}

/* A line that names what the file does not define is understood, and cannot be followed. */
int asa_check_members(struct asa *a)
{
    for (size_t b = 0; b < sizeof a->bucket / sizeof *a->bucket; b++)
        for (const struct asa_symbol *s = a->bucket[b]; s; s = s->next)
            for (const struct asa_item *i = s->first; i; i = i->next) {
                struct fw_service known;
                if (i->kind != ASA_MEMBER || asa_find(a, false, i->name) ||
                    (!is_network(s->kind) && asa_built_in(i->name, &known)))
                    continue;
                char why[100];
                struct text t = text_of(why, sizeof why);
                text_add(&t, "\"%.60s\" is not defined", i->name);
                a->rules->lines.modelled--;
                if (fw_rules_add_unsupported(a->rules, i->line, i->text, why))
                    return asa_no_memory(a);
            }
    return 0;
}

/* ---- ports and services ---- */

bool asa_at_ports(const struct asa *a)
{
    static const char *const op[] = {"eq", "neq", "lt", "gt", "range"};
    for (size_t i = 0; i < sizeof op / sizeof *op; i++)
        if (strcmp(asa_peek(a), op[i]) == 0)
            return true;
    return false;
}

static int one_port(struct asa *a, unsigned protos, uint16_t *out)
{
    if (!a->dialect->port(asa_peek(a), protos, out))
        return asa_expected(a, "a port");
    const char *note = asa_port_note(asa_peek(a));
    a->at++;
    return note && fw_rules_add_note(a->rules, a->line, a->raw, note) ? asa_no_memory(a) : 0;
}

int asa_ports(struct asa *a, unsigned protos, struct asa_ports *out)
{
    const char *op = asa_next(a);
    uint16_t p, q = 0;
    int err = one_port(a, protos, &p);
    if (!err && strcmp(op, "range") == 0)
        err = one_port(a, protos, &q);
    if (err)
        return err;
    a->at--; /* what is wrong below is the last port */
    *out = (struct asa_ports){.lo = {p}, .hi = {p}, .count = 1};
    if (strcmp(op, "range") == 0) {
        if (q < p)
            return asa_fail(a, E_RANGE, "expected a range that goes up, found %u to %u", p, q);
        out->hi[0] = q;
    } else if (strcmp(op, "lt") == 0) {
        if (p == 0)
            return asa_fail(a, E_RANGE, "no port is below 0");
        out->lo[0] = 0;
        out->hi[0] = (uint16_t)(p - 1);
    } else if (strcmp(op, "gt") == 0) {
        if (p == 65535)
            return asa_fail(a, E_RANGE, "no port is above 65535");
        out->lo[0] = (uint16_t)(p + 1);
        out->hi[0] = 65535;
    } else if (strcmp(op, "neq") == 0) {
        out->count = 0;
        if (p > 0) {
            out->lo[out->count] = 0;
            out->hi[out->count++] = (uint16_t)(p - 1);
        }
        if (p < 65535) {
            out->lo[out->count] = (uint16_t)(p + 1);
            out->hi[out->count++] = 65535;
        }
    }
    a->at++;
    return 0;
}

static unsigned protos_of(uint8_t lo, uint8_t hi)
{
    return (lo <= PROTO_TCP && PROTO_TCP <= hi ? ASA_TCP : 0U) | (lo <= PROTO_UDP && PROTO_UDP <= hi ? ASA_UDP : 0U);
}

static int icmp_service(struct asa *a, uint8_t proto)
{
    struct fw_service s = {proto, proto, 0, 65535, 0, 65535};
    if (asa_more(a)) {
        if (!asa_icmp_type(asa_peek(a), proto == PROTO_ICMP6, &s.sport_lo))
            return asa_expected(a, "an ICMP type");
        s.sport_hi = s.sport_lo;
        a->at++;
    }
    long code;
    if (asa_more(a)) {
        int err = asa_number(a, 0, 255, "an ICMP code", &code);
        if (err)
            return err;
        s.dport_lo = s.dport_hi = (uint16_t)code;
    }
    return add_service(a, &s);
}

/* `PROTO [source OP] [destination OP]`; without a word for it an operator is of the destination. */
static int service_line(struct asa *a)
{
    uint8_t proto = PROTO_TCP;
    bool any = false, both = asa_take(a, "tcp-udp");
    if (!both) {
        if (!asa_protocol(asa_peek(a), &proto, &any))
            return asa_expected(a, "a protocol");
        a->at++;
    }
    if (proto == PROTO_ICMP || proto == PROTO_ICMP6)
        return icmp_service(a, proto);
    struct asa_ports src = {{0}, {65535}, 1}, dst = src;
    unsigned protos = both ? ASA_TCP | ASA_UDP : protos_of(proto, proto);
    bool ports = protos || proto == 132;
    int err = 0;
    if (ports && asa_take(a, "source"))
        err = asa_at_ports(a) ? asa_ports(a, protos, &src) : asa_expected(a, "a port operator");
    if (!err && ports && (asa_take(a, "destination") || asa_at_ports(a)))
        err = asa_at_ports(a) ? asa_ports(a, protos, &dst) : asa_expected(a, "a port operator");
    if (!err)
        err = asa_end(a);
    for (size_t i = 0; i < src.count; i++)
        for (size_t j = 0; j < dst.count; j++)
            for (int k = 0; k < (both ? 2 : 1) && !err; k++) {
                uint8_t lo = k ? PROTO_UDP : proto, hi = any ? 255 : lo;
                err = add_service(a, &(struct fw_service){lo, hi, src.lo[i], src.hi[i], dst.lo[j], dst.hi[j]});
            }
    return err;
}

/* ---- blocks ---- */

static int block(struct asa *a, enum asa_kind kind)
{
    if (!asa_more(a))
        return asa_expected(a, "a name");
    a->below = asa_unknown_member;
    return asa_define(a, asa_next(a), kind, &a->symbol);
}

static int block_end(struct asa *a, enum asa_kind kind)
{
    int err = block(a, kind);
    return err ? err : asa_end(a);
}

int asa_name(struct asa *a)
{
    struct fw_addr addr;
    int err = ip_parse(asa_peek(a), &addr.a) ? asa_expected(a, "an address") : 0;
    if (err)
        return err;
    a->at++;
    err = block(a, ASA_ALIAS);
    addr = (struct fw_addr){.a = addr.a, .b = addr.a};
    if (!err && !a->symbol->first)
        err = asa_add_item(a, &(struct asa_item){.kind = ASA_ADDR, .addr = addr});
    return err;
}

int asa_time_range(struct asa *a)
{
    return block_end(a, ASA_TIME_RANGE);
}

/* Users, security groups, names of applications: who is in them is not in the file. */
int asa_group_opaque(struct asa *a)
{
    int err = asa_more(a) ? 0 : asa_expected(a, "a name");
    err = err ? err : asa_define(a, asa_next(a), ASA_OPAQUE, &a->symbol);
    a->quiet = true; /* the rules that use it are in doubt */
    return err;
}

int asa_object_network(struct asa *a)
{
    return block_end(a, ASA_NETWORK);
}

int asa_object_service(struct asa *a)
{
    return block_end(a, ASA_SERVICE);
}

int asa_group_network(struct asa *a)
{
    return block_end(a, ASA_NETWORK_GROUP);
}

int asa_group_protocol(struct asa *a)
{
    return block_end(a, ASA_PROTOCOL_GROUP);
}

int asa_group_icmp(struct asa *a)
{
    return block_end(a, ASA_ICMP_GROUP);
}

/* With protocols behind its name it holds ports, without it whole services. */
int asa_group_service(struct asa *a)
{
    static const struct {
        const char *word;
        unsigned protos;
    } row[] = {{"tcp", ASA_TCP}, {"udp", ASA_UDP}, {"tcp-udp", ASA_TCP | ASA_UDP}};
    int err = block(a, a->words > a->at + 1 ? ASA_PORT_GROUP : ASA_SERVICE_GROUP);
    if (err || a->symbol->kind == ASA_SERVICE_GROUP)
        return err;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        if (asa_take(a, row[i].word)) {
            a->symbol->protos = row[i].protos;
            return asa_end(a);
        }
    return asa_expected(a, "tcp, udp or tcp-udp");
}

/* ---- lines of blocks ---- */

static int address_value(struct asa *a, int err, const struct fw_addr *addr)
{
    if (!err)
        err = asa_end(a);
    if (!err && a->symbol->kind == ASA_NETWORK && a->symbol->first)
        return asa_fail(a, E_EXISTS, "object %.60s has a value already", a->symbol->name);
    return err ? err : asa_add_item(a, &(struct asa_item){.kind = ASA_ADDR, .addr = *addr});
}

static int object_host(struct asa *a)
{
    struct fw_addr addr;
    int err = host(a, &addr);
    return address_value(a, err, &addr);
}

static int object_subnet(struct asa *a)
{
    struct fw_addr addr;
    int err = asa_ip_mask(a, &addr);
    return address_value(a, err, &addr);
}

static int object_range(struct asa *a)
{
    struct fw_addr addr = {0};
    int err = asa_ip(a, &addr.a);
    if (!err)
        err = asa_ip(a, &addr.b);
    if (!err && (addr.a.family != addr.b.family || ip_compare(&addr.a, &addr.b) > 0)) {
        a->at--;
        err = asa_expected(a, "an address not below the first");
    }
    return address_value(a, err, &addr);
}

/* The addresses of a name are not in the file. */
static int object_fqdn(struct asa *a)
{
    unsigned families = asa_take(a, "v4") ? ASA_FAMILY_4 : asa_take(a, "v6") ? ASA_FAMILY_6 : ASA_FAMILIES;
    if (!asa_more(a))
        return asa_expected(a, "a name");
    char why[160];
    struct text t = text_of(why, sizeof why);
    text_add(&t, "the addresses of %.80s are not known here", asa_peek(a));
    a->unsure = fw_arena_text(a->rules, why);
    return a->unsure ? add_unknown(a, why, families) : asa_no_memory(a);
}

static int object_service(struct asa *a)
{
    if (a->symbol->first)
        return asa_fail(a, E_EXISTS, "object %.60s has a value already", a->symbol->name);
    return service_line(a);
}

static int network_object(struct asa *a)
{
    struct fw_addr addr;
    if (asa_take(a, "object")) {
        int err = add_name(a, ASA_MEMBER, "the name of an object");
        return err ? err : asa_end(a);
    }
    int err = asa_address_text(a, &addr);
    return address_value(a, err, &addr);
}

static int group_object(struct asa *a)
{
    int err = add_name(a, ASA_MEMBER, "the name of a group");
    return err ? err : asa_end(a);
}

static int service_object(struct asa *a)
{
    if (a->symbol->kind != ASA_SERVICE_GROUP)
        return asa_fail(a, E_MALFORMED, "service-object may not stand in a group of ports");
    return asa_take(a, "object") ? group_object(a) : service_line(a);
}

static int port_object(struct asa *a)
{
    struct asa_ports p;
    if (a->symbol->kind != ASA_PORT_GROUP)
        return asa_fail(a, E_MALFORMED, "port-object may only stand in a group of tcp or udp ports");
    if (!asa_at_ports(a))
        return asa_expected(a, "eq or range");
    int err = asa_ports(a, a->symbol->protos, &p);
    if (!err)
        err = asa_end(a);
    for (size_t i = 0; !err && i < p.count; i++)
        err = add_service(a, &(struct fw_service){0, 255, 0, 65535, p.lo[i], p.hi[i]});
    return err;
}

static int protocol_object(struct asa *a)
{
    uint8_t proto;
    bool any;
    if (!asa_protocol(asa_peek(a), &proto, &any))
        return asa_expected(a, "a protocol");
    a->at++;
    int err = asa_end(a);
    return err ? err : add_service(a, &(struct fw_service){proto, any ? 255 : proto, 0, 65535, 0, 65535});
}

/* The type by its ICMP name; with icmp6 an ASA takes the same group, by its numbers. */
static int icmp_object(struct asa *a)
{
    struct fw_service s = FW_SERVICE_ANY;
    if (!asa_icmp_type(asa_peek(a), false, &s.sport_lo))
        return asa_expected(a, "an ICMP type");
    a->at++;
    s.sport_hi = s.sport_lo;
    int err = asa_end(a);
    return err ? err : add_service(a, &s);
}

const struct asa_command asa_in_network[] = {
    {"host", ASA_OBJECTS, object_host, NULL},
    {"subnet", ASA_OBJECTS, object_subnet, NULL},
    {"range", ASA_OBJECTS, object_range, NULL},
    {"fqdn", ASA_OBJECTS, object_fqdn, NULL},
    {"nat", ASA_RULES, asa_object_nat, NULL},
    {"description", ASA_OBJECTS, NULL, NULL},
    {0},
};
const struct asa_command asa_in_service[] = {
    {"service", ASA_OBJECTS, object_service, NULL},
    {"description", ASA_OBJECTS, NULL, NULL},
    {0},
};
const struct asa_command asa_in_network_group[] = {
    {"network-object", ASA_OBJECTS, network_object, NULL},
    {"group-object", ASA_OBJECTS, group_object, NULL},
    {"description", ASA_OBJECTS, NULL, NULL},
    {0},
};
const struct asa_command asa_in_service_group[] = {
    {"service-object", ASA_OBJECTS, service_object, NULL},
    {"port-object", ASA_OBJECTS, port_object, NULL},
    {"group-object", ASA_OBJECTS, group_object, NULL},
    {"description", ASA_OBJECTS, NULL, NULL},
    {0},
};
const struct asa_command asa_in_protocol_group[] = {
    {"protocol-object", ASA_OBJECTS, protocol_object, NULL},
    {"group-object", ASA_OBJECTS, group_object, NULL},
    {"description", ASA_OBJECTS, NULL, NULL},
    {0},
};
const struct asa_command asa_in_icmp_group[] = {
    {"icmp-object", ASA_OBJECTS, icmp_object, NULL},
    {"group-object", ASA_OBJECTS, group_object, NULL},
    {"description", ASA_OBJECTS, NULL, NULL},
    {0},
};
