/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `nat` below an object and on its own ("twice NAT"), as of 8.3. */
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/firewall/asa.h"

/* A line that cannot be taken: what leaves by it from the real side, and what is addressed to what it maps. */
static int nat_doubt(struct asa *a, const char *why)
{
    const struct asa_nat *n = &a->nat;
    for (size_t i = 0; i < a->words && strcmp(a->word[i].text, "description") != 0; i++)
        if (strcmp(a->word[i].text, "inactive") == 0)
            return 0;
    uint64_t real = n->spec.real_iface < 0 ? 0 : UINT64_C(1) << n->spec.real_iface;
    uint64_t mapped = n->spec.mapped_iface < 0 ? 0 : UINT64_C(1) << n->spec.mapped_iface;
    struct fw_taint_spec from = {.src = a->src.v, .src_count = n->real_known ? a->src.count : 0, .in_ifaces = real,
                                 .out_ifaces = mapped};
    struct fw_taint_spec to = {.dst = a->dst.v, .dst_count = n->mapped_known ? a->dst.count : 0, .in_ifaces = mapped};
    int err = asa_taint(a, why, from);
    return err || n->spec.dynamic ? err : asa_taint(a, why, to);
}

/* `(real,mapped)`; without it any to any. */
static int interfaces(struct asa *a, struct fw_nat_spec *n)
{
    a->nat.real_known = a->nat.mapped_known = false;
    a->doubt = nat_doubt;
    n->real_iface = n->mapped_iface = FW_ANY_IFACE;
    const char *s = asa_peek(a);
    if (*s != '(')
        return 0;
    char pair[128];
    size_t len = strlen(s);
    if (len < 3 || len >= sizeof pair || s[len - 1] != ')')
        return asa_expected(a, "(real interface,mapped interface)");
    memcpy(pair, s + 1, len - 2);
    pair[len - 2] = '\0';
    char *comma = strchr(pair, ',');
    if (!comma)
        return asa_refuse(a, E_UNSUPPORTED, "\"nat %.40s\" is the syntax before 8.3, which is not supported", s);
    *comma = '\0';
    const char *name[2] = {pair, comma + 1};
    int *iface[2] = {&n->real_iface, &n->mapped_iface};
    for (int i = 0; i < 2; i++) {
        if (strcmp(name[i], "any") == 0)
            continue;
        *iface[i] = fw_rules_find_interface(a->rules, name[i]);
        if (*iface[i] < 0)
            return asa_fail(a, E_MALFORMED, "expected names of interfaces, found \"%.60s\"", name[i]);
    }
    a->at++;
    return 0;
}

/* The name of an object or group, or any. *count 0: any. */
static int operand(struct asa *a, struct asa_addrs *out)
{
    out->count = 0;
    if (asa_take(a, "any"))
        return 0;
    const char *name = asa_peek(a);
    int err;
    out->unknown = 0;
    out->why = NULL;
    if (!asa_find(a, false, name) && (strcmp(name, "any4") == 0 || strcmp(name, "any6") == 0)) {
        struct fw_addr all = fw_addr_any(name[3] == '4' ? IP_V4 : IP_V6);
        err = asa_push_addr(a, out, &all);
    } else if (!asa_more(a)) {
        err = asa_expected(a, "the name of a network object");
    } else {
        err = asa_expand_addrs(a, name, out);
    }
    if (!err && out->why)
        err = asa_fail(a, E_UNSUPPORTED, "%s", out->why);
    if (!err && out->count == 0)
        err = asa_fail(a, E_MALFORMED, "\"%.60s\" has no addresses", name);
    for (size_t i = 0; i < out->count && !err; i++)
        if (out->v[i].masked)
            err = asa_fail(a, E_UNSUPPORTED, "\"%.60s\" has a netmask with holes, which NAT does not take", name);
    a->at += !err;
    return err;
}

/* `interface [ipv6]` */
static int mapped_interface(struct asa *a, struct fw_nat_spec *n)
{
    if (n->mapped_iface == FW_ANY_IFACE) {
        a->at--;
        return asa_fail(a, E_MALFORMED, "interface needs a named mapped interface");
    }
    asa_take(a, "ipv6");
    n->interface = true;
    return 0;
}

/* The mapped side of a static rule: an object, an address (as long as the real subnet), the interface. */
static int static_mapped(struct asa *a, struct fw_nat_spec *n, struct asa_addrs *real, struct asa_addrs *mapped)
{
    struct ip_addr ip;
    mapped->count = 0;
    if (asa_take(a, "interface")) {
        if (real->count == 1 && ip_equal(&real->v[0].a, &real->v[0].b))
            return mapped_interface(a, n);
        a->at--;
        return asa_fail(a, E_UNSUPPORTED, "static interface is for one real host");
    }
    struct ip_prefix p;
    if (!asa_find(a, false, asa_peek(a)) && strchr(asa_peek(a), '/') && prefix_parse(asa_peek(a), &p) == 0) {
        struct fw_addr all = fw_addr_prefix(&p);
        a->at++;
        return asa_push_addr(a, mapped, &all);
    }
    if (asa_find(a, false, asa_peek(a)) || ip_parse(asa_peek(a), &ip) != 0)
        return operand(a, mapped);
    if (real->count != 1 || real->v[0].a.family != ip.family)
        return asa_fail(a, E_UNSUPPORTED, "an address may stand for one host or subnet of its family only");
    struct fw_addr to = {.a = ip, .b = ip};
    for (size_t i = 0; i < ip_size(&ip);
         i++) { /* "If you enter an IP address, the netmask is that of the real subnet" */
        uint8_t host = real->v[0].a.b[i] ^ real->v[0].b.b[i];
        to.a.b[i] &= (uint8_t)~host;
        to.b.b[i] = to.a.b[i] | host;
    }
    a->at++;
    return asa_push_addr(a, mapped, &to);
}

/* How ports are dealt out of the pool, and `interface`, in any order. `extended` and `block-allocation` are
 * approximated by one port a connection. */
static int pool_options(struct asa *a, struct fw_nat_spec *n)
{
    static const char *const harmless[] = {"extended", "flat", "include-reserve", "round-robin", "block-allocation"};
    int err = 0;
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless && !err;) {
        if (asa_take(a, "interface")) {
            err = mapped_interface(a, n);
            i = 0;
        } else {
            i = n->pat && asa_take(a, harmless[i]) ? 0 : i + 1;
        }
    }
    return err;
}

/* `pat-pool P [options]` | object | `interface`, and `interface` behind them. */
static int dynamic_mapped(struct asa *a, struct fw_nat_spec *n, struct asa_addrs *mapped)
{
    struct ip_addr ip;
    int err = 0;
    mapped->count = 0;
    n->pat = asa_take(a, "pat-pool");
    if (strcmp(asa_peek(a), "interface") == 0 && !asa_find(a, false, "interface"))
        return pool_options(a, n);
    if (!asa_find(a, false, asa_peek(a)) && ip_parse(asa_peek(a), &ip) == 0) {
        err = asa_push_addr(a, mapped, &(struct fw_addr){.a = ip, .b = ip});
        a->at++;
    } else {
        err = operand(a, mapped);
        if (!err && !mapped->count)
            err = asa_fail(a, E_MALFORMED, "any cannot be a pool");
    }
    err = err ? err : pool_options(a, n);
    /* One address alone is shared by ports. */
    n->pat = n->pat || (!err && mapped->count == 1 && ip_equal(&mapped->v[0].a, &mapped->v[0].b));
    return err;
}

static int add(struct asa *a)
{
    struct fw_nat_spec *n = &a->nat.spec;
    n->line = a->line;
    n->text = a->raw;
    int err = fw_rules_add_nat(a->rules, n);
    if (err == E_RANGE) /* static NAT "few-to-many" and "many-to-few" */
        return asa_fail(a, E_UNSUPPORTED, "real and mapped have different numbers or families of addresses");
    return err ? asa_no_memory(a) : 0;
}

/* `service tcp 443 8443` */
static int object_ports(struct asa *a, struct fw_service *from, struct fw_service *to)
{
    static const struct {
        const char *word;
        uint8_t proto;
        unsigned protos;
    } row[] = {{"tcp", PROTO_TCP, ASA_TCP}, {"udp", PROTO_UDP, ASA_UDP}, {"sctp", 132, 0}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        if (!asa_take(a, row[i].word))
            continue;
        uint16_t port[2];
        for (int k = 0; k < 2; k++) {
            if (!asa_port(asa_peek(a), row[i].protos, &port[k]))
                return asa_expected(a, "a port");
            a->at++;
        }
        *from = (struct fw_service){row[i].proto, row[i].proto, port[0], port[0], 0, 65535};
        *to = (struct fw_service){row[i].proto, row[i].proto, port[1], port[1], 0, 65535};
        return 0;
    }
    return asa_expected(a, "tcp, udp or sctp");
}

int asa_object_nat(struct asa *a)
{
    struct fw_nat_spec *n = &a->nat.spec;
    *n = (struct fw_nat_spec){.section = FW_NAT_OBJECT, .object = a->symbol->name};
    struct fw_service from, to;
    int err = interfaces(a, n);
    if (err)
        return err;
    n->dynamic = asa_take(a, "dynamic");
    if (!n->dynamic && !asa_take(a, "static"))
        return asa_expected(a, "static or dynamic");
    a->src = (struct asa_addrs){.v = a->src.v, .cap = a->src.cap};
    err = asa_expand_addrs(a, a->symbol->name, &a->src);
    if (!err && a->src.why)
        err = asa_fail(a, E_UNSUPPORTED, "%s", a->src.why);
    a->nat.real_known = !err;
    if (!err)
        err = n->dynamic ? dynamic_mapped(a, n, &a->dst) : static_mapped(a, n, &a->src, &a->dst);
    a->nat.mapped_known = !err && !n->interface;
    while (!err && asa_more(a)) {
        if (asa_take(a, "route-lookup")) {
            n->route_lookup = true;
        } else if (!n->dynamic && asa_take(a, "service")) {
            err = object_ports(a, &from, &to);
            n->from = &from;
            n->to = &to;
        } else if (!asa_take(a, "dns") && !asa_take(a, "no-proxy-arp") && !asa_take(a, "net-to-net")) {
            err = asa_expected(a, "an option of nat or the end of the line");
        }
    }
    if (err)
        return err;
    n->real = a->src.v;
    n->real_count = a->src.count;
    n->mapped = a->dst.v;
    n->mapped_count = a->dst.count;
    return add(a);
}

/* ---- twice NAT ---- */

/* The one service of a service object. */
static int service_operand(struct asa *a, struct fw_service *out)
{
    struct asa_symbol *s = asa_find(a, false, asa_peek(a));
    if (!s || s->kind != ASA_SERVICE)
        return asa_expected(a, "the name of a service object");
    a->base.count = 0;
    int err = asa_expand_services(a, s, &a->base);
    if (!err && (a->base.count != 1 || a->base.v[0].proto_lo != a->base.v[0].proto_hi))
        err = asa_fail(a, E_UNSUPPORTED, "the service of NAT must be one protocol and one range");
    if (!err) {
        *out = a->base.v[0];
        a->at++;
    }
    return err;
}

static int services(struct asa *a, struct fw_nat_spec *n, struct fw_service *from, struct fw_service *to)
{
    int err = service_operand(a, from);
    err = err ? err : service_operand(a, to);
    if (err)
        return err;
    if (from->proto_lo != to->proto_lo || from->sport_hi - from->sport_lo != to->sport_hi - to->sport_lo ||
        from->dport_hi - from->dport_lo != to->dport_hi - to->dport_lo) {
        a->at--;
        return asa_fail(a, E_MALFORMED, "the two services must be of one protocol and ranges of one size");
    }
    n->from = from;
    n->to = to;
    return 0;
}

/* `destination static MAPPED REAL`: the other way round than the source. */
static int destination(struct asa *a, struct fw_nat_spec *n, struct asa_addrs *from, struct asa_addrs *to)
{
    if (!asa_take(a, "static"))
        return asa_expected(a, "static");
    n->has_dst = true;
    from->count = 0;
    const char *mapped = asa_peek(a);
    int err = 0;
    if (asa_take(a, "interface")) {
        if (n->real_iface == FW_ANY_IFACE) {
            a->at--;
            return asa_fail(a, E_MALFORMED, "interface needs a named real interface");
        }
        asa_take(a, "ipv6");
        n->dst_interface = true;
    } else {
        err = operand(a, from);
    }
    bool same = !err && strcmp(mapped, asa_peek(a)) == 0;
    err = err ? err : operand(a, to);
    if (!err && !same && !to->count)
        return asa_fail(a, E_UNSUPPORTED, "static NAT of a destination from something to any");
    if (same)
        to->count = 0;
    return err;
}

static int twice_options(struct asa *a, struct fw_nat_spec *n, struct fw_service *from, struct fw_service *to)
{
    int err = 0;
    while (!err && asa_more(a)) {
        if (asa_take(a, "service"))
            err = services(a, n, from, to);
        else if (asa_take(a, "unidirectional"))
            n->unidirectional = true;
        else if (asa_take(a, "route-lookup"))
            n->route_lookup = true;
        else if (asa_take(a, "inactive"))
            n->inactive = true;
        else if (asa_take(a, "description"))
            a->at = a->words; /* swallows the rest of the line */
        else if (!asa_take(a, "dns") && !asa_take(a, "no-proxy-arp") && !asa_take(a, "net-to-net"))
            err = asa_expected(a, "an option of nat or the end of the line");
    }
    return err;
}

static int twice_source(struct asa *a, struct fw_nat_spec *n)
{
    n->dynamic = asa_take(a, "dynamic");
    if (!n->dynamic && !asa_take(a, "static"))
        return asa_expected(a, "static or dynamic");
    const char *real = asa_peek(a);
    int err = operand(a, &a->src);
    a->nat.real_known = !err;
    if (err || n->dynamic)
        return err ? err : dynamic_mapped(a, n, &a->dst);
    bool same = strcmp(real, asa_peek(a)) == 0;
    err = static_mapped(a, n, &a->src, &a->dst);
    a->nat.mapped_known = !err && !n->interface;
    if (!err && a->src.count == 0 && (a->dst.count || n->interface))
        return asa_fail(a, E_UNSUPPORTED, "static NAT from any to something else");
    if (!err && same)
        a->dst.count = 0;
    return err;
}

int asa_twice_nat(struct asa *a)
{
    struct fw_nat_spec *n = &a->nat.spec;
    *n = (struct fw_nat_spec){.section = FW_NAT_MANUAL};
    struct fw_service from, to;
    struct asa_addrs dst = {0};
    long line;
    int err = interfaces(a, n);
    if (err)
        return err;
    if (asa_take(a, "after-auto"))
        n->section = FW_NAT_AFTER_AUTO;
    if (asa_is_number(asa_peek(a)) && (err = asa_number(a, 1, 2147483647, "a line number", &line)) != 0)
        return err;
    if (!asa_take(a, "source"))
        return asa_expected(a, "source");
    err = twice_source(a, n);
    a->dst_to.count = 0;
    if (!err && asa_take(a, "destination"))
        err = destination(a, n, &dst, &a->dst_to);
    err = err ? err : twice_options(a, n, &from, &to);
    n->real = a->src.v;
    n->real_count = a->src.count;
    n->mapped = a->dst.v;
    n->mapped_count = a->dst.count;
    n->dst_from = dst.v;
    n->dst_from_count = dst.count;
    n->dst_to = a->dst_to.v;
    n->dst_to_count = a->dst_to.count;
    err = err ? err : add(a);
    free(dst.v);
    return err;
}
