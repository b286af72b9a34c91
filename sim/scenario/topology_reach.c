/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the addresses in a system's settings can be reached at all, before anything runs: somebody must have them,
 * and routes must lead there. What firewalls let through is what the run is for, so the search ends at the first one. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "models/base/err.h"
#include "models/firewall/fwbox.h"
#include "sim/scenario/systems.h"
#include "sim/scenario/topology_parts.h"

enum { HOPS_MAX = 64 };

/* Addresses that firewalls answer for: the public sides of their translations. */
struct proxied {
    const struct ip_addr *wanted;
    bool found;
};

static void on_proxied(void *ctx, int iface, const struct ip_addr *ip)
{
    struct proxied *p = ctx;
    (void)iface;
    p->found = p->found || ip_equal(p->wanted, ip);
}

static bool translated(const struct topology *t, const struct ip_addr *ip)
{
    struct proxied p = {.wanted = ip};
    for (size_t i = 0; i < t->nodes.count; i++) {
        const struct fw_rules *rules = t->nodes.items[i].rules;
        if (!rules)
            continue;
        struct fw_box *box = fw_box_new(&(struct fw_box_config){.rules = rules, .name = "reach", .max_connections = 1});
        assert(box);
        fw_box_proxied(box, on_proxied, &p);
        fw_box_free(box);
    }
    return p.found;
}

/* Where a node sends a packet to ip: the next node's address (ip itself on its own link). False: nowhere. */
static bool next_hop(const struct topo_node *n, const struct ip_addr *ip, struct ip_addr *next)
{
    int best = -1;
    for (size_t k = 0; k < n->interfaces.count; k++)
        for (size_t a = 0; a < n->interfaces.items[k].addresses.count; a++) {
            const struct ip_prefix *p = &n->interfaces.items[k].addresses.items[a];
            if (p->len > best && ip_in_prefix(ip, p)) {
                best = p->len;
                *next = *ip;
            }
        }
    for (size_t i = 0; i < n->routes.count; i++)
        if (n->routes.items[i].to.len > best && ip_in_prefix(ip, &n->routes.items[i].to)) {
            best = n->routes.items[i].to.len;
            *next = n->routes.items[i].via;
        }
    return best >= 0;
}

/* NULL: reachable; else why not. */
static const char *why_unreachable(const struct topology *t, const struct topo_node *from, const struct ip_addr *ip)
{
    const struct topo_node *owner = topology_owner(t, ip);
    if (!owner && !translated(t, ip))
        return "no node has this address and no firewall translates it";
    const struct topo_node *at = from;
    for (int hops = 0; hops < HOPS_MAX; hops++) {
        struct ip_addr next;
        if (at == owner || at->kind == TOPO_FIREWALL)
            return NULL;
        if (!next_hop(at, ip, &next))
            return at == from ? "this node has no route to it" : "a router on the way has no route to it";
        at = topology_owner(t, &next);
        if (!at) /* on this link, and translated: a firewall answers there */
            return NULL;
    }
    return "the routes to it go round in a circle";
}

static int check_value(const struct topology *t, const struct topo_node *n, const cJSON *at, enum field_type type,
                       const void *value, struct diag *d)
{
    const struct ip_addr *ip = type == FIELD_ENDPOINT ? &((const struct endpoint *)value)->ip : value;
    if (ip->family == IP_NONE || ip_is_any(ip))
        return 0;
    const char *why = why_unreachable(t, n, ip);
    char text[ADDR_TEXT];
    return why ? json_error(t->json, at, d, "unreachable host %s: %s", ip_text(ip, text), why) : 0;
}

static int check_fields(const struct topology *t, const struct topo_node *n, const cJSON *object,
                        const struct field *fields, const void *settings, struct diag *d)
{
    int err = 0;
    for (const struct field *f = fields; !err && f->key; f++) {
        const uint8_t *value = (const uint8_t *)settings + f->offset;
        const cJSON *at = topology_at(object, f->key, -1);
        if (f->type == FIELD_IP || f->type == FIELD_ENDPOINT)
            err = check_value(t, n, at, f->type, value, d);
        if (f->type == FIELD_OBJECT)
            err = check_fields(t, n, at, f->fields, value, d);
        if (f->type != FIELD_LIST || (f->of != FIELD_IP && f->of != FIELD_ENDPOINT))
            continue;
        struct field_list list;
        memcpy(&list, value, sizeof list);
        size_t size = f->of == FIELD_IP ? sizeof(struct ip_addr) : sizeof(struct endpoint);
        for (size_t i = 0; !err && i < list.count; i++)
            err = check_value(t, n, topology_at(object, f->key, (int)i), f->of, (uint8_t *)list.items + i * size, d);
    }
    return err;
}

int topology_reach(struct topology *t, struct diag *d)
{
    int err = 0;
    for (size_t i = 0; !err && i < t->nodes.count; i++) {
        const struct topo_node *n = &t->nodes.items[i];
        if (n->system)
            err = check_fields(t, n, n->settings_json ? n->settings_json : n->at, n->system->fields, n->settings, d);
    }
    return err;
}
