/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `ip nat` of IOS. Static translations come before dynamic ones; each is between every inside and outside interface.
 * A dynamic one translates what a list permits: its lines become rules in order, a line that denies one that leaves the
 * packet as it is. */
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "models/firewall/ios.h"

int ios_nat_pool(struct asa *a)
{
    struct asa_pool *p = fw_arena(a->rules, sizeof *p);
    const char *name = asa_next(a);
    if (!p)
        return asa_no_memory(a);
    *p = (struct asa_pool){.name = fw_arena_text(a->rules, name), .next = a->pools};
    int err = asa_ip(a, &p->addr.a);
    err = err ? err : asa_ip(a, &p->addr.b);
    if (!err && (p->addr.a.family != p->addr.b.family || ip_compare(&p->addr.a, &p->addr.b) > 0))
        err = asa_fail(a, E_RANGE, "expected an address not below the first");
    if (err || !p->name)
        return err ? err : asa_no_memory(a);
    a->pools = p;
    return 0; /* the mask says nothing new */
}

/* ---- rules between sides ---- */

/* The rule, between each interface of one side and each of the other. */
static int between(struct asa *a, struct fw_nat_spec *n, uint64_t from, uint64_t to)
{
    n->line = a->line;
    n->text = a->raw;
    for (int i = 0; i < FW_IFACE_MAX; i++)
        for (int o = 0; o < FW_IFACE_MAX; o++) {
            if (!(from >> i & 1) || !(to >> o & 1))
                continue;
            n->real_iface = i;
            n->mapped_iface = o;
            int err = fw_rules_add_nat(a->rules, n);
            if (err)
                return err == E_RANGE ? asa_fail(a, E_UNSUPPORTED, "different numbers or families of addresses")
                                      : asa_no_memory(a);
        }
    return 0;
}

/* What comes from real, and what is addressed to mapped, may be translated. */
static int doubt(struct asa *a, const char *why)
{
    const struct asa_nat *n = &a->nat;
    struct fw_taint_spec from = {.src = a->src.v, .src_count = n->real_known ? a->src.count : 0,
                                 .in_ifaces = a->nat_inside};
    struct fw_taint_spec to = {.dst = a->dst.v, .dst_count = n->mapped_known ? a->dst.count : 0,
                               .in_ifaces = a->nat_outside};
    if (!a->nat_inside || !a->nat_outside)
        return 0;
    int err = asa_taint(a, why, from);
    return err ? err : asa_taint(a, why, to);
}

static int one_address(struct asa *a, struct asa_addrs *out)
{
    struct ip_addr ip;
    out->count = 0;
    int err = asa_ip(a, &ip);
    return err ? err : asa_push_addr(a, out, &(struct fw_addr){.a = ip, .b = ip});
}

static int port_word(struct asa *a, unsigned protos, uint16_t *out)
{
    if (!ios_port(asa_peek(a), protos, out))
        return asa_expected(a, "a port");
    a->at++;
    return 0;
}

/* `LOCAL /24` behind a network: both sides are that long. */
static int as_networks(struct asa *a)
{
    long len = 0;
    struct fw_addr net = {0};
    if (asa_peek(a)[0] == '/') {
        a->word[a->at].text++;
        int err = asa_number(a, 0, 32, "a prefix length", &len);
        if (err)
            return err;
    } else {
        a->word[a->at - 1].text = (char *)"0.0.0.0";
        a->at--;
        int err = asa_ip_mask(a, &net);
        if (err)
            return err;
        for (uint32_t m = ~ip_v4_value(&net.b); m; m <<= 1)
            len++;
    }
    struct fw_addr *side[] = {&a->src.v[0], &a->dst.v[0]};
    for (int k = 0; k < 2; k++)
        *side[k] = fw_addr_prefix(&(struct ip_prefix){.ip = side[k]->a, .len = (uint8_t)len});
    return 0;
}

static int static_options(struct asa *a)
{
    static const char *const harmless[] = {"extendable", "no-alias", "no-payload", "overload", "add-route"};
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless;)
        i = asa_take(a, harmless[i]) ? 0 : i + 1;
    return asa_more(a) ? asa_fail(a, E_UNSUPPORTED, "\"%.40s\" of NAT is not modelled", asa_peek(a)) : 0;
}

/* `static [tcp|udp|network] LOCAL [PORT] {GLOBAL|interface IF} [PORT]`; outside: GLOBAL comes first. */
static int static_rule(struct asa *a, bool outside)
{
    struct fw_nat_spec n = {.section = FW_NAT_MANUAL};
    struct fw_service from, to;
    uint16_t port[2] = {0, 0};
    bool tcp = asa_take(a, "tcp"), udp = !tcp && asa_take(a, "udp"), network = asa_take(a, "network");
    unsigned protos = tcp ? ASA_TCP : ASA_UDP;
    uint64_t onto = a->nat_outside;
    int err = one_address(a, &a->src);
    a->nat.real_known = !err;
    a->dst.count = 0;
    if (!err && (tcp || udp))
        err = port_word(a, protos, &port[0]);
    if (!err && asa_take(a, "interface")) {
        int iface = fw_rules_find_interface(a->rules, asa_peek(a));
        if (iface < 0)
            return asa_expected(a, "an interface with an address");
        a->at++;
        n.interface = true;
        onto = UINT64_C(1) << iface;
    } else if (!err) {
        err = one_address(a, &a->dst);
        a->nat.mapped_known = !err;
    }
    if (!err && (tcp || udp))
        err = port_word(a, protos, &port[1]);
    if (!err && network)
        err = as_networks(a);
    err = err ? err : static_options(a);
    if (err)
        return err;
    uint8_t proto = tcp ? PROTO_TCP : PROTO_UDP;
    from = (struct fw_service){proto, proto, port[0], port[0], 0, 65535};
    to = (struct fw_service){proto, proto, port[1], port[1], 0, 65535};
    n.from = tcp || udp ? &from : NULL;
    n.to = tcp || udp ? &to : NULL;
    n.real = a->src.v;
    n.real_count = a->src.count;
    n.mapped = a->dst.v;
    n.mapped_count = a->dst.count;
    return outside ? between(a, &n, a->nat_outside, a->nat_inside) : between(a, &n, a->nat_inside, onto);
}

/* ---- dynamic ---- */

static bool masked(const struct fw_set *s)
{
    return s && s->range_count != s->count;
}

/* A line of the list as a rule of NAT. */
static int of_line(struct asa *a, const struct fw_rule *r, const struct fw_nat_spec *dynamic, uint64_t onto)
{
    static const struct fw_addr none;
    struct fw_addr all = fw_addr_any(IP_V4);
    bool all4 = r->dst && r->dst->count == 1 && memcmp(&r->dst->addr[0], &all, sizeof all) == 0;
    struct fw_nat_spec n = *dynamic;
    if (masked(r->src) || masked(r->dst) || r->service_count || r->when)
        return asa_fail(a, E_UNSUPPORTED, "line %u of the list asks for more than addresses, which is not modelled",
                        r->ref->line);
    if (r->action != FW_PERMIT)
        n = (struct fw_nat_spec){.section = FW_NAT_AFTER_AUTO, .unidirectional = true, .route_lookup = true};
    n.real = r->src ? r->src->addr : &none;
    n.real_count = r->src ? r->src->count : 0;
    n.has_dst = r->dst && !all4;
    n.dst_from = n.has_dst ? r->dst->addr : NULL;
    n.dst_from_count = n.has_dst ? r->dst->count : 0;
    return between(a, &n, a->nat_inside, onto);
}

/* `list L {interface IF | pool P} [overload]` */
static int dynamic_rule(struct asa *a)
{
    struct fw_nat_spec n = {.section = FW_NAT_AFTER_AUTO, .dynamic = true};
    const struct fw_list *l = fw_rules_list(a->rules, asa_peek(a));
    uint64_t onto = a->nat_outside;
    if (!l)
        return asa_expected(a, "an access-list that is defined");
    a->at++;
    if (asa_take(a, "interface")) {
        int iface = fw_rules_find_interface(a->rules, asa_peek(a));
        if (iface < 0)
            return asa_expected(a, "an interface with an address");
        onto = UINT64_C(1) << iface;
        n.interface = true;
    } else if (asa_take(a, "pool")) {
        const struct asa_pool *p = a->pools;
        while (p && strcmp(p->name, asa_peek(a)) != 0)
            p = p->next;
        if (!p)
            return asa_expected(a, "a pool that is defined");
        n.mapped = &p->addr;
        n.mapped_count = 1;
    } else {
        return asa_expected(a, "interface or pool");
    }
    a->at++;
    n.pat = asa_take(a, "overload");
    int err = static_options(a);
    for (size_t i = 0; i < l->count && !err; i++)
        if (!l->rule[i].inactive)
            err = of_line(a, &l->rule[i], &n, onto);
    return err;
}

static int translation(struct asa *a, bool outside)
{
    a->nat = (struct asa_nat){0};
    a->doubt = doubt;
    if (asa_take(a, "static"))
        return static_rule(a, outside);
    if (asa_take(a, "list") && !outside)
        return dynamic_rule(a);
    return asa_fail(a, E_UNSUPPORTED, "this kind of NAT is not modelled");
}

int ios_nat_inside(struct asa *a)
{
    return translation(a, false);
}

int ios_nat_outside(struct asa *a)
{
    return translation(a, true);
}

int ios_nat_other(struct asa *a)
{
    a->nat = (struct asa_nat){0};
    a->doubt = doubt;
    return asa_fail(a, E_UNSUPPORTED, "this kind of NAT is not modelled");
}

/* `ip nat translation udp-timeout 300`: translations end, and with them the way in. */
int ios_nat_timeout(struct asa *a)
{
    static const struct {
        const char *word;
        int timer[2]; /* enum fw_timer; -1: of traffic that is not told apart here */
    } row[] = {
        {"timeout", {FW_TIMER_OTHER, FW_TIMER_XLATE}}, {"tcp-timeout", {FW_TIMER_TCP, -1}},
        {"udp-timeout", {FW_TIMER_UDP, -1}},           {"icmp-timeout", {FW_TIMER_ICMP, -1}},
        {"syn-timeout", {FW_TIMER_EMBRYONIC, -1}},     {"finrst-timeout", {FW_TIMER_CLOSING, FW_TIMER_HALF_CLOSED}},
    };
    long s = 0;
    size_t i = 0;
    while (i < sizeof row / sizeof *row && !asa_take(a, row[i].word))
        i++;
    a->quiet = i == sizeof row / sizeof *row; /* of DNS and others, limits */
    if (a->quiet)
        return 0;
    a->doubt = asa_no_doubt;
    bool never = asa_take(a, "never");
    int err = never ? 0 : asa_number(a, 1, 536870911, "seconds", &s);
    uint64_t ns = never ? TIME_NEVER : (uint64_t)s * NS_S;
    for (int k = 0; k < 2 && !err; k++)
        if (row[i].timer[k] >= 0 && fw_rules_set_timer(a->rules, (enum fw_timer)row[i].timer[k], ns, a->line, a->raw))
            err = asa_no_memory(a);
    return err;
}
