/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "sim/scenario/trace.h"
#include "sim/scenario/world_parts.h"

/* ---- hosts ---- */

/* A host without a system: its addresses answer as any host's do, nobody is behind its ports. */
static void idle_input(void *self, const struct io_in *in)
{
    (void)self;
    (void)in;
}

static uint64_t idle_deadline(const void *self)
{
    (void)self;
    return TIME_NEVER;
}

static void idle_free(void *self)
{
    (void)self;
}

int world_make_core(const struct topo_node *n, uint64_t seed, struct world_node *out)
{
    static const struct core_ops idle = {idle_input, idle_deadline, idle_free};
    out->io = io_new(n->name, seed);
    if (!out->io)
        return E_NOMEM;
    if (n->system)
        return n->system->create(n->settings, &out->where, out->io, &out->core);
    out->core = (struct core){&idle, NULL, out->io};
    return 0;
}

void world_free_core(struct world_node *n)
{
    if (n->core.ops)
        n->core.ops->free(n->core.self);
    io_free(n->io);
    n->core = (struct core){0};
    n->io = NULL;
}

/* What a host sends to an address of its own leaves no trace on any link. */
static void watched_event(void *ctx, const struct net_event *ev)
{
    const struct world_node *n = ctx;
    const struct world *w = n->world;
    bool came = ev->kind == NET_DATAGRAM || ev->kind == NET_ACCEPTED;
    if (came && ip_equal(&ev->local.ip, &ev->remote.ip)) {
        const struct fw_flow f = {ev->kind == NET_DATAGRAM ? PROTO_UDP : PROTO_TCP, ev->remote.ip, ev->local.ip,
                                  ev->remote.port, ev->local.port};
        w->ears->watch->stayed(w->ears->watch->ctx, w->ops->now(w->net), (size_t)(n - w->node), &f, ev->len);
    }
    host_event(n->host, ev);
}

static void add_host(struct world *w, const struct topo_node *n, struct world_node *out)
{
    size_t count = 0;
    for (size_t i = 0; i < n->interfaces.count; i++)
        count += n->interfaces.items[i].addresses.count;
    struct ip_prefix *address = arena_alloc(&w->arena, count * sizeof *address);
    for (size_t i = 0, at = 0; i < n->interfaces.count; at += n->interfaces.items[i].addresses.count, i++)
        memcpy(address + at, n->interfaces.items[i].addresses.items,
               n->interfaces.items[i].addresses.count * sizeof *address);
    out->where = (struct system_host){.name = n->name, .address = address, .address_count = count,
                                       .call = n->calls.items, .call_count = n->calls.count};
    int err = world_make_core(n, w->seed, out);
    out->host = err ? NULL : host_new(w->net, &out->core, &w->ears->hooks);
    assert(out->host); /* settings are checked: what can fail is memory */
    bool watched = w->ears->watch && w->ears->watch->stayed;
    out->world = w;
    const struct net_node_spec spec = {.name = n->name, .kind = NET_HOST,
                                       .handler = watched ? watched_event : host_event,
                                       .ctx = watched ? (void *)out : out->host, .tcp = n->tcp};
    out->id = w->ops->node_add(w->net, &spec);
}

/* ---- boxes ---- */

static void add_box(struct world *w, const struct topo_node *n, struct world_node *out, size_t ports)
{
    static const enum box_kind kinds[] = {
        [TOPO_SWITCH] = BOX_SWITCH, [TOPO_ROUTER] = BOX_ROUTER, [TOPO_FIREWALL] = BOX_FIREWALL};
    struct box_iface *iface = arena_alloc(&w->arena, (ports + 1) * sizeof *iface);
    for (size_t i = 0; i < n->interfaces.count; i++) {
        const struct topo_iface *f = &n->interfaces.items[i];
        iface[i] = (struct box_iface){.name = f->name, .mtu = f->mtu, .prefix = f->addresses.items,
                                      .prefix_count = f->addresses.count};
        memcpy(iface[i].mac, f->mac, 6);
    }
    struct box_route *route = arena_alloc(&w->arena, (n->routes.count + 1) * sizeof *route);
    for (size_t i = 0; i < n->routes.count; i++)
        route[i] = (struct box_route){n->routes.items[i].to, n->routes.items[i].port, n->routes.items[i].via};
    static const struct world_watch nobody;
    const struct world_watch *watch = w->ears->watch ? w->ears->watch : &nobody;
    const struct box_config cfg = {.kind = kinds[n->kind], .name = n->name, .iface = iface, .iface_count = ports,
                                   .route = route, .route_count = n->routes.count, .rules = n->rules, .seed = w->seed,
                                   .max_connections = w->ears->max_connections, .drop = w->ears->drop,
                                   .note = w->ears->hooks.note, .ctx = w->ears->ctx, .shutter = watch->shutter,
                                   .translated = watch->translated, .translated_ctx = watch->ctx};
    out->box = box_new(w->net, &cfg);
    assert(out->box);
    const struct net_node_spec spec = {.name = n->name, .kind = NET_BOX, .box = box_frame, .ctx = out->box};
    out->id = w->ops->node_add(w->net, &spec);
}

/* What is behind one end of a link, told to the switch at the other: an interface, or all behind another switch. */
static void learn_behind(struct world *w, struct box *sw, unsigned port, const struct topo_link *l, int far)
{
    const struct topo_node *n = &w->t->nodes.items[l->node[far]];
    if (n->kind != TOPO_SWITCH) {
        box_learn(sw, port, n->interfaces.items[l->port[far]].mac);
        return;
    }
    for (size_t i = 0; i < w->t->links.count; i++)
        for (int end = 0; end < 2; end++)
            if (&w->t->links.items[i] != l && w->t->links.items[i].node[end] == l->node[far])
                learn_behind(w, sw, port, &w->t->links.items[i], !end);
}

static void teach_switches(struct world *w)
{
    for (size_t i = 0; i < w->t->links.count; i++)
        for (int end = 0; end < 2; end++) {
            const struct topo_link *l = &w->t->links.items[i];
            if (w->t->nodes.items[l->node[end]].kind == TOPO_SWITCH)
                learn_behind(w, w->node[l->node[end]].box, l->port[end], l, !end);
        }
}

/* ---- all ---- */

static void add_interfaces(struct world *w, const struct topo_node *n, const struct world_node *node, size_t ports)
{
    for (unsigned i = 0; i < ports; i++) {
        struct net_iface_spec spec = {.node = node->id, .name = n->name};
        if (n->kind != TOPO_SWITCH) {
            const struct topo_iface *f = &n->interfaces.items[i];
            spec = (struct net_iface_spec){.node = node->id, .name = f->name, .mtu = f->mtu,
                                           .prefix = f->addresses.items, .prefix_count = f->addresses.count};
            memcpy(spec.mac, f->mac, 6);
        }
        unsigned port = w->ops->iface_add(w->net, &spec);
        assert(port == i);
    }
}

static void add_nodes(struct world *w)
{
    size_t *ports = arena_alloc(&w->arena, w->t->nodes.count * sizeof *ports);
    for (size_t i = 0; i < 2 * w->t->links.count; i++)
        ports[w->t->links.items[i / 2].node[i % 2]]++;
    w->node = arena_alloc(&w->arena, w->t->nodes.count * sizeof *w->node);
    for (size_t i = 0; i < w->t->nodes.count; i++) {
        const struct topo_node *n = &w->t->nodes.items[i];
        if (n->kind == TOPO_HOST)
            add_host(w, n, &w->node[i]);
        else
            add_box(w, n, &w->node[i], ports[i]);
        if (w->ears->node)
            w->ears->node(w->ears->ctx, w->node[i].id, i);
        add_interfaces(w, n, &w->node[i], ports[i]);
    }
}

static struct net_link_dir link_dir(struct world *w, unsigned link, const struct topo_dir *d)
{
    struct net_link_dir out = {.rate_bps = d->rate_bps, .delay_ns = d->delay_ns, .jitter_ns = d->jitter_ns,
                                 .queue_bytes = d->queue_bytes, .loss = d->loss, .duplicate_ppm = d->duplicate_ppm,
                                 .reorder_ppm = d->reorder_ppm, .reorder_ns = d->reorder_ns, .outage = d->outage,
                                 .outage_count = d->outages.count};
    world_fault_outages(w, link, &out);
    return out;
}

static void add_links(struct world *w)
{
    for (unsigned i = 0; i < w->t->links.count; i++) {
        const struct topo_link *l = &w->t->links.items[i];
        const struct net_link_spec spec = {.name = l->name, .a = {w->node[l->node[0]].id, l->port[0]},
                                           .b = {w->node[l->node[1]].id, l->port[1]}, .ab = link_dir(w, i, &l->dir[0]),
                                           .ba = link_dir(w, i, &l->dir[1])};
        w->ops->link_add(w->net, &spec);
    }
    teach_switches(w);
}

/* Boxes announce what they answer for, hosts are switched on. */
static void start(struct world *w)
{
    for (size_t i = 0; i < w->t->nodes.count; i++) {
        const struct topo_node *n = &w->t->nodes.items[i];
        if (n->kind != TOPO_HOST) {
            box_attach(w->node[i].box, w->node[i].id);
            continue;
        }
        for (size_t k = 0; k < n->routes.count; k++) {
            const struct net_route route = {.node = w->node[i].id, .to = n->routes.items[k].to,
                                            .port = n->routes.items[k].port, .gateway = n->routes.items[k].via};
            w->ops->route_add(w->net, &route);
        }
        host_start(w->node[i].host, w->node[i].id, n->start_ns);
    }
    world_fault_start(w);
}

struct world *world_new(const struct net_ops *ops, const struct topology *t, uint64_t seed,
                        const struct world_ears *ears)
{
    struct world *w = calloc(1, sizeof *w);
    assert(w);
    *w = (struct world){.ops = ops, .t = t, .seed = seed, .ears = ears, .net = ops->create(seed)};
    assert(w->net);
    w->net->ops = ops; /* which may be an engine's with something put between */
    add_nodes(w);
    add_links(w);
    if (ears->tap)
        ops->tap_set(w->net, ears->tap, ears->ctx);
    start(w);
    return w;
}

/* Of each call that a host was given to make, somebody spoke. */
static void judge_plans(const struct world *w, struct record *record)
{
    for (size_t i = 0; i < w->t->nodes.count; i++) {
        const struct topo_node *n = &w->t->nodes.items[i];
        for (size_t k = 0; k < n->calls.count; k++)
            record_planned(record, w->ops->now(w->net), n->name, n->calls.items[k].name);
    }
}

void world_go(struct world *w, uint64_t until_ns)
{
    w->ops->run(w->net, until_ns);
}

struct net *world_net(struct world *w)
{
    return w->net;
}

struct host *world_host(const struct world *w, size_t index)
{
    return w->node[index].host;
}

struct box *world_box(const struct world *w, size_t index)
{
    return w->node[index].box;
}

void world_free(struct world *w)
{
    w->ops->destroy(w->net);
    for (size_t i = 0; i < w->t->nodes.count; i++) {
        struct world_node *n = &w->node[i];
        box_free(n->box);
        host_free(n->host);
        world_free_core(n);
    }
    arena_free(&w->arena);
    free(w);
}

/* ---- with a trace ---- */

static void run(struct world *w, const struct world_options *options)
{
    enum { STEPS = 50 };
    uint64_t end = w->t->duration_ns;
    for (uint64_t step = 1; options->progress && step < STEPS; step++) {
        world_go(w, end / STEPS * step);
        options->progress(w->ops->now(w->net), end);
    }
    world_go(w, end);
}

int world_run(const struct net_ops *ops, const struct topology *t, const struct world_options *options,
              struct record *record, struct diag *d)
{
    struct trace *trace;
    record->engine = ops->name;
    record->seed = options->seed;
    int err = trace_open(t, options, record, &trace, d);
    if (err)
        return err;
    const struct world_ears ears = {.node = trace_node, .tap = trace_tap, .drop = trace_drop, .ctx = trace,
                                    .hooks = {.message = trace_message, .note = trace_note, .ctx = trace},
                                    .watch = options->watch};
    struct world *w = world_new(ops, t, options->seed, &ears);
    run(w, options);
    judge_plans(w, record);
    record_end(record, ops->now(w->net));
    ops->stats(w->net, &record->stats);
    world_free(w);
    return trace_close(trace, d);
}
