/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/check/way.h"

#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"

/* ---- the nodes ---- */

static int add_routes(struct way_node *w)
{
    const struct topo_node *n = w->node;
    int err = 0;
    for (size_t k = 0; k < n->interfaces.count; k++) {
        int iface = w->port_iface ? w->port_iface[k] : (int)k;
        for (size_t a = 0; !err && iface >= 0 && a < n->interfaces.items[k].addresses.count; a++)
            err = fw_routes_add(&w->routes, &(struct fw_route){n->interfaces.items[k].addresses.items[a], iface, {0}});
    }
    for (size_t i = 0; !err && i < n->routes.count; i++) {
        const struct topo_route *r = &n->routes.items[i];
        int iface = w->port_iface ? w->port_iface[r->port] : (int)r->port;
        err = iface < 0 ? 0 : fw_routes_add(&w->routes, &(struct fw_route){r->to, iface, r->via});
    }
    for (size_t i = 0; !err && n->rules && i < n->rules->route_count; i++)
        if (w->iface_port[n->rules->route[i].iface] >= 0)
            err = fw_routes_add(&w->routes, &n->rules->route[i]);
    return err;
}

static int open_firewall(struct way_node *w)
{
    const struct topo_node *n = w->node;
    w->port_iface = calloc(n->interfaces.count + 1, sizeof *w->port_iface);
    if (!w->port_iface)
        return E_NOMEM;
    for (size_t i = 0; i < FW_IFACE_MAX; i++)
        w->iface_port[i] = -1;
    for (size_t i = 0; i < n->rules->iface_count; i++) {
        w->addresses.prefix[i] = n->rules->iface[i].address;
        w->addresses.count[i] = n->rules->iface[i].address_count;
    }
    for (size_t k = 0; k < n->interfaces.count; k++) {
        int i = w->port_iface[k] = fw_rules_find_interface(n->rules, n->interfaces.items[k].name);
        if (i < 0)
            continue;
        w->iface_port[i] = (int)k;
        w->addresses.prefix[i] = n->interfaces.items[k].addresses.items;
        w->addresses.count[i] = n->interfaces.items[k].addresses.count;
    }
    w->prepared = fw_prepare(n->rules);
    w->machine = (struct fw_machine){w->prepared, &w->routes, &w->addresses};
    return w->prepared ? 0 : E_NOMEM;
}

int ways_open(struct ways *w, const struct topology *t)
{
    *w = (struct ways){.topology = t, .node = calloc(t->nodes.count + 1, sizeof *w->node)};
    int err = w->node ? 0 : E_NOMEM;
    for (size_t i = 0; !err && i < t->nodes.count; i++) {
        w->node[i].node = &t->nodes.items[i];
        err = w->node[i].node->rules ? open_firewall(&w->node[i]) : 0;
        if (!err)
            err = add_routes(&w->node[i]);
    }
    if (err)
        ways_close(w);
    return err;
}

void ways_close(struct ways *w)
{
    for (size_t i = 0; w->node && i < w->topology->nodes.count; i++) {
        fw_routes_free(&w->node[i].routes);
        fw_prepared_free(w->node[i].prepared);
        free(w->node[i].port_iface);
    }
    free(w->node);
    *w = (struct ways){0};
}

/* ---- legs ---- */

static bool same_leg(const struct way_leg *a, const struct way_leg *b)
{
    return a->port == b->port && a->node == b->node && a->next == b->next && ip_equal(&a->hop, &b->hop) &&
           (a->why == b->why || (a->why && b->why && strcmp(a->why, b->why) == 0));
}

/* The cell with these destinations goes the way that `like` says. */
static void add(struct fw_space *s, struct way_legs *legs, const struct way_leg *like, const struct fw_cell *cell,
                struct fw_spans dst)
{
    size_t i = 0;
    while (i < legs->count && !same_leg(&legs->leg[i], like))
        i++;
    if (i == legs->count) {
        if (legs->count == legs->cap) {
            size_t cap = legs->cap ? 2 * legs->cap : 8;
            struct way_leg *more = fw_space_alloc(s, cap * sizeof *more);
            if (!more)
                return; /* the space remembers */
            if (legs->count)
                memcpy(more, legs->leg, legs->count * sizeof *more);
            legs->leg = more;
            legs->cap = cap;
        }
        legs->leg[legs->count++] = *like;
    }
    struct fw_cell c = *cell;
    c.dim[FW_DIM_DST] = dst;
    fw_region_push(s, &legs->leg[i].packets, &c);
}

static struct fw_spans prefix_spans(struct fw_space *s, const struct ip_prefix *p)
{
    struct fw_addr all = fw_addr_prefix(p);
    return fw_spans_one(s, fw_wide_of(&all.a), fw_wide_of(&all.b));
}

static struct fw_spans set_spans(struct fw_space *s, const struct fw_set *set, uint8_t family)
{
    struct fw_span *span = fw_space_alloc(s, (set->count + 1) * sizeof *span);
    size_t n = 0;
    for (size_t i = 0; span && i < set->count; i++)
        if (set->addr[i].a.family == family && !set->addr[i].masked)
            span[n++] = (struct fw_span){fw_wide_of(&set->addr[i].a), fw_wide_of(&set->addr[i].b)};
    return span ? fw_spans_of(s, span, n) : (struct fw_spans){0};
}

/* A cell on its way over a link: what is left of its destinations is looked for. */
struct link {
    const struct ways *w;
    struct fw_space *s;
    struct way_legs *legs;
    const struct fw_cell *cell;
    unsigned segment, sender;
    struct way_leg like;
    struct fw_spans left;
};

static void take(struct link *l, unsigned node, unsigned port, struct fw_spans addresses)
{
    struct fw_spans hit = fw_spans_intersect(l->s, l->left, addresses);
    if (hit.count == 0)
        return;
    l->left = fw_spans_subtract(l->s, l->left, addresses);
    l->like.node = (int)node;
    l->like.next = (int)port;
    add(l->s, l->legs, &l->like, l->cell, hit);
}

typedef void visit_port(struct link *l, unsigned node, unsigned port);

static void each_port(struct link *l, visit_port *visit)
{
    const struct topology *t = l->w->topology;
    for (unsigned i = 0; i < t->nodes.count && l->left.count; i++)
        for (unsigned k = 0; i != l->sender && k < t->nodes.items[i].interfaces.count; k++)
            if (t->nodes.items[i].interfaces.items[k].segment == l->segment)
                visit(l, i, k);
}

static void owned(struct link *l, unsigned node, unsigned port)
{
    const struct topo_iface *f = &l->w->topology->nodes.items[node].interfaces.items[port];
    for (size_t a = 0; a < f->addresses.count; a++)
        if (f->addresses.items[a].ip.family == l->cell->family) {
            fw_wide ip = fw_wide_of(&f->addresses.items[a].ip);
            take(l, node, port, fw_spans_one(l->s, ip, ip));
        }
}

/* Addresses that a firewall translates, and so answers for (as fw_box_proxied has them; a machine with hooks answers
 * for its own alone, whatever its chains translate). */
static void proxied(struct link *l, unsigned node, unsigned port)
{
    const struct way_node *w = &l->w->node[node];
    int iface = w->port_iface ? w->port_iface[port] : -1;
    for (size_t i = 0; iface >= 0 && i < w->node->rules->nat_count; i++) {
        const struct fw_nat *n = &w->node->rules->nat[i];
        if (n->inactive)
            continue;
        if (n->mapped && n->mapped != n->real && (n->mapped_iface == FW_ANY_IFACE || n->mapped_iface == iface))
            take(l, node, port, set_spans(l->s, n->mapped, l->cell->family));
        if (n->dst_from && n->dst_to && n->dst_from != n->dst_to &&
            (n->real_iface == FW_ANY_IFACE || n->real_iface == iface))
            take(l, node, port, set_spans(l->s, n->dst_from, l->cell->family));
    }
}

/* Destinations `hit` of the cell, sent by the route. */
static void send(const struct ways *w, unsigned node, const struct fw_route *route, const struct fw_cell *cell,
                 struct fw_spans hit, struct fw_space *s, struct way_legs *legs)
{
    const struct way_node *from = &w->node[node];
    unsigned port = (unsigned)(from->port_iface ? from->iface_port[route->iface] : route->iface);
    struct link l = {.w = w, .s = s, .legs = legs, .cell = cell, .left = hit, .sender = node,
                     .segment = from->node->interfaces.items[port].segment, .like = {.port = port}};
    if (route->gateway.family != IP_NONE) { /* who has the gateway's address gets it all */
        struct fw_cell gateway = *cell;
        fw_wide ip = fw_wide_of(&route->gateway);
        struct way_legs found = {0};
        struct link g = l;
        gateway.family = route->gateway.family;
        g.cell = &gateway;
        g.legs = &found;
        g.left = fw_spans_one(s, ip, ip);
        each_port(&g, owned);
        each_port(&g, proxied);
        l.like = found.count ? found.leg[0] : l.like;
        l.like.packets = (struct fw_region){0};
        if (!found.count) {
            l.like.node = l.like.next = -1;
            l.like.hop = route->gateway;
            l.like.why = "nobody there";
        }
        add(s, legs, &l.like, cell, hit);
        return;
    }
    each_port(&l, owned);
    each_port(&l, proxied);
    if (l.left.count) {
        l.like.node = l.like.next = -1;
        l.like.why = "nobody there";
        add(s, legs, &l.like, cell, l.left);
    }
}

void way_legs(const struct ways *w, unsigned node, int out, const struct fw_region *packets, struct fw_space *s,
              struct way_legs *legs)
{
    const struct fw_routes *routes = &w->node[node].routes;
    for (size_t c = 0; c < packets->count; c++) {
        const struct fw_cell *cell = &packets->cell[c];
        struct fw_spans left = cell->dim[FW_DIM_DST];
        for (size_t i = 0; i < routes->count && left.count; i++) {
            const struct fw_route *r = &routes->route[i];
            if (r->to.ip.family != cell->family || (out >= 0 && r->iface != out))
                continue;
            struct fw_spans to = prefix_spans(s, &r->to), hit = fw_spans_intersect(s, left, to);
            if (hit.count == 0)
                continue;
            left = fw_spans_subtract(s, left, to);
            send(w, node, r, cell, hit, s, legs);
        }
        if (left.count)
            add(s, legs, &(struct way_leg){.node = -1, .next = -1, .why = "no route"}, cell, left);
    }
}

struct fw_region way_own(const struct ways *w, unsigned node, const struct fw_region *packets, struct fw_space *s,
                         struct fw_region *rest)
{
    const struct topo_node *n = w->node[node].node;
    struct fw_region own = {0};
    *rest = (struct fw_region){0};
    for (size_t c = 0; c < packets->count; c++) {
        struct fw_cell cell = packets->cell[c];
        struct fw_spans left = cell.dim[FW_DIM_DST];
        for (size_t k = 0; k < n->interfaces.count; k++)
            for (size_t a = 0; a < n->interfaces.items[k].addresses.count; a++) {
                const struct ip_addr *ip = &n->interfaces.items[k].addresses.items[a].ip;
                if (ip->family != cell.family)
                    continue;
                struct fw_spans one = fw_spans_one(s, fw_wide_of(ip), fw_wide_of(ip));
                cell.dim[FW_DIM_DST] = fw_spans_intersect(s, left, one);
                left = fw_spans_subtract(s, left, one);
                if (cell.dim[FW_DIM_DST].count)
                    fw_region_push(s, &own, &cell);
            }
        cell.dim[FW_DIM_DST] = left;
        if (left.count)
            fw_region_push(s, rest, &cell);
    }
    return own;
}
