/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/explore/watcher.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/time.h"
#include "models/wire/wire.h"
#include "sim/explore/streams.h"
#include "sim/explore/syns.h"
#include "sim/scenario/systems.h"
#include "sim/scenario/watch.h"

enum { SYN = 2, ACK = 16, FLOWS = 64, HABITS = 64 };

/* A host's own handler, behind ours. */
struct watched_host {
    struct watcher *w;
    net_node id;
    net_handler *handler;
    void *ctx;
};

struct watcher {
    struct net_ops ops; /* the engine's, some with ours before them */
    const struct net_ops *engine;
    const struct topology *t;
    struct world_ears ears;
    struct record *record;
    struct violation found;
    struct streams *streams;
    struct syns *syns;
    struct run_watch *monitors; /* of the relays */
    struct watched_host *host;  /* by node of the topology */
    size_t hosts;
    size_t *index; /* in the topology, of a net_node */
    struct net *net;
    uint64_t frames;
    const char *habit[HABITS]; /* ids of rows */
    size_t habit_count;
};

/* The ops of a world lead to whoever watches it. */
static struct watcher *of(const struct net *n)
{
    return (struct watcher *)(void *)((char *)(uintptr_t)n->ops - offsetof(struct watcher, ops));
}

/* ---- between hosts and engine ---- */

static void event(void *ctx, const struct net_event *ev)
{
    struct watched_host *h = ctx;
    struct streams *s = h->w->streams;
    if (ev->kind == NET_CONNECTED)
        streams_open(s, h->id, ev->sock, &ev->local, &ev->remote, false);
    else if (ev->kind == NET_ACCEPTED)
        streams_open(s, h->id, ev->accepted, &ev->local, &ev->remote, true);
    h->handler(h->ctx, ev);
    if (ev->kind == NET_CLOSED)
        streams_gone(s, ev->sock);
}

static net_node node_add(struct net *n, const struct net_node_spec *spec)
{
    struct watcher *w = of(n);
    struct watched_host *h = &w->host[w->hosts];
    w->net = n;
    struct net_node_spec ours = *spec;
    if (spec->kind != NET_HOST || !spec->handler)
        return w->engine->node_add(n, spec);
    w->hosts++;
    *h = (struct watched_host){.w = w, .handler = spec->handler, .ctx = spec->ctx};
    ours.handler = event;
    ours.ctx = h;
    return h->id = w->engine->node_add(n, &ours);
}

static size_t tcp_send(struct net *n, net_sock sock, const void *data, size_t len)
{
    struct watcher *w = of(n);
    size_t taken = w->engine->tcp_send(n, sock, data, len);
    streams_sent(w->streams, w->engine->now(n), sock, data, taken);
    return taken;
}

static size_t tcp_recv(struct net *n, net_sock sock, void *buf, size_t cap, bool *eof)
{
    struct watcher *w = of(n);
    bool end = false;
    size_t got = w->engine->tcp_recv(n, sock, buf, cap, &end);
    *eof = *eof || end;
    if (got || end)
        streams_received(w->streams, w->engine->now(n), sock, buf, got, end);
    return got;
}

static void tcp_shutdown(struct net *n, net_sock sock)
{
    streams_ended(of(n)->streams, of(n)->engine->now(n), sock);
    of(n)->engine->tcp_shutdown(n, sock);
}

static void sock_close(struct net *n, net_sock sock)
{
    streams_ended(of(n)->streams, of(n)->engine->now(n), sock);
    streams_gone(of(n)->streams, sock);
    of(n)->engine->sock_close(n, sock);
}

static void tcp_abort(struct net *n, net_sock sock)
{
    streams_gone(of(n)->streams, sock);
    of(n)->engine->tcp_abort(n, sock);
}

/* ---- at the wires ---- */

static void follow(struct watcher *w, uint64_t now_ns, net_node node, const struct net_tap *tap)
{
    struct wire_packet k; /* a view, through which nothing is written here */
    if (wire_parse((uint8_t *)(uintptr_t)tap->frame, tap->len, &k) != 0 || k.proto != PROTO_TCP || !k.l4 ||
        (k.tcp_flags & (SYN | ACK)) != SYN)
        return;
    const struct endpoint src = {k.src, k.sport}, dst = {k.dst, k.dport};
    uint32_t seq = load32(k.frame + k.l4 + 4);
    bool left = tap->kind == TAP_SENT;
    if (tap->kind != TAP_DROPPED)
        streams_syn(w->streams, node, left ? &src : &dst, left ? &dst : &src, seq, left);
    if (tap->kind != TAP_DELIVERED)
        syns_see(w->syns, now_ns, &src, &dst, seq);
}

static void tap(void *ctx, uint64_t now_ns, const struct net_tap *tap)
{
    struct watcher *w = ctx;
    const struct topo_node *n = &w->t->nodes.items[w->index[tap->end.node]];
    if (n->kind != TOPO_HOST || (tap->kind == TAP_DROPPED && strcmp(tap->reason, "loss") == 0))
        return; /* what is lost was sent before; what a link does not take was not */
    if (++w->frames > WATCHER_FRAMES_MAX) {
        violation_set(&w->found, now_ns, "bounded", "the hosts sent and received more than %d frames",
                      WATCHER_FRAMES_MAX);
        w->engine->stop(w->net);
    }
    follow(w, now_ns, tap->end.node, tap);
    if (n->system && n->system->relay && tap->kind != TAP_DROPPED)
        run_watch_frame(w->monitors, now_ns, tap->frame, tap->len);
}

static void node(void *ctx, net_node id, size_t index)
{
    struct watcher *w = ctx;
    assert(id <= w->t->nodes.count);
    w->index[id] = index;
}

/* ---- what hosts tell ---- */

static void note(void *ctx, uint64_t now_ns, const struct host_note *n)
{
    struct watcher *w = ctx;
    if (n->note != NOTE_STATE)
        record_note(w->record, now_ns, n->host, n->note, &n->remote, n->text);
}

static void splice(void *ctx, net_sock a, size_t a_waits, net_sock b, size_t b_waits)
{
    struct watcher *w = ctx;
    streams_joined(w->streams, a, a_waits, b, b_waits);
}

static void part(void *ctx, net_sock a, net_sock b)
{
    struct watcher *w = ctx;
    streams_parted(w->streams, a, b);
}

/* ---- life ---- */

struct watcher *watcher_new(const struct net_ops *engine, const struct topology *t)
{
    struct watcher *w = calloc(1, sizeof *w);
    assert(w);
    w->engine = engine;
    w->t = t;
    w->ops = *engine;
    w->ops.node_add = node_add;
    w->ops.tcp_send = tcp_send;
    w->ops.tcp_recv = tcp_recv;
    w->ops.tcp_shutdown = tcp_shutdown;
    w->ops.sock_close = sock_close;
    w->ops.tcp_abort = tcp_abort;
    w->ears = (struct world_ears){.node = node, .tap = tap, .ctx = w,
                                  .hooks = {.note = note, .splice = splice, .part = part, .ctx = w},
                                  .max_connections = WATCHER_CONNECTIONS};
    w->host = calloc(t->nodes.count + 1, sizeof *w->host);
    w->index = calloc(t->nodes.count + 1, sizeof *w->index);
    w->streams = streams_new(&w->found);
    w->syns = syns_new(&w->found);
    assert(w->host && w->index);
    return w;
}

void watcher_free(struct watcher *w)
{
    streams_free(w->streams);
    free(w->syns);
    free(w->host);
    free(w->index);
    free(w);
}

void watcher_begin(struct watcher *w, struct record *record)
{
    w->record = record;
    w->found = (struct violation){0};
    w->hosts = 0;
    w->frames = 0;
    streams_clear(w->streams);
    syns_clear(w->syns);
    w->monitors = run_watch_new(FLOWS);
    assert(w->monitors);
}

/* Rows about clients that a fault breaks, not the client: one that vanishes refreshes nothing; to a relay that was made
 * again, the first request on an old connection has credentials. */
static const char *const not_judged[] = {"6062-4.6-1", "8489-9.2.3-1"};

static bool is_habit(const struct watcher *w, const char *id)
{
    for (size_t i = 0; i < sizeof not_judged / sizeof *not_judged; i++)
        if (strcmp(not_judged[i], id) == 0)
            return true;
    for (size_t i = 0; i < w->habit_count; i++)
        if (strcmp(w->habit[i], id) == 0)
            return true;
    return false;
}

void watcher_end(struct watcher *w, uint64_t now_ns, bool usual)
{
    run_watch_end(w->monitors, now_ns, w->record);
    w->monitors = NULL;
    for (size_t i = 0; i < w->record->conformance.count; i++) {
        const struct run_conformance *c = &w->record->conformance.items[i];
        if (!c->decides || is_habit(w, c->id))
            continue;
        if (usual && w->habit_count < HABITS)
            w->habit[w->habit_count++] = c->id;
        else
            violation_set(&w->found, now_ns, c->id, "%s Seen: %s", c->text, c->saw);
    }
}

struct violation *watcher_found(struct watcher *w)
{
    return &w->found;
}

const struct net_ops *watcher_ops(const struct watcher *w)
{
    return &w->ops;
}

const struct world_ears *watcher_ears(const struct watcher *w)
{
    return &w->ears;
}
