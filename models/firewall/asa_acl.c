/* SPDX-License-Identifier: GPL-2.0-or-later */
/* access-list. */
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/firewall/asa.h"

enum { RST = 4, ACK = 16 }; /* RFC 9293 3.1 */

/* ---- the protocol position ---- */

static void clear_services(struct asa_services *s)
{
    s->count = 0;
    s->why = NULL;
}

static void clear_addrs(struct asa_addrs *v)
{
    v->count = 0;
    v->unknown = 0;
    v->why = NULL;
}

/* What comes first: fills base. *bare: protocols alone, so that ports may follow. */
static int protocol_part(struct asa *a, bool *bare)
{
    uint8_t proto;
    bool any, group = asa_take(a, "object-group"), object = !group && asa_take(a, "object");
    clear_services(&a->base);
    *bare = true;
    if (!group && !object) {
        if (!asa_protocol(asa_peek(a), &proto, &any))
            return asa_expected(a, "a protocol");
        a->at++;
        return asa_push_service(a, &a->base, &(struct fw_service){proto, any ? 255 : proto, 0, 65535, 0, 65535});
    }
    struct asa_symbol *s = asa_find(a, false, asa_peek(a));
    struct fw_service known;
    if (object && !s && asa_built_in(asa_peek(a), &known)) {
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

/* The families that `any` and `interface` stand for: before 9.0 a list was of one family. */
static unsigned families(const struct asa *a)
{
    return a->ace.six ? ASA_FAMILY_6 : a->version && a->version < 900 ? ASA_FAMILY_4 : ASA_FAMILIES;
}

static int push_own(struct asa *a, struct asa_addrs *out, const struct ip_prefix *address, size_t count)
{
    int err = 0;
    for (size_t k = 0; k < count && !err; k++)
        if (families(a) & (address[k].ip.family == IP_V4 ? ASA_FAMILY_4 : ASA_FAMILY_6))
            err = asa_push_addr(a, out, &(struct fw_addr){.a = address[k].ip, .b = address[k].ip});
    return err;
}

/* The address of an interface: the file's, or, of DHCP, the deployment's. */
static int iface_address(struct asa *a, struct asa_addrs *out)
{
    const char *name = asa_peek(a);
    int i = fw_rules_find_interface(a->rules, name), err = 0;
    if (i < 0)
        return asa_expected(a, "the name of an interface");
    a->at++;
    const struct fw_iface *f = &a->rules->iface[i];
    err = push_own(a, out, f->address, f->address_count);
    for (size_t k = 0; k < a->src_file->port_count && !f->address_count && !err; k++)
        if (strcmp(a->src_file->port[k].name, name) == 0)
            err = push_own(a, out, a->src_file->port[k].address, a->src_file->port[k].address_count);
    if (!err && !out->count) {
        out->unknown = families(a);
        out->why = "the address of the interface is not in the file";
    }
    return err;
}

static int push_any(struct asa *a, struct asa_addrs *out, unsigned which)
{
    static const uint8_t family[] = {IP_V4, IP_V6};
    int err = 0;
    for (unsigned k = 0; k < 2 && !err; k++)
        if (which & 1U << k) {
            struct fw_addr all = fw_addr_any(family[k]);
            err = asa_push_addr(a, out, &all);
        }
    return err;
}

/* `user LOCAL\anna`, `security-group name x`, before the address: who that is, no packet says. */
static int identity(struct asa *a)
{
    static const struct {
        const char *word;
        size_t operands;
    } row[] = {{"user", 1}, {"user-group", 1}, {"object-group-user", 1}, {"security-group", 2},
               {"object-group-security", 1}, {"object-group-network-service", 1}};
    for (size_t i = 0; i < sizeof row / sizeof *row;) {
        if (!asa_take(a, row[i].word)) {
            i++;
            continue;
        }
        a->ace.maybe = "users, security groups and names of services are not known here";
        for (size_t k = 0; k < row[i].operands; k++)
            if (!asa_more(a))
                return asa_expected(a, "a name");
            else
                a->at++;
        i = 0;
    }
    return 0;
}

/* `ifc NAME` before an address (FTD). */
static int through(struct asa *a, uint64_t *ifaces, bool *none)
{
    if (!asa_take(a, "ifc"))
        return 0;
    int i = fw_rules_find_interface(a->rules, asa_peek(a));
    if (!asa_more(a))
        return asa_expected(a, "the name of an interface");
    a->at++;
    if (i >= 0)
        *ifaces |= UINT64_C(1) << i;
    else
        *none = true;
    return 0;
}

/* *count 0 stands for any, of both families, unless there are unknown ones. */
static int address_part(struct asa *a, struct asa_addrs *out)
{
    struct fw_addr addr;
    clear_addrs(out);
    bool source = out == &a->src;
    int err = source ? through(a, &a->ace.when.in_ifaces, &a->ace.when.no_in)
                     : through(a, &a->ace.when.out_ifaces, &a->ace.when.no_out);
    const char *maybe = a->ace.maybe;
    err = err ? err : identity(a);
    if (err)
        return err;
    if (asa_take(a, "any"))
        return families(a) == ASA_FAMILIES ? 0 : push_any(a, out, families(a));
    if (asa_take(a, "any4"))
        return push_any(a, out, ASA_FAMILY_4);
    if (asa_take(a, "any6"))
        return push_any(a, out, ASA_FAMILY_6);
    if (asa_take(a, "interface"))
        return iface_address(a, out);
    if (asa_take(a, "object") || asa_take(a, "object-group")) {
        if (!asa_more(a))
            return asa_expected(a, "the name of an object");
        err = asa_expand_addrs(a, asa_peek(a), out);
        a->at += !err;
        if (!err && !out->count && !out->unknown) {
            out->unknown = ASA_FAMILIES;
            out->why = "the group is empty";
        }
        return err;
    }
    bool alone = maybe != a->ace.maybe && (asa_at_ports(a) || !asa_more(a)); /* a service of a name has no address */
    if (alone)
        return 0;
    err = asa_address_text(a, &addr);
    return err ? err : asa_push_addr(a, out, &addr);
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
    a->service.why = narrow.why ? narrow.why : a->base.why;
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
            err = asa_push_service(a, &a->service, &s);
        }
    a->service.why = types.why ? types.why : a->base.why;
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

/* `log ...`, `time-range T`, `inactive`, and of FTD the number of the rule. */
static int tail_part(struct asa *a)
{
    long n;
    while (asa_more(a)) {
        int err = 0;
        if (asa_take(a, "log")) {
            a->at += is_level(asa_peek(a));
            if (asa_take(a, "interval"))
                err = asa_number(a, 1, 600, "seconds", &n);
        } else if (asa_take(a, "inactive")) {
            a->ace.inactive = true;
            a->ace.time_range = NULL; /* not the only reason */
        } else if (asa_take(a, "time-range")) {
            err = asa_rule_time_range(a);
        } else if (asa_take(a, "established")) {
            a->ace.when.tcp_flags = ~fw_flags_set(ACK | RST, 0);
        } else if (asa_take(a, "rule-id")) {
            err = asa_number(a, 0, 999999999, "the number of a rule", &n);
        } else if (asa_take(a, "event-log")) {
            if (!asa_take(a, "flow-start") && !asa_take(a, "flow-end"))
                asa_take(a, "both");
        } else {
            return asa_expected(a, "log, time-range, inactive or the end of the line");
        }
        if (err)
            return err;
    }
    return 0;
}

/* ---- the rule ---- */

int asa_add_rule(struct asa *a, const struct fw_rule_spec *spec, const char *maybe)
{
    static const struct fw_conditions none;
    struct fw_rule_spec s = *spec;
    struct fw_conditions when = a->ace.when;
    when.unknown = maybe;
    s.when = memcmp(&when, &none, sizeof when) != 0 ? &when : NULL;
    s.line = a->line;
    s.text = a->raw;
    return fw_rules_add_rule(a->rules, &s) ? asa_no_memory(a) : 0;
}

/* Widens the addresses to all that they may be. count 0 is any, of both families. */
static int may_be(struct asa *a, struct asa_addrs *v)
{
    if (v->unknown == ASA_FAMILIES)
        v->count = 0;
    return v->unknown == 0 || v->unknown == ASA_FAMILIES ? 0 : push_any(a, v, v->unknown);
}

int asa_emit(struct asa *a)
{
    const struct fw_service *s = a->base.v;
    bool all = a->base.count == 1 && s->proto_lo == 0 && s->proto_hi == 255 && s->sport_lo == 0 &&
               s->sport_hi == 65535 && s->dport_lo == 0 && s->dport_hi == 65535;
    if (a->base.count == 0 && !a->base.why)
        a->base.why = "the group is empty";
    a->expanded += a->base.count;
    if (a->expanded > ASA_EXPANDED_MAX)
        return asa_refuse(a, E_RANGE, "the rules expand to more than %d services", ASA_EXPANDED_MAX);
    if (a->ace.inactive)
        a->ace.maybe = NULL;
    struct fw_rule_spec spec = {.list = a->ace.list, .action = a->ace.permit ? FW_PERMIT : FW_DENY,
                                .inactive = a->ace.inactive, .time_range = a->ace.time_range,
                                .src = a->src.v, .src_count = a->src.count, .dst = a->dst.v,
                                .dst_count = a->dst.count, .service = s,
                                .service_count = all ? 0 : a->base.count};
    const char *why = a->ace.maybe ? a->ace.maybe : a->src.why ? a->src.why : a->dst.why ? a->dst.why : a->base.why;
    bool known = (a->src.count || !a->src.unknown) && (a->dst.count || !a->dst.unknown) && a->base.count;
    int err = known && !a->ace.maybe ? asa_add_rule(a, &spec, NULL) : 0;
    if (err || !why || (a->ace.inactive && known))
        return err;
    err = may_be(a, &a->src);
    err = err ? err : may_be(a, &a->dst);
    spec.src = a->src.v;
    spec.src_count = a->src.count;
    spec.dst = a->dst.v;
    spec.dst_count = a->dst.count;
    if (a->base.why)
        spec.service_count = 0;
    a->unsure = a->ace.inactive ? NULL : why;
    return err ? err : asa_add_rule(a, &spec, why);
}

int asa_any_rule(struct asa *a, const char *why)
{
    if (a->pass != ASA_RULES)
        return 0;
    bool inactive = a->words && strcmp(a->word[a->words - 1].text, "inactive") == 0;
    a->ace.when = (struct fw_conditions){0};
    struct fw_rule_spec spec = {.list = a->ace.list};
    int err = 0;
    if (inactive)
        return 0;
    if (!a->ace.list)
        return asa_taint_anywhere(a, why);
    if (!a->ace.has_action || !a->ace.permit)
        err = asa_add_rule(a, &spec, why);
    spec.action = FW_PERMIT;
    return err || (a->ace.has_action && !a->ace.permit) ? err : asa_add_rule(a, &spec, why);
}

static int extended(struct asa *a)
{
    bool bare;
    a->ace.permit = asa_take(a, "permit") || asa_take(a, "trust");
    if (!a->ace.permit && !asa_take(a, "deny"))
        return asa_expected(a, "permit or deny");
    a->ace.has_action = true;
    int err = protocol_part(a, &bare);
    err = err ? err : address_part(a, &a->src);
    err = err || !bare ? err : port_part(a, true);
    err = err ? err : address_part(a, &a->dst);
    if (!err && bare)
        err = all_icmp(&a->base) ? icmp_part(a) : port_part(a, false);
    err = err ? err : tail_part(a);
    return err ? err : asa_emit(a);
}

static int list_name(struct asa *a)
{
    long n;
    a->ace = (struct asa_ace){0};
    a->doubt = asa_any_rule;
    if (!asa_more(a))
        return asa_expected(a, "the name of an access-list");
    a->ace.list = asa_next(a);
    return asa_take(a, "line") ? asa_number(a, 1, 1000000, "a line number", &n) : 0;
}

int asa_access_list(struct asa *a)
{
    static const char *const elsewhere[] = {"remark", "standard", "webtype", "ethertype"};
    int err = list_name(a);
    if (err)
        return err;
    /* Standard and webtype lists serve routing and VPN, ethertype lists frames that are not IP. */
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
        a->quiet = a->quiet || strcmp(asa_peek(a), elsewhere[i]) == 0;
    if (a->quiet)
        return 0;
    if (asa_take(a, "extended") || asa_take(a, "advanced") || strcmp(asa_peek(a), "permit") == 0 ||
        strcmp(asa_peek(a), "deny") == 0)
        return extended(a);
    return asa_expected(a, "extended, standard or remark");
}

/* Before 9.0: `ipv6 access-list`, a list of its own kind. */
int asa_access_list6(struct asa *a)
{
    int err = list_name(a);
    if (err)
        return err;
    a->ace.six = true;
    struct asa_name_list *l = a->lists6;
    while (l && strcmp(l->name, a->ace.list) != 0)
        l = l->next;
    if (!l) {
        l = fw_arena(a->rules, sizeof *l);
        if (!l)
            return asa_no_memory(a);
        *l = (struct asa_name_list){fw_arena_text(a->rules, a->ace.list), a->lists6};
        a->lists6 = l;
        if (!l->name)
            return asa_no_memory(a);
    }
    a->quiet = strcmp(asa_peek(a), "remark") == 0;
    return a->quiet ? 0 : extended(a);
}
