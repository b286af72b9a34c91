/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces, zones, routes and timers. */
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "models/firewall/pan.h"
#include "models/firewall/rules.h"

enum { ADDRESSES_MAX = 16 };

struct iface {
    const char *name;
    struct ip_prefix address[ADDRESSES_MAX];
    size_t count;
    unsigned line;
};

struct pan_zone *pan_zone(struct pan *p, const char *name)
{
    for (size_t i = 0; i < p->zones; i++)
        if (strcmp(p->zone[i].name, name) == 0)
            return &p->zone[i];
    return NULL;
}

/* ---- interfaces ---- */

static int one_prefix(struct pan *p, struct fw_node *value, struct iface *f)
{
    struct ip_prefix x;
    if (prefix_parse(value->word, &x)) {
        /* An address object. */
        p->more.set.count = 0;
        p->more.vague = NULL;
        p->steps = 0;
        int err = pan_address(p, value, &p->more);
        if (err || p->more.set.count != 1 || !ip_equal(&p->more.set.v[0].a, &p->more.set.v[0].b))
            return err;
        x = (struct ip_prefix){p->more.set.v[0].a, (uint8_t)(8 * ip_size(&p->more.set.v[0].a))};
    }
    if (f->count == ADDRESSES_MAX)
        return fw_tree_fail(&p->t, value, E_RANGE, "expected at most %d addresses", ADDRESSES_MAX);
    f->address[f->count++] = x;
    return 0;
}

static int addresses(struct pan *p, const struct fw_node *at, struct iface *f)
{
    static const char *const path[] = {"ip", "ipv6 address"};
    int err = 0;
    for (size_t i = 0; i < sizeof path / sizeof *path; i++) {
        struct fw_node *n = fw_tree_find(&p->t, at, path[i]);
        for (n = n ? n->first : NULL; n && !err; n = n->next)
            err = one_prefix(p, n, f);
    }
    return err;
}

/* The ports of the topology give the addresses that the file leaves to others (DHCP). */
static void address_of_port(const struct pan *p, struct iface *f)
{
    const struct fw_source *src = p->t.src;
    for (size_t i = 0; i < src->port_count && f->count == 0; i++)
        if (strcmp(src->port[i].name, f->name) == 0)
            for (size_t k = 0; k < src->port[i].address_count && k < ADDRESSES_MAX; k++)
                f->address[f->count++] = src->port[i].address[k];
}

static int add_iface(struct pan *p, struct iface *f, int level)
{
    if (fw_rules_find_interface(p->t.rules, f->name) >= 0)
        return 0;
    address_of_port(p, f);
    char text[FW_LEDGER_TEXT];
    struct fw_iface_spec spec = {.name = f->name, .level = level, .address = f->address, .address_count = f->count,
                                 .line = f->line, .text = fw_ledger_text(&p->t.ledger, f->line, text)};
    int at = fw_rules_add_interface(p->t.rules, &spec);
    if (at < 0)
        return fw_tree_fail_at(&p->t, f->line, 1, E_RANGE, "expected at most %d interfaces", FW_IFACE_MAX);
    return 0;
}

/* The zone that the file puts the interface into: its index + 1; without one, a number of its own. */
static int level_of(const struct pan *p, const char *iface, size_t unzoned)
{
    static const char *const kind[] = {"layer3", "tap", "virtual-wire", "layer2", "external", "tunnel"};
    int level = 0;
    for (size_t s = 0; s < p->scopes; s++) {
        struct fw_node *zones = fw_tree_child(&p->t, p->scope[s], "zone");
        for (struct fw_node *z = zones ? zones->first : NULL; z; z = z->next)
            for (size_t k = 0; k < sizeof kind / sizeof *kind; k++) {
                struct fw_node *n = fw_tree_child(&p->t, fw_tree_child(&p->t, z, "network"), kind[k]);
                for (size_t i = 0; n && i < p->zones; i++)
                    if (strcmp(p->zone[i].name, z->word) == 0 && fw_tree_child(&p->t, n, iface))
                        level = (int)i + 1;
            }
    }
    return level ? level : -1 - (int)unzoned;
}

static int unit(struct pan *p, struct fw_node *node, const struct fw_node *holder)
{
    struct iface f = {.name = node->word, .line = node->line};
    int err = addresses(p, holder, &f);
    int level = level_of(p, f.name, p->t.rules->iface_count);
    /* One without address and zone takes no part. */
    return err || (f.count == 0 && level < 0) ? err : add_iface(p, &f, level);
}

static int interfaces(struct pan *p, struct fw_node *device)
{
    static const char *const kind[] = {"ethernet", "aggregate-ethernet", "loopback", "tunnel", "vlan"};
    struct fw_node *all = fw_tree_find(&p->t, device, "network interface");
    int err = 0;
    for (size_t k = 0; all && k < sizeof kind / sizeof *kind; k++) {
        struct fw_node *of = fw_tree_child(&p->t, all, kind[k]);
        for (struct fw_node *e = of && k < 2 ? of->first : NULL; e && !err; e = e->next) {
            struct fw_node *l3 = fw_tree_child(&p->t, e, "layer3");
            err = unit(p, e, l3 ? l3 : e);
            struct fw_node *units = fw_tree_child(&p->t, l3, "units");
            for (struct fw_node *u = units ? units->first : NULL; u && !err; u = u->next)
                err = unit(p, u, u);
        }
        struct fw_node *units = k < 2 ? NULL : fw_tree_child(&p->t, of, "units");
        for (struct fw_node *u = units ? units->first : NULL; u && !err; u = u->next)
            err = unit(p, u, u);
        if (of && k >= 2 && !err && fw_tree_child(&p->t, of, "ip")) {
            struct iface f = {.name = kind[k], .line = of->line};
            err = addresses(p, of, &f);
            err = err ? err : add_iface(p, &f, level_of(p, kind[k], p->t.rules->iface_count));
        }
    }
    fw_tree_used(all);
    return err;
}

/* ---- zones ---- */

static int new_zone(struct pan *p, const struct fw_node *at, const char *name)
{
    if (pan_zone(p, name))
        return 0;
    if (p->zones == FW_IFACE_MAX)
        return fw_tree_fail(&p->t, at, E_RANGE, "expected at most %d zones", FW_IFACE_MAX);
    p->zone[p->zones++] = (struct pan_zone){.name = name};
    return 0;
}

static int named_zones(struct pan *p)
{
    int err = 0;
    for (size_t s = 0; s < p->scopes; s++) {
        struct fw_node *zones = fw_tree_child(&p->t, p->scope[s], "zone");
        for (struct fw_node *z = zones ? zones->first : NULL; z && !err; z = z->next)
            err = new_zone(p, z, z->word);
        fw_tree_used(zones);
    }
    p->described = p->zones > 0;
    return err;
}

/* Interfaces that zones hold and the file does not describe. */
static int members_of_zones(struct pan *p)
{
    static const char *const kind[] = {"network layer3", "network tap", "network virtual-wire", "network layer2"};
    int err = 0;
    for (size_t s = 0; s < p->scopes; s++) {
        struct fw_node *zones = fw_tree_child(&p->t, p->scope[s], "zone");
        for (struct fw_node *z = zones ? zones->first : NULL; z; z = z->next)
            for (size_t k = 0; k < sizeof kind / sizeof *kind; k++) {
                struct fw_node *n = fw_tree_find(&p->t, z, kind[k]);
                for (n = n ? n->first : NULL; n && !err; n = n->next) {
                    struct iface f = {.name = n->word, .line = n->line};
                    err = add_iface(p, &f, level_of(p, n->word, 0));
                }
            }
    }
    return err;
}

/* Of a file without zones: those that the rules name, each with one interface of its name. */
static int zones_of_rules(struct pan *p, const struct fw_node *rules)
{
    static const char *const end[] = {"from", "to"};
    int err = 0;
    for (struct fw_node *r = rules ? rules->first : NULL; r; r = r->next)
        for (size_t i = 0; i < 2; i++) {
            struct fw_node *n = fw_tree_child(&p->t, r, end[i]);
            for (n = n ? n->first : NULL; n && !err; n = n->next)
                if (strcmp(n->word, "any") != 0)
                    err = new_zone(p, n, n->word);
        }
    return err;
}

static int bare_zones(struct pan *p)
{
    int err = 0;
    for (size_t i = 0; i < p->books && !err; i++) {
        err = zones_of_rules(p, fw_tree_find(&p->t, p->book[i], "security rules"));
        err = err ? err : zones_of_rules(p, fw_tree_find(&p->t, p->book[i], "nat rules"));
    }
    for (size_t i = 0; i < p->t.src->port_count && !err; i++)
        err = new_zone(p, &p->t.root, p->t.src->port[i].name);
    for (size_t i = 0; i < p->zones && !err; i++) {
        struct iface f = {.name = p->zone[i].name};
        err = add_iface(p, &f, (int)i + 1);
    }
    return err;
}

uint64_t pan_zones(struct pan *p, const struct fw_node *attr, bool *none)
{
    uint64_t set = 0;
    *none = false;
    if (pan_is_any(attr))
        return 0;
    for (struct fw_node *n = attr->first; n; n = n->next) {
        struct pan_zone *z = pan_zone(p, n->word);
        set |= z ? z->ifaces : 0;
    }
    *none = set == 0;
    return set;
}

/* ---- routes ---- */

static int route(struct pan *p, struct fw_node *r)
{
    struct fw_node *to = fw_tree_child(&p->t, r, "destination"), *iface = fw_tree_child(&p->t, r, "interface");
    struct fw_node *hop = fw_tree_find(&p->t, r, "nexthop ip-address");
    struct ip_prefix prefix;
    struct ip_addr gateway = {0};
    if (!to || !to->first || prefix_parse(to->first->word, &prefix))
        return fw_tree_fail(&p->t, r, E_MALFORMED, "expected a destination such as 10.0.0.0/8 of this route");
    if (hop && hop->first) {
        char text[ADDR_TEXT] = "";
        size_t n = strcspn(hop->first->word, "/");
        if (n < sizeof text) {
            memcpy(text, hop->first->word, n);
            text[n] = '\0';
        }
        if (ip_parse(text, &gateway))
            return 0; /* an address object: the interface says enough, if there is one */
    }
    int out = iface && iface->first ? fw_rules_find_interface(p->t.rules, iface->first->word) : pan_way(p, &gateway);
    return out < 0 ? 0 : fw_rules_add_route(p->t.rules, &prefix, out, &gateway);
}

static int routes_below(struct pan *p, struct fw_node *router)
{
    static const char *const table[] = {"routing-table ip static-route", "routing-table ipv6 static-route"};
    int err = 0;
    for (size_t i = 0; i < 2; i++) {
        struct fw_node *n = fw_tree_find(&p->t, router, table[i]);
        for (n = n ? n->first : NULL; n && !err; n = n->next)
            err = route(p, n);
    }
    return err;
}

static int routes(struct pan *p, struct fw_node *device)
{
    int err = 0;
    struct fw_node *virtual = fw_tree_find(&p->t, device, "network virtual-router");
    struct fw_node *logical = fw_tree_find(&p->t, device, "network logical-router");
    for (struct fw_node *n = virtual ? virtual->first : NULL; n && !err; n = n->next)
        err = routes_below(p, n);
    for (struct fw_node *n = logical ? logical->first : NULL; n; n = n->next) {
        struct fw_node *vrf = fw_tree_child(&p->t, n, "vrf");
        for (struct fw_node *v = vrf ? vrf->first : NULL; v && !err; v = v->next)
            err = routes_below(p, v);
    }
    fw_tree_used(virtual);
    fw_tree_used(logical);
    return err;
}

int pan_way(const struct pan *p, const struct ip_addr *to)
{
    const struct fw_rules *r = p->t.rules;
    int best = -1, length = -1;
    for (size_t i = 0; i < r->iface_count; i++)
        for (size_t k = 0; k < r->iface[i].address_count; k++)
            if (ip_in_prefix(to, &r->iface[i].address[k]) && r->iface[i].address[k].len > length) {
                length = r->iface[i].address[k].len;
                best = (int)i;
            }
    for (size_t i = 0; i < r->route_count; i++)
        if (ip_in_prefix(to, &r->route[i].to) && r->route[i].to.len > length) {
            length = r->route[i].to.len;
            best = r->route[i].iface;
        }
    return best;
}

/* ---- timers ---- */

static int timers(struct pan *p, struct fw_node *device)
{
    static const struct {
        const char *name;
        enum fw_timer timer[2];
    } table[] = {
        {"timeout-tcp", {FW_TIMER_TCP, FW_TIMER_TCP}},
        {"timeout-tcphandshake", {FW_TIMER_EMBRYONIC, FW_TIMER_EMBRYONIC}},
        {"timeout-tcp-half-closed", {FW_TIMER_HALF_CLOSED, FW_TIMER_HALF_CLOSED}},
        {"timeout-tcp-time-wait", {FW_TIMER_CLOSING, FW_TIMER_CLOSING}},
        {"timeout-udp", {FW_TIMER_UDP, FW_TIMER_UDP_STREAM}},
        {"timeout-icmp", {FW_TIMER_ICMP, FW_TIMER_ICMP}},
        {"timeout-default", {FW_TIMER_OTHER, FW_TIMER_OTHER}},
    };
    struct fw_node *session = fw_tree_find(&p->t, device, "deviceconfig setting session");
    int err = 0;
    for (size_t i = 0; session && i < sizeof table / sizeof *table; i++) {
        struct fw_node *n = fw_tree_child(&p->t, session, table[i].name);
        if (!n || !n->first)
            continue;
        char *end;
        unsigned long s = strtoul(n->first->word, &end, 10);
        if (*end || s == 0 || s > 15999999)
            return fw_tree_fail(&p->t, n->first, E_MALFORMED, "expected seconds from 1 to 15999999, found \"%.60s\"",
                                n->first->word);
        char text[FW_LEDGER_TEXT];
        fw_ledger_text(&p->t.ledger, n->first->line, text);
        for (size_t k = 0; k < 2 && !err; k++)
            err = fw_rules_set_timer(p->t.rules, table[i].timer[k], s * NS_S, n->first->line, text);
        fw_tree_used(n);
    }
    return err;
}

/* ---- all ---- */

int pan_network(struct pan *p)
{
    int err = fw_rules_set_timers(p->t.rules, "pan");
    err = err ? err : named_zones(p);
    for (size_t i = 0; i < p->devices && !err; i++)
        err = interfaces(p, p->device[i]);
    if (!err)
        err = p->described ? members_of_zones(p) : bare_zones(p);
    for (size_t i = 0; i < p->devices && !err; i++) {
        err = routes(p, p->device[i]);
        err = err ? err : timers(p, p->device[i]);
    }
    for (size_t i = 0; i < p->t.rules->iface_count; i++) {
        int level = p->t.rules->iface[i].level;
        if (level > 0)
            p->zone[level - 1].ifaces |= UINT64_C(1) << i;
    }
    return err;
}
