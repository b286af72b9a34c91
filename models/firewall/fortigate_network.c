/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces, zones, routes and timers. */
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "models/firewall/fortigate.h"
#include "models/firewall/rules.h"

enum { ADDRESSES_MAX = 16 };

struct face {
    struct ip_prefix address[ADDRESSES_MAX];
    size_t count;
};

/* ---- interfaces ---- */

/* "10.0.0.1 255.255.255.0" or "10.0.0.1/24"; 0.0.0.0 is none. */
static int add_address(struct fortigate *f, const struct fw_node *value, struct face *out)
{
    struct ip_prefix p;
    struct ip_addr mask;
    if (value->next && ip_parse(value->next->word, &mask) == 0) {
        uint32_t low = mask.family == IP_V4 ? ~ip_v4_value(&mask) : 1;
        if (ip_parse(value->word, &p.ip) || mask.family != p.ip.family || (low & (low + 1)))
            return fw_tree_fail(&f->t, value, E_MALFORMED, "expected an address and a mask");
        p.len = (uint8_t)(32 - (low ? 32 - __builtin_clz(low) : 0));
    } else if (prefix_parse(value->word, &p)) {
        return fw_tree_fail(&f->t, value, E_MALFORMED, "expected an address, found \"%.60s\"", value->word);
    }
    if (!ip_is_any(&p.ip) && out->count < ADDRESSES_MAX)
        out->address[out->count++] = p;
    return 0;
}

static int addresses(struct fortigate *f, struct fw_node *entry, struct face *out)
{
    struct fw_node *n = fortigate_set(f, entry, "ip"), *v6 = fw_tree_child(&f->t, entry, "ipv6");
    int err = n ? add_address(f, n, out) : 0;
    struct fw_node *second = fw_tree_child(&f->t, entry, "secondaryip");
    for (struct fw_node *e = second ? second->first : NULL; e && !err; e = e->next)
        if ((n = fortigate_set(f, e, "ip")))
            err = add_address(f, n, out);
    if (!err && (n = fortigate_set(f, v6, "ip6-address")))
        err = add_address(f, n, out);
    return err;
}

static void address_of_port(const struct fortigate *f, const char *name, struct face *out)
{
    const struct fw_source *src = f->t.src;
    for (size_t i = 0; i < src->port_count && out->count == 0; i++)
        if (strcmp(src->port[i].name, name) == 0)
            for (size_t k = 0; k < src->port[i].address_count && k < ADDRESSES_MAX; k++)
                out->address[out->count++] = src->port[i].address[k];
}

/* An interface of that name, described or not. */
static int add(struct fortigate *f, const struct fw_node *at, const char *name)
{
    if (fw_rules_find_interface(f->t.rules, name) >= 0)
        return 0;
    struct face face = {0};
    struct fw_node *entry = fortigate_entry(f, "system interface", name);
    int err = entry ? addresses(f, entry, &face) : 0;
    if (err)
        return err;
    address_of_port(f, name, &face);
    char text[FW_LEDGER_TEXT];
    unsigned line = entry ? entry->line : 0;
    struct fw_iface_spec spec = {.name = name, .address = face.address, .address_count = face.count,
                                 .shutdown = entry && fortigate_is(f, entry, "status", "down"), .line = line,
                                 .text = fw_ledger_text(&f->t.ledger, line, text)};
    int got = fw_rules_add_interface(f->t.rules, &spec);
    return got >= 0 ? 0
                    : fw_tree_fail(&f->t, at, E_RANGE, "expected at most %d interfaces that policies name",
                                   FW_IFACE_MAX);
}

/* ---- zones ---- */

static struct fortigate_zone *zone(struct fortigate *f, const char *name)
{
    for (size_t i = 0; i < f->zones; i++)
        if (strcmp(f->zone[i].name, name) == 0)
            return &f->zone[i];
    return NULL;
}

static int add_to_zone(struct fortigate *f, struct fw_node *at, const char *name, const char *iface)
{
    struct fortigate_zone *z = zone(f, name);
    if (!z && f->zones == FORTIGATE_ZONES_MAX)
        return fw_tree_fail(&f->t, at, E_RANGE, "expected at most %d zones", FORTIGATE_ZONES_MAX);
    if (!z) {
        z = &f->zone[f->zones++];
        *z = (struct fortigate_zone){.name = name, .node = at};
    }
    if (!iface)
        return 0;
    int err = add(f, at, iface);
    if (!err)
        z->ifaces |= UINT64_C(1) << fw_rules_find_interface(f->t.rules, iface);
    return err;
}

static int zones(struct fortigate *f)
{
    struct fw_node *table = fortigate_table(f, "system zone");
    int err = 0;
    for (struct fw_node *z = table ? table->first : NULL; z && !err; z = z->next) {
        err = add_to_zone(f, z, z->word, NULL);
        for (struct fw_node *n = fortigate_set(f, z, "interface"); n && !err; n = n->next)
            err = add_to_zone(f, z, z->word, n->word);
    }
    fw_tree_used(table);
    return err;
}

/* SD-WAN: its members stand together under the name of their zone. Which of them a packet takes the routes say. */
static int wan(struct fortigate *f, const char *path)
{
    struct fw_node *table = fortigate_table(f, path), *members = fw_tree_child(&f->t, table, "members");
    int err = 0;
    for (struct fw_node *m = members ? members->first : NULL; m && !err; m = m->next) {
        struct fw_node *iface = fortigate_set(f, m, "interface"), *name = fortigate_set(f, m, "zone");
        if (iface)
            err = add_to_zone(f, m, name ? name->word : "virtual-wan-link", iface->word);
    }
    if (table)
        fw_tree_quiet(table);
    fw_tree_used(members);
    return err;
}

uint64_t fortigate_ifaces(struct fortigate *f, const struct fw_node *entry, const char *key, bool *none)
{
    uint64_t set = 0;
    struct fw_node *n = fortigate_set(f, entry, key);
    *none = false;
    for (; n; n = n->next) {
        struct fortigate_zone *z = zone(f, n->word);
        int at = fw_rules_find_interface(f->t.rules, n->word);
        if (strcmp(n->word, "any") == 0)
            return 0;
        set |= z ? z->ifaces : at >= 0 ? UINT64_C(1) << at : 0;
    }
    *none = set == 0;
    return set;
}

/* ---- which interfaces take part ---- */

static int named(struct fortigate *f, const struct fw_node *entry, const char *key)
{
    int err = 0;
    for (struct fw_node *n = fortigate_set(f, entry, key); n && !err; n = n->next)
        if (strcmp(n->word, "any") != 0 && !zone(f, n->word))
            err = add(f, n, n->word);
    return err;
}

static int mine(const struct fortigate *f, const struct fw_node *entry)
{
    struct fw_node *vdom = fortigate_set(f, entry, "vdom");
    bool several = f->vdom != &f->t.root;
    return !several || !vdom || strcmp(vdom->word, f->vdom->word) == 0;
}

static int interfaces(struct fortigate *f)
{
    struct fw_node *policies = fortigate_table(f, "firewall policy"), *all = fortigate_table(f, "system interface");
    int err = 0;
    for (struct fw_node *n = policies ? policies->first : NULL; n && !err; n = n->next) {
        err = named(f, n, "srcintf");
        err = err ? err : named(f, n, "dstintf");
    }
    for (size_t i = 0; i < f->t.src->port_count && !err; i++)
        err = add(f, &f->t.root, f->t.src->port[i].name);
    for (struct fw_node *n = all ? all->first : NULL; n && !err; n = n->next) {
        struct face face = {0};
        bool room = f->t.rules->iface_count < FW_IFACE_MAX;
        err = addresses(f, n, &face);
        if (!err && face.count && mine(f, n) && room)
            err = add(f, n, n->word);
    }
    fw_tree_used(all);
    return err;
}

/* ---- routes ---- */

static int way(const struct fw_rules *r, const struct ip_addr *to)
{
    for (size_t i = 0; i < r->iface_count; i++)
        for (size_t k = 0; k < r->iface[i].address_count; k++)
            if (ip_in_prefix(to, &r->iface[i].address[k]))
                return (int)i;
    return -1;
}

static int route(struct fortigate *f, const struct fw_node *entry, enum ip_family family)
{
    struct fw_node *dst = fortigate_set(f, entry, "dst"), *gateway = fortigate_set(f, entry, "gateway");
    struct fw_node *device = fortigate_set(f, entry, "device");
    struct face face = {0};
    struct ip_addr hop = {0};
    if (fortigate_is(f, entry, "status", "disable") || fortigate_is(f, entry, "blackhole", "enable"))
        return 0;
    struct ip_prefix to = {.ip.family = (uint8_t)family};
    int err = dst ? add_address(f, dst, &face) : 0;
    if (face.count)
        to = face.address[0];
    if (!err && gateway && ip_parse(gateway->word, &hop))
        err = fw_tree_fail(&f->t, gateway, E_MALFORMED, "expected an address, found \"%.60s\"", gateway->word);
    int out = device ? fw_rules_find_interface(f->t.rules, device->word) : gateway ? way(f->t.rules, &hop) : -1;
    return err || out < 0 ? err : fw_rules_add_route(f->t.rules, &to, out, &hop);
}

static int routes(struct fortigate *f)
{
    static const struct {
        const char *path;
        enum ip_family family;
    } table[] = {{"router static", IP_V4}, {"router static6", IP_V6}};
    int err = 0;
    for (size_t i = 0; i < 2; i++) {
        struct fw_node *t = fortigate_table(f, table[i].path);
        for (struct fw_node *n = t ? t->first : NULL; n && !err; n = n->next)
            err = route(f, n, table[i].family);
        fw_tree_used(t);
    }
    return err;
}

/* ---- timers ---- */

static int timers(struct fortigate *f)
{
    static const struct {
        const char *table, *key;
        enum fw_timer timer[2];
    } known[] = {
        {"system session-ttl", "default", {FW_TIMER_TCP, FW_TIMER_OTHER}},
        {"system global", "udp-idle-timer", {FW_TIMER_UDP, FW_TIMER_UDP_STREAM}},
        {"system global", "tcp-halfopen-timer", {FW_TIMER_EMBRYONIC, FW_TIMER_EMBRYONIC}},
        {"system global", "tcp-halfclose-timer", {FW_TIMER_HALF_CLOSED, FW_TIMER_HALF_CLOSED}},
        {"system global", "tcp-timewait-timer", {FW_TIMER_CLOSING, FW_TIMER_CLOSING}},
    };
    int err = fw_rules_set_timers(f->t.rules, "fortigate");
    for (size_t i = 0; i < sizeof known / sizeof *known && !err; i++) {
        struct fw_node *n = fortigate_set(f, fortigate_table(f, known[i].table), known[i].key);
        unsigned long s;
        if (!n || strcmp(n->word, "never") == 0)
            continue;
        char text[FW_LEDGER_TEXT];
        err = fortigate_seconds(f, n, &s);
        for (int k = 0; k < 2 && !err; k++)
            err = fw_rules_set_timer(f->t.rules, known[i].timer[k], s * NS_S, n->line,
                                     fw_ledger_text(&f->t.ledger, n->line, text));
        fw_tree_used(n->parent);
    }
    struct fw_node *port = fw_tree_child(&f->t, fortigate_table(f, "system session-ttl"), "port");
    if (port && port->first)
        fw_tree_unsupported(port, "idle times by port are not followed; they decide about no packet's admission");
    return err;
}

int fortigate_network(struct fortigate *f)
{
    int err = zones(f);
    err = err ? err : wan(f, "system sdwan");
    err = err ? err : wan(f, "system virtual-wan-link");
    err = err ? err : interfaces(f);
    err = err ? err : routes(f);
    return err ? err : timers(f);
}
