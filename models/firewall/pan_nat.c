/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NAT rules, in order: the first that a packet meets translates its source, its destination, both or neither. They
 * are asked with addresses as they arrive and the zone that the route to the untranslated destination leads to. */
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/firewall/pan.h"
#include "models/firewall/rules.h"

enum { PAIRS_MAX = 256 }; /* a destination rule for that many addresses and one target is a rule for each */

struct nat {
    struct pan *p;
    struct fw_node *rule;
    struct fw_nat_spec spec;
    struct fw_addrs mapped, target;
    uint64_t from, to;   /* interfaces; 0: any */
    uint16_t port;       /* translated; 0: unchanged */
    bool translates_dst;
    const char *refused; /* what cannot be said in the model */
};

/* ---- the source ---- */

static int pool(struct nat *n, struct fw_node *holder)
{
    struct fw_node *v = fw_tree_child(&n->p->t, holder, "translated-address");
    if (!v || !v->first)
        return fw_tree_fail(&n->p->t, holder, E_MALFORMED, "expected a translated-address");
    struct fw_end end = {0};
    int err = 0;
    for (v = v->first; v && !err; v = v->next)
        err = pan_address(n->p, v, &end);
    if (end.vague || end.any)
        n->refused = "an address that is not in the file is translated to";
    n->mapped = end.set;
    return err;
}

static int by_interface(struct nat *n, struct fw_node *face)
{
    struct fw_node *ip = fw_tree_child(&n->p->t, face, "ip"), *name = fw_tree_child(&n->p->t, face, "interface");
    int iface = name && name->first ? fw_rules_find_interface(n->p->t.rules, name->first->word) : -1;
    if (iface >= 0)
        n->to = UINT64_C(1) << iface;
    if (ip && ip->first) {
        struct fw_addr a;
        char text[ADDR_TEXT] = "";
        size_t len = strcspn(ip->first->word, "/");
        memcpy(text, ip->first->word, len < sizeof text - 1 ? len : 0);
        if (fw_addr_parse(text, &a) == 0)
            return fw_addrs_push(&n->mapped, &a);
        n->refused = "the address of the interface is not in the file";
    }
    n->spec.interface = true;
    return 0;
}

static int source(struct nat *n, struct fw_node *at)
{
    const struct fw_tree *t = &n->p->t;
    struct fw_node *dipp = fw_tree_child(t, at, "dynamic-ip-and-port"), *dip = fw_tree_child(t, at, "dynamic-ip");
    struct fw_node *fixed = fw_tree_child(t, at, "static-ip");
    n->spec.dynamic = dipp || dip;
    n->spec.pat = dipp != NULL;
    if (dipp) {
        struct fw_node *face = fw_tree_child(t, dipp, "interface-address");
        return face ? by_interface(n, face) : pool(n, dipp);
    }
    if (dip) {
        if (fw_tree_child(t, dip, "fallback"))
            n->refused = "a fallback of dynamic-ip";
        return pool(n, dip);
    }
    if (fixed) {
        n->spec.unidirectional = !pan_yes(n->p, fixed, "bi-directional");
        return pool(n, fixed);
    }
    n->refused = "this source translation is not understood";
    return 0;
}

/* ---- the destination ---- */

static int destination(struct nat *n, struct fw_node *at)
{
    const struct fw_tree *t = &n->p->t;
    struct fw_node *to = fw_tree_child(t, at, "translated-address"), *port = fw_tree_child(t, at, "translated-port");
    struct fw_end end = {0};
    int err = 0;
    n->translates_dst = true;
    for (struct fw_node *v = to ? to->first : NULL; v && !err; v = v->next)
        err = pan_address(n->p, v, &end);
    n->target = end.set;
    if (end.vague || end.any || end.set.count != 1)
        n->refused = "the destination is translated to what is not one address of the file";
    if (port && port->first) {
        unsigned long v = strspn(port->first->word, "0123456789") == strlen(port->first->word)
                              ? strtoul(port->first->word, NULL, 10) : 0;
        if (v == 0 || v > 65535)
            return fw_tree_fail(&n->p->t, port->first, E_MALFORMED, "expected a port from 1 to 65535");
        n->port = (uint16_t)v;
    }
    if (fw_tree_child(t, at, "dns-rewrite"))
        fw_tree_quiet(fw_tree_child(t, at, "dns-rewrite"));
    return err;
}

/* Does the untranslated destination lead to the zone that the rule asks for? Where nothing tells, yes. */
static bool leads_there(const struct nat *n, const struct ip_addr *ip)
{
    int out = n->to ? pan_way(n->p, ip) : -1;
    return out < 0 || n->to >> out & 1;
}

/* ---- building ---- */

static int add(struct nat *n)
{
    struct pan *p = n->p;
    if (p->nats++ == PAN_NAT_MAX)
        return fw_tree_fail(&p->t, n->rule, E_RANGE, "expected at most %d translations", PAN_NAT_MAX);
    int err = fw_rules_add_nat(p->t.rules, &n->spec);
    if (err == E_RANGE) {
        n->refused = "what is translated and what it becomes differ in size";
        err = 0;
    }
    return err;
}

/* For each pair of interfaces of the two zones. */
static int by_interfaces(struct nat *n)
{
    int err = 0;
    uint64_t to = n->translates_dst ? 0 : n->to;
    for (int i = FW_ANY_IFACE; i < FW_IFACE_MAX && !err; i++) {
        if (n->from ? i < 0 || !(n->from >> i & 1) : i != FW_ANY_IFACE)
            continue;
        for (int k = FW_ANY_IFACE; k < FW_IFACE_MAX && !err; k++) {
            if (to ? k < 0 || !(to >> k & 1) : k != FW_ANY_IFACE)
                continue;
            n->spec.real_iface = i;
            n->spec.mapped_iface = k;
            err = add(n);
        }
    }
    return err;
}

static int by_services(struct nat *n)
{
    struct pan *p = n->p;
    if (p->kinds.any && n->port) {
        n->refused = "a port is translated of a rule for any service";
        return 0;
    }
    if (p->kinds.any)
        return by_interfaces(n);
    int err = 0;
    for (size_t i = 0; i < p->kinds.set.count && !err; i++) {
        struct fw_service from = p->kinds.set.v[i], to = from;
        if (n->port && from.dport_lo != from.dport_hi)
            n->refused = "several ports are translated to one";
        if (n->port)
            to.dport_lo = to.dport_hi = n->port;
        n->spec.from = &from;
        n->spec.to = &to;
        err = by_interfaces(n);
    }
    return err;
}

/* One address is the target of all that the rule is about. */
static int many_to_one(struct nat *n)
{
    struct pan *p = n->p;
    uint64_t total = 0;
    for (size_t i = 0; i < p->dst.set.count && total <= PAIRS_MAX; i++)
        total += fw_addr_count(&p->dst.set.v[i].a, &p->dst.set.v[i].b);
    if (p->dst.any || total > PAIRS_MAX) {
        n->refused = "too many destinations are translated to one address";
        return 0;
    }
    int err = 0;
    for (size_t i = 0; i < p->dst.set.count && !err; i++)
        for (uint64_t k = 0; k < fw_addr_count(&p->dst.set.v[i].a, &p->dst.set.v[i].b) && !err; k++) {
            struct fw_addr one = {.a = fw_addr_plus(&p->dst.set.v[i].a, k)};
            one.b = one.a;
            n->spec.dst_from = &one;
            if (leads_there(n, &one.a))
                err = by_services(n);
        }
    return err;
}

static int by_destination(struct nat *n)
{
    struct pan *p = n->p;
    n->spec.has_dst = !p->dst.any;
    n->spec.dst_from = p->dst.set.v;
    n->spec.dst_from_count = p->dst.any ? 0 : p->dst.set.count;
    if (!n->translates_dst)
        return by_services(n);
    n->spec.has_dst = true;
    n->spec.dst_to = n->target.v;
    n->spec.dst_to_count = n->target.count;
    bool one = ip_equal(&n->target.v[0].a, &n->target.v[0].b);
    if (one) {
        n->spec.dst_from_count = 1;
        return many_to_one(n);
    }
    return p->dst.any || leads_there(n, &p->dst.set.v[0].a) ? by_services(n) : 0;
}

static int build(struct nat *n)
{
    struct pan *p = n->p;
    if (p->src.vague || p->dst.vague || p->kinds.vague || p->kinds.doubt)
        n->refused = "the addresses or services of this rule are not in the file";
    if (n->refused || (!p->src.any && !p->src.set.count) || (!p->dst.any && !p->dst.set.count))
        return 0;
    char text[FW_LEDGER_TEXT];
    n->spec.section = FW_NAT_MANUAL;
    n->spec.route_lookup = true;
    n->spec.line = n->rule->line;
    n->spec.text = fw_ledger_text(&p->t.ledger, n->rule->line, text);
    n->spec.real = p->src.set.v;
    n->spec.real_count = p->src.any ? 0 : p->src.set.count;
    n->spec.mapped = n->mapped.v;
    n->spec.mapped_count = n->mapped.count;
    if (!n->mapped.count && !n->spec.interface)
        n->spec.unidirectional = true; /* the source stays */
    return by_destination(n);
}

static int mark(struct nat *n)
{
    static const char *const quiet[] = {"description", "tag", "group-tag", "uuid", "audit-comment"};
    static const char *const known[] = {"from", "to", "source", "destination", "service", "to-interface",
                                        "source-translation", "destination-translation", "disabled", "nat-type"};
    for (struct fw_node *a = n->rule->first; a; a = a->next) {
        bool it = false;
        for (size_t i = 0; i < sizeof known / sizeof *known && !it; i++)
            it = strcmp(a->word, known[i]) == 0;
        for (size_t i = 0; i < sizeof quiet / sizeof *quiet && !it; i++)
            if (strcmp(a->word, quiet[i]) == 0) {
                fw_tree_quiet(a);
                it = true;
            }
        if (!it)
            n->refused = fw_tree_words(&n->p->t, "\"%.60s\" of this rule is not understood", a->word);
    }
    struct fw_node *type = fw_tree_child(&n->p->t, n->rule, "nat-type");
    if (type && type->first && strcmp(type->first->word, "ipv4") != 0)
        n->refused = "translation between families or of prefixes is not supported";
    return 0;
}

static int nat_rule(struct pan *p, struct fw_node *rule)
{
    struct nat n = {.p = p, .rule = rule};
    const struct fw_tree *t = &p->t;
    fw_tree_used(rule);
    if (pan_yes(p, rule, "disabled"))
        return 0;
    pan_clear(p);
    bool no_from, no_to;
    n.from = pan_zones(p, fw_tree_child(t, rule, "from"), &no_from);
    n.to = pan_zones(p, fw_tree_child(t, rule, "to"), &no_to);
    struct fw_node *face = fw_tree_child(t, rule, "to-interface");
    int iface = !pan_is_any(face) ? fw_rules_find_interface(p->t.rules, face->first->word) : -1;
    if (iface >= 0)
        n.to = UINT64_C(1) << iface;
    int err = mark(&n);
    err = err ? err : pan_addresses(p, fw_tree_child(t, rule, "source"), &p->src);
    err = err ? err : pan_addresses(p, fw_tree_child(t, rule, "destination"), &p->dst);
    err = err ? err : pan_services(p, fw_tree_child(t, rule, "service"), NULL, &p->kinds);
    struct fw_node *src = fw_tree_child(t, rule, "source-translation");
    struct fw_node *dst = fw_tree_child(t, rule, "destination-translation");
    err = err || !src || !src->first ? err : source(&n, src);
    err = err || !dst || !dst->first ? err : destination(&n, dst);
    if (!err && !no_from && !no_to)
        err = build(&n);
    free(n.mapped.v);
    free(n.target.v);
    return err || !n.refused ? err : pan_taint(p, rule, n.refused);
}

int pan_nat(struct pan *p, struct fw_node *rules)
{
    int err = 0;
    for (struct fw_node *n = rules ? rules->first : NULL; n && !err; n = n->next)
        err = nat_rule(p, n);
    return err;
}
