/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "sim/memory/parts.h"

void *memory_room(void *array, size_t count, size_t size)
{
    if (count & (count - 1))
        return array;
    array = realloc(array, (count ? 2 * count : 1) * size);
    assert(array);
    return array;
}

void memory_put(struct memory *m, struct event *e, uint64_t when_ns)
{
    bool put = queue_put(&m->queue, e, when_ns, queue_number(&m->queue));
    assert(put);
}

/* ---- building ---- */

static struct net *create(uint64_t seed)
{
    (void)seed; /* nothing here is left to chance */
    struct memory *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->net.ops = &net_memory;
    m->timers.queue = &m->queue;
    return &m->net;
}

static void arrive(void *world, struct event *e);

static void destroy(struct net *n)
{
    if (!n)
        return;
    struct memory *m = memory_of(n);
    while (m->live)
        memory_sock_free(m, m->live);
    for (size_t i = 0; i < m->queue.count; i++)
        if (m->queue.heap[i].event->fire == arrive)
            free(CONTAINER(m->queue.heap[i].event, struct segment, event));
    engine_timers_free(&m->timers);
    queue_free(&m->queue);
    free(m->node);
    free(m->sock);
    free(m);
}

static net_node node_add(struct net *n, const struct net_node_spec *spec)
{
    struct memory *m = memory_of(n);
    assert(spec->kind == NET_HOST);
    m->node = memory_room(m->node, m->node_count, sizeof *m->node);
    m->node[m->node_count] = (struct node){.handler = spec->handler, .ctx = spec->ctx, .tcp = spec->tcp};
    return (net_node)++m->node_count;
}

static unsigned iface_add(struct net *n, const struct net_iface_spec *spec)
{
    struct node *host = node_of(memory_of(n), spec->node);
    assert(host->address_count + spec->prefix_count <= ADDRESSES_MAX);
    for (size_t i = 0; i < spec->prefix_count; i++)
        host->address[host->address_count++] = spec->prefix[i];
    return 0;
}

bool memory_owns(const struct node *host, const struct ip_addr *ip)
{
    for (size_t i = 0; i < host->address_count; i++)
        if (ip_equal(&host->address[i].ip, ip))
            return true;
    return false;
}

net_node memory_owner(const struct memory *m, const struct ip_addr *ip)
{
    for (size_t i = 0; i < m->node_count; i++)
        if (memory_owns(&m->node[i], ip))
            return (net_node)(i + 1);
    return 0;
}

int memory_path(const struct memory *m, const struct node *host, const struct ip_addr *dst, struct ip_addr *src)
{
    if (!memory_owner(m, dst) || (src->family && src->family != dst->family))
        return E_UNREACHABLE;
    if (!ip_is_any(src))
        return memory_owns(host, src) ? 0 : E_UNREACHABLE;
    for (size_t i = 0; i < host->address_count; i++)
        if (host->address[i].ip.family == dst->family) {
            *src = host->address[i].ip;
            return 0;
        }
    return E_UNREACHABLE;
}

void memory_silence(struct net *n, net_node host, bool silent)
{
    node_of(memory_of(n), host)->silent = silent;
}

/* ---- segments ---- */

static void arrive(void *world, struct event *e)
{
    struct memory *m = world;
    struct segment *g = CONTAINER(e, struct segment, event);
    queue_take(&m->queue, e);
    memory_deliver(m, g);
}

void memory_send(struct memory *m, const struct segment *head, const void *data)
{
    size_t carried = data ? head->len : 0;
    struct segment *g = malloc(sizeof *g + carried);
    assert(g);
    *g = *head;
    g->event = (struct event){.fire = arrive};
    g->sent_ns = m->now_ns;
    if (carried)
        memcpy(g->data, data, carried);
    if (!g->to_host)
        g->to_host = memory_owner(m, &g->dst.ip);
    memory_put(m, &g->event, m->now_ns + (memory_owner(m, &g->src.ip) == g->to_host ? 0 : MEMORY_DELAY_NS));
}

/* ---- running ---- */

static void run(struct net *n, uint64_t until_ns)
{
    struct memory *m = memory_of(n);
    m->stopped = false;
    const struct queue_entry *first;
    while (!m->stopped && (first = queue_first(&m->queue)) && first->when_ns <= until_ns) {
        m->now_ns = first->when_ns;
        m->stats.events++;
        first->event->fire(m, first->event);
    }
    if (!m->stopped && until_ns != TIME_NEVER && until_ns > m->now_ns)
        m->now_ns = until_ns;
}

static void stop(struct net *n)
{
    memory_of(n)->stopped = true;
}

static uint64_t now(const struct net *n)
{
    return ((const struct memory *)(const void *)n)->now_ns;
}

static void stats(const struct net *n, struct net_stats *out)
{
    *out = ((const struct memory *)(const void *)n)->stats;
}

/* ---- timers ---- */

static net_timer timer_set(struct net *n, uint64_t when_ns, void (*fn)(void *ctx), void *ctx)
{
    struct memory *m = memory_of(n);
    assert(when_ns >= m->now_ns);
    return engine_timers_set(&m->timers, when_ns, fn, ctx);
}

static void timer_cancel(struct net *n, net_timer id)
{
    engine_timers_cancel(&memory_of(n)->timers, id);
}

const struct net_ops net_memory = {
    .name = "memory",
    .create = create,
    .destroy = destroy,
    .node_add = node_add,
    .iface_add = iface_add,
    .run = run,
    .stop = stop,
    .now = now,
    .stats = stats,
    .timer_set = timer_set,
    .timer_cancel = timer_cancel,
    .tcp_listen = memory_listen,
    .tcp_connect = memory_connect,
    .udp_open = memory_udp_open,
    .udp_send = memory_udp_send,
    .tcp_send = memory_tcp_send,
    .tcp_recv = memory_tcp_recv,
    .tcp_shutdown = memory_shutdown,
    .sock_close = memory_sock_close,
    .tcp_abort = memory_abort,
};
