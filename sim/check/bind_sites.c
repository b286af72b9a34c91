/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Outside, the sites, and what belongs to each. */
#include <string.h>

#include "models/firewall/rules.h"
#include "sim/check/bind_parts.h"

/* Where outside ends: at a firewall, and at a host with a foot on either side, which does not forward. */
static bool is_edge(const struct topo_node *n)
{
    return n->kind == TOPO_FIREWALL || (n->kind == TOPO_HOST && n->interfaces.count > 1);
}

/* Spreads a number from a node along the links, up to where outside ends or everywhere. Nodes that have another number
 * keep it. */
static void spread(struct binding *b, int unset, int number, bool through_all)
{
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < b->t->links.count; i++) {
            const struct topo_link *l = &b->t->links.items[i];
            for (int e = 0; e < 2; e++) {
                unsigned from = l->node[e], to = l->node[!e];
                if (b->site[from] != number || b->site[to] != unset ||
                    (!through_all && is_edge(&b->t->nodes.items[to])))
                    continue;
                b->site[to] = number;
                more = true;
            }
        }
    }
}

void bind_find_sites(struct binding *b)
{
    enum { UNSET = -2 };
    size_t count = b->t->nodes.count;
    b->site = arena_alloc(&b->out->arena, count * sizeof *b->site);
    for (size_t i = 0; i < count; i++)
        b->site[i] = UNSET;
    if (b->check->internet_node >= 0) {
        b->site[b->check->internet_node] = SITE_OUTSIDE;
        spread(b, UNSET, SITE_OUTSIDE, false);
    }
    int number = 0;
    for (size_t i = 0; i < count; i++)
        if (b->site[i] == UNSET) {
            b->site[i] = number;
            spread(b, UNSET, number++, true);
        }
}

/* On a link with somebody outside. */
static bool is_outer(const struct binding *b, const struct topo_iface *f)
{
    for (size_t i = 0; i < b->t->nodes.count; i++)
        for (size_t k = 0; b->site[i] == SITE_OUTSIDE && k < b->t->nodes.items[i].interfaces.count; k++)
            if (b->t->nodes.items[i].interfaces.items[k].segment == f->segment)
                return true;
    return false;
}

static const struct topo_iface *iface_of(const struct topo_node *n, int rules_iface)
{
    for (size_t i = 0; rules_iface >= 0 && i < n->interfaces.count; i++)
        if (fw_rules_find_interface(n->rules, n->interfaces.items[i].name) == rules_iface)
            return &n->interfaces.items[i];
    return NULL;
}

static void remove_prefix(struct binding *b, struct addr_ranges *r, struct ip_prefix p)
{
    const struct fw_addr range = fw_addr_prefix(&p);
    addr_ranges_remove(r, &b->out->arena, &range);
}

static void remove_address(struct binding *b, struct addr_ranges *r, const struct ip_addr *ip)
{
    const struct fw_addr range = {.a = *ip, .b = *ip};
    if (ip->family != IP_NONE)
        addr_ranges_remove(r, &b->out->arena, &range);
}

static void remove_interfaces(struct binding *b, const struct topo_node *n, struct addr_ranges *r)
{
    for (size_t i = 0; i < n->interfaces.count; i++)
        for (size_t a = 0; a < n->interfaces.items[i].addresses.count; a++)
            remove_prefix(b, r, n->interfaces.items[i].addresses.items[a]);
}

/* Routes that lead into the site; a default route says nothing of who is there. */
static void remove_routes(struct binding *b, const struct topo_node *n, struct addr_ranges *r)
{
    for (size_t i = 0; i < n->routes.count; i++) {
        const struct topo_route *route = &n->routes.items[i];
        if (route->to.len > 0 && !is_outer(b, &n->interfaces.items[route->port]))
            remove_prefix(b, r, route->to);
    }
    for (size_t i = 0; n->rules && i < n->rules->route_count; i++) {
        const struct fw_route *route = &n->rules->route[i];
        const struct topo_iface *f = iface_of(n, route->iface);
        if (route->to.len > 0 && f && !is_outer(b, f))
            remove_prefix(b, r, route->to);
    }
}

/* What a firewall makes of the site's addresses towards outside. */
static void remove_translations(struct binding *b, const struct topo_node *n, struct addr_ranges *r)
{
    for (size_t i = 0; n->rules && i < n->rules->nat_count; i++) {
        const struct fw_nat *nat = &n->rules->nat[i];
        const struct topo_iface *f = iface_of(n, nat->mapped_iface);
        if (nat->inactive || !nat->mapped || (nat->mapped_iface != FW_ANY_IFACE && !(f && is_outer(b, f))))
            continue;
        for (size_t k = 0; k < nat->mapped->count; k++)
            if (!nat->mapped->addr[k].masked)
                addr_ranges_remove(r, &b->out->arena, &nat->mapped->addr[k]);
    }
}

void bind_remove_site(struct binding *b, int site, struct addr_ranges *r)
{
    for (size_t i = 0; i < b->t->nodes.count; i++) {
        const struct topo_node *n = &b->t->nodes.items[i];
        if (site == SITE_OUTSIDE || b->site[i] != site)
            continue;
        remove_interfaces(b, n, r);
        remove_routes(b, n, r);
        remove_translations(b, n, r);
        const struct ip_addr public_address = topology_setting_ip(n, "public_address");
        remove_address(b, r, &public_address);
    }
}
