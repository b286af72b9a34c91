/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/time.h"
#include "sim/native/engine.h"

void *array_room(void *array, size_t count, size_t size)
{
    if (count & (count - 1))
        return array;
    return realloc(array, (count ? 2 * count : 1) * size);
}

/* ---- building ---- */

static struct net *create(uint64_t seed)
{
    struct world *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->net.ops = &net_native;
    w->timers.queue = &w->queue;
    w->seed = seed;
    return &w->net;
}

static void node_free(struct world *w, struct node *node)
{
    ip_host_free(w, node);
    for (size_t i = 0; i < node->port_count; i++) {
        free(node->port[i]->prefix);
        free(node->port[i]);
    }
    free(node->port);
    free(node);
}

static void destroy(struct net *n)
{
    if (!n)
        return;
    struct world *w = world_of(n);
    packets_late_free(w);
    for (size_t i = 0; i < w->node_count; i++)
        node_free(w, w->node[i]);
    sock_bury(w);
    for (size_t i = 0; i < w->channel_count; i++)
        channel_free(w, w->channel[i]);
    packet_pools_free(w);
    engine_timers_free(&w->timers);
    queue_free(&w->queue);
    free(w->node);
    free(w->channel);
    free(w->neighbour);
    free(w->sock);
    free(w->sock_next);
    free(w);
}

struct node *world_node(const struct world *w, net_node id)
{
    assert(id > 0 && id <= w->node_count);
    return w->node[id - 1];
}

static net_node node_add(struct net *n, const struct net_node_spec *spec)
{
    struct world *w = world_of(n);
    struct node **all = array_room(w->node, w->node_count, sizeof(struct node *));
    if (!all)
        return 0;
    w->node = all;
    struct node *node = calloc(1, sizeof *node);
    if (!node)
        return 0;
    assert(spec->kind == NET_HOST || spec->box);
    node->name = spec->name;
    node->kind = spec->kind;
    node->handler = spec->handler;
    node->box = spec->box;
    node->ctx = spec->ctx;
    node->tcp = spec->tcp;
    w->node[w->node_count++] = node;
    return node->id = (net_node)w->node_count;
}

/* Where an address stands in the table of neighbours, or would stand. */
static struct neighbour *neighbour_slot(const struct world *w, const struct ip_addr *ip)
{
    for (uint64_t i = mix_ip(0, ip);; i++) {
        struct neighbour *e = &w->neighbour[i & (w->neighbour_cap - 1)];
        if (!e->ip.family || ip_equal(&e->ip, ip))
            return e;
    }
}

static bool neighbour_put(struct world *w, const struct ip_addr *ip, const uint8_t mac[6])
{
    if (2 * w->neighbour_count >= w->neighbour_cap) {
        struct neighbour *was = w->neighbour;
        size_t cap = w->neighbour_cap;
        struct neighbour *all = calloc(cap ? 2 * cap : 16, sizeof *all);
        if (!all)
            return false;
        w->neighbour = all;
        w->neighbour_cap = cap ? 2 * cap : 16;
        for (size_t i = 0; i < cap; i++)
            if (was[i].ip.family)
                *neighbour_slot(w, &was[i].ip) = was[i];
        free(was);
    }
    struct neighbour *e = neighbour_slot(w, ip);
    w->neighbour_count += !e->ip.family;
    e->ip = *ip;
    memcpy(e->mac, mac, sizeof e->mac);
    return true;
}

bool world_neighbour(const struct world *w, const struct ip_addr *ip, uint8_t mac[6])
{
    if (!w->neighbour_cap)
        return false;
    const struct neighbour *e = neighbour_slot(w, ip);
    if (e->ip.family)
        memcpy(mac, e->mac, sizeof e->mac);
    return e->ip.family;
}

static void neighbour_add(struct net *n, const struct ip_addr *ip, const uint8_t mac[6])
{
    bool put = neighbour_put(world_of(n), ip, mac);
    assert(put);
}

static bool neighbour(const struct net *n, const struct ip_addr *ip, uint8_t mac[6])
{
    return world_neighbour((const struct world *)(const void *)n, ip, mac);
}

static unsigned iface_add(struct net *n, const struct net_iface_spec *spec)
{
    struct world *w = world_of(n);
    struct node *node = world_node(w, spec->node);
    struct port **all = array_room(node->port, node->port_count, sizeof(struct port *));
    struct port *p = calloc(1, sizeof *p);
    assert(all && p);
    node->port = all;
    p->name = spec->name;
    memcpy(p->mac, spec->mac, sizeof p->mac);
    p->mtu = spec->mtu ? spec->mtu : NET_MTU_DEFAULT;
    if (spec->prefix_count) {
        p->prefix = calloc(spec->prefix_count, sizeof *p->prefix);
        assert(p->prefix);
        memcpy(p->prefix, spec->prefix, spec->prefix_count * sizeof *p->prefix);
        p->prefix_count = spec->prefix_count;
    }
    for (size_t i = 0; i < p->prefix_count; i++)
        neighbour_add(n, &p->prefix[i].ip, p->mac);
    node->port[node->port_count] = p;
    return (unsigned)node->port_count++;
}

static void direction_add(struct world *w, const struct net_link_spec *spec, const char *dir, struct net_end from,
                          struct net_end to, const struct net_link_dir *cfg)
{
    struct node *node = world_node(w, from.node);
    assert(from.port < node->port_count && !node->port[from.port]->out);
    struct channel *c = channel_new(w, from, to);
    assert(c);
    link_init(&c->link, w->seed, spec->name, dir, cfg, node->port[from.port]->mtu);
    node->port[from.port]->out = c;
}

static void link_add(struct net *n, const struct net_link_spec *spec)
{
    direction_add(world_of(n), spec, "ab", spec->a, spec->b, &spec->ab);
    direction_add(world_of(n), spec, "ba", spec->b, spec->a, &spec->ba);
}

static void route_add(struct net *n, const struct net_route *route)
{
    struct node *node = world_node(world_of(n), route->node);
    struct route *all = array_room(node->route, node->route_count, sizeof *all);
    assert(all && node->kind == NET_HOST && route->port < node->port_count);
    node->route = all;
    node->route[node->route_count++] = (struct route){route->to, route->port, route->gateway};
}

static void tap_set(struct net *n, net_tap_handler *tap, void *ctx)
{
    struct world *w = world_of(n);
    w->tap = tap;
    w->tap_ctx = ctx;
}

/* ---- running ---- */

static void run(struct net *n, uint64_t until_ns)
{
    struct world *w = world_of(n);
    w->stopped = false;
    const struct queue_entry *first;
    while (!w->stopped && (first = queue_first(&w->queue)) && first->when_ns <= until_ns) {
        w->now_ns = first->when_ns;
        w->stats.events++;
        first->event->fire(w, first->event);
        if (w->dead)
            sock_bury(w);
    }
    if (!w->stopped && until_ns != TIME_NEVER && until_ns > w->now_ns)
        w->now_ns = until_ns;
}

static void stop(struct net *n)
{
    world_of(n)->stopped = true;
}

static uint64_t now(const struct net *n)
{
    return ((const struct world *)(const void *)n)->now_ns;
}

static void stats(const struct net *n, struct net_stats *out)
{
    *out = ((const struct world *)(const void *)n)->stats;
}

/* ---- timers ---- */

static net_timer timer_set(struct net *n, uint64_t when_ns, void (*fn)(void *ctx), void *ctx)
{
    struct world *w = world_of(n);
    assert(when_ns >= w->now_ns);
    return engine_timers_set(&w->timers, when_ns, fn, ctx);
}

static void timer_cancel(struct net *n, net_timer id)
{
    engine_timers_cancel(&world_of(n)->timers, id);
}

static void box_send(struct net *n, net_node box, unsigned port, const uint8_t *frame, size_t len)
{
    struct world *w = world_of(n);
    struct node *node = world_node(w, box);
    assert(node->kind == NET_BOX && port < node->port_count);
    struct packet *p = node->port[port]->out ? packet_new(w, len) : NULL;
    if (!p)
        return;
    memcpy(p->frame, frame, len);
    channel_send(w, node->port[port]->out, p);
}

const struct net_ops net_native = {
    .name = "native",
    .create = create,
    .destroy = destroy,
    .node_add = node_add,
    .iface_add = iface_add,
    .link_add = link_add,
    .route_add = route_add,
    .tap_set = tap_set,
    .neighbour_add = neighbour_add,
    .neighbour = neighbour,
    .run = run,
    .stop = stop,
    .now = now,
    .stats = stats,
    .timer_set = timer_set,
    .timer_cancel = timer_cancel,
    .tcp_listen = sock_listen,
    .tcp_connect = conn_connect,
    .udp_open = udp_open,
    .udp_send = udp_send,
    .tcp_send = conn_send,
    .tcp_recv = conn_recv,
    .tcp_shutdown = conn_shutdown,
    .sock_close = sock_close,
    .tcp_abort = conn_abort,
    .box_send = box_send,
};
