/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the addresses in a system's settings can be reached at all, before anything runs: routes must lead there, and
 * somebody must be there, or a firewall, which may translate. What firewalls let through is what the run is for. */
#include <stdio.h>
#include <string.h>

#include "models/base/err.h"
#include "models/firewall/rules.h"
#include "sim/scenario/systems.h"
#include "sim/scenario/topology_parts.h"

enum { HOPS_MAX = 64 };

/* Where a node sends packets to an address. */
struct hop {
    const struct topo_iface *iface; /* NULL: nowhere */
    struct ip_addr next;            /* the gateway, or the address itself on its own link */
    int len;                        /* of the prefix that decided */
};

static void consider(struct hop *best, const struct ip_addr *ip, const struct ip_prefix *to,
                     const struct topo_iface *iface, const struct ip_addr *gateway)
{
    if (iface && to->len > best->len && ip_in_prefix(ip, to))
        *best = (struct hop){.iface = iface, .next = gateway->family == IP_NONE ? *ip : *gateway, .len = to->len};
}

static const struct topo_iface *iface_named(const struct topo_node *n, const char *name)
{
    for (size_t i = 0; i < n->interfaces.count; i++)
        if (strcmp(n->interfaces.items[i].name, name) == 0)
            return &n->interfaces.items[i];
    return NULL;
}

static struct hop next_hop(const struct topo_node *n, const struct ip_addr *ip)
{
    static const struct ip_addr on_link;
    struct hop best = {.len = -1};
    for (size_t k = 0; k < n->interfaces.count; k++)
        for (size_t a = 0; a < n->interfaces.items[k].addresses.count; a++)
            consider(&best, ip, &n->interfaces.items[k].addresses.items[a], &n->interfaces.items[k], &on_link);
    for (size_t i = 0; i < n->routes.count; i++) {
        const struct topo_route *r = &n->routes.items[i];
        consider(&best, ip, &r->to, &n->interfaces.items[r->port], &r->via);
    }
    for (size_t i = 0; n->rules && i < n->rules->route_count; i++) {
        const struct fw_route *r = &n->rules->route[i];
        consider(&best, ip, &r->to, iface_named(n, n->rules->iface[r->iface].name), &r->gateway);
    }
    return best;
}

const struct topo_iface *topology_next_hop(const struct topo_node *n, const struct ip_addr *to, struct ip_addr *next)
{
    struct hop hop = next_hop(n, to);
    *next = hop.next;
    return hop.iface;
}

struct ip_addr topology_setting_ip(const struct topo_node *n, const char *key)
{
    struct ip_addr ip = {0};
    for (const struct field *f = n->system ? n->system->fields : NULL; f && f->key; f++)
        if (f->type == FIELD_IP && strcmp(f->key, key) == 0)
            memcpy(&ip, (const uint8_t *)n->settings + f->offset, sizeof ip);
    return ip;
}

static bool firewall_on(const struct topology *t, unsigned segment)
{
    for (size_t i = 0; i < t->nodes.count; i++)
        for (size_t k = 0; t->nodes.items[i].kind == TOPO_FIREWALL && k < t->nodes.items[i].interfaces.count; k++)
            if (t->nodes.items[i].interfaces.items[k].segment == segment)
                return true;
    return false;
}

/* False: unreachable, and why says it. */
static bool reachable(const struct topology *t, const struct topo_node *from, const struct ip_addr *ip,
                      struct text *why)
{
    const struct topo_node *owner = topology_owner(t, ip), *at = from;
    for (int hops = 0; hops < HOPS_MAX && at != owner; hops++) {
        struct hop hop = next_hop(at, ip);
        if (!hop.iface) {
            text_add(why, "\"%s\" has no route to it", at->name);
            return false;
        }
        const struct topo_node *next = topology_owner(t, &hop.next);
        if (!next) {
            if (firewall_on(t, hop.iface->segment))
                return true;
            text_add(why, "nobody on the link of \"%s:%s\" has it", at->name, hop.iface->name);
            return false;
        }
        at = next;
    }
    if (at != owner)
        text_add(why, "the routes to it go round in a circle");
    return at == owner;
}

static int check_value(const struct topology *t, const struct topo_node *n, const cJSON *at, const struct endpoint *e,
                       struct diag *d)
{
    if (e->ip.family == IP_NONE || ip_is_any(&e->ip))
        return 0;
    char text[ADDR_TEXT], buf[160];
    struct text why = text_of(buf, sizeof buf);
    if (reachable(t, n, &e->ip, &why))
        return 0;
    return json_error(t->json, at, d, "unreachable host %s: %s", ip_text(&e->ip, text), buf);
}

/* Endpoints are what a system talks to (or listens on itself); a lone address is one that it goes by. */
static int check_fields(const struct topology *t, const struct topo_node *n, const cJSON *object,
                        const struct field *fields, const void *settings, struct diag *d)
{
    int err = 0;
    for (const struct field *f = fields; !err && f->key; f++) {
        const uint8_t *value = (const uint8_t *)settings + f->offset;
        const cJSON *at = topology_at(object, f->key, -1);
        LIST_OF(struct endpoint) list = {0};
        if (f->type == FIELD_ENDPOINT)
            err = check_value(t, n, at, (const struct endpoint *)value, d);
        else if (f->type == FIELD_OBJECT)
            err = check_fields(t, n, at, f->fields, value, d);
        else if (f->type == FIELD_LIST && f->of == FIELD_ENDPOINT)
            memcpy(&list, value, sizeof list);
        for (size_t i = 0; !err && i < list.count; i++)
            err = check_value(t, n, topology_at(object, f->key, (int)i), &list.items[i], d);
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
