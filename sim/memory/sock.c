/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of sockets; listeners and UDP. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "sim/memory/parts.h"

enum { FIRST_PORT = 49152, LAST_PORT = 65535, DATAGRAM_MAX = 65507 };
enum { ICMP4_UNREACHABLE = 3, ICMP4_PORT = 3, ICMP6_UNREACHABLE = 1, ICMP6_PORT = 4 };
/* As TCP's: a SYN seven times in 127 s, a SYN-ACK six times, data sixteen times. */
enum { SYN_RETRIES = 6, SYN_ACK_RETRIES = 5, DATA_RETRIES = 15 };
#define RTO_NS NS_S
#define RTO_MAX_NS (120 * NS_S)

static void retry(void *world, struct event *e);

struct sock *memory_sock_new(struct memory *m, net_node host, enum sock_state state)
{
    m->sock = memory_room(m->sock, m->sock_count, sizeof(struct sock *));
    struct sock *s = calloc(1, sizeof *s);
    assert(s);
    m->sock[m->sock_count++] = s;
    s->prev = m->last;
    *(m->last ? &m->last->next : &m->live) = s;
    m->last = s;
    s->id = (net_sock)m->sock_count;
    s->host = host;
    s->state = state;
    s->user = state != SOCK_ACCEPTING;
    s->held_tail = &s->held;
    s->retry.fire = retry;
    s->end.fire = memory_connection_end;
    return s;
}

struct sock *memory_sock(const struct memory *m, net_sock id)
{
    return id && id <= m->sock_count ? m->sock[id - 1] : NULL;
}

void memory_sock_free(struct memory *m, struct sock *s)
{
    queue_take(&m->queue, &s->retry);
    queue_take(&m->queue, &s->end);
    for (struct segment *g = s->held, *next; g; g = next) {
        next = g->next;
        free(g);
    }
    *(s->prev ? &s->prev->next : &m->live) = s->next;
    *(s->next ? &s->next->prev : &m->last) = s->prev;
    m->sock[s->id - 1] = NULL;
    free(s->in.p);
    free(s->out.p);
    free(s);
}

/* "Any" of either family, or unset: both. */
static bool any_matches(const struct ip_addr *any, const struct ip_addr *a)
{
    return ip_is_any(any) && (any->family == IP_NONE || a->family == IP_NONE || any->family == a->family);
}

struct sock *memory_bound(const struct memory *m, net_node host, enum sock_state state, const struct endpoint *local)
{
    struct sock *any = NULL;
    for (struct sock *s = m->live; s; s = s->next) {
        if (s->host != host || s->state != state || s->local.port != local->port)
            continue;
        if (ip_equal(&s->local.ip, &local->ip))
            return s;
        if (any_matches(&s->local.ip, &local->ip) || any_matches(&local->ip, &s->local.ip))
            any = s;
    }
    return any;
}

struct sock *memory_connection(const struct memory *m, net_node host, const struct endpoint *local,
                               const struct endpoint *remote)
{
    struct sock *s = m->live;
    while (s && (s->host != host || s->state < SOCK_OPENING || !endpoint_equal(&s->local, local) ||
                 !endpoint_equal(&s->remote, remote)))
        s = s->next;
    return s;
}

uint16_t memory_port(const struct memory *m, net_node id, const struct ip_addr *local, const struct endpoint *remote)
{
    struct node *host = node_of(m, id);
    uint16_t first = host->tcp.first_port ? host->tcp.first_port : FIRST_PORT;
    uint16_t last = host->tcp.first_port ? host->tcp.last_port : LAST_PORT;
    unsigned range = last - first + 1u;
    for (unsigned i = 0; i < range; i++) {
        struct endpoint at = {*local, (uint16_t)(first + (host->next_port + i) % range)};
        bool used = remote ? memory_connection(m, id, &at, remote) || memory_bound(m, id, SOCK_LISTENING, &at)
                           : memory_bound(m, id, SOCK_UDP, &at) != NULL;
        if (!used) {
            host->next_port = (uint16_t)((at.port - first + 1u) % range);
            return at.port;
        }
    }
    return 0;
}

void memory_tell(const struct memory *m, net_node host, const struct net_event *ev)
{
    const struct node *node = node_of(m, host);
    if (node->handler)
        node->handler(node->ctx, ev);
}

/* ---- listeners and UDP ---- */

int memory_listen(struct net *n, net_node id, const struct endpoint *local, net_sock *out)
{
    struct memory *m = memory_of(n);
    assert(local->port > 0);
    if (!ip_is_any(&local->ip) && !memory_owns(node_of(m, id), &local->ip))
        return E_UNREACHABLE;
    if (memory_bound(m, id, SOCK_LISTENING, local))
        return E_EXISTS;
    struct sock *s = memory_sock_new(m, id, SOCK_LISTENING);
    s->local = *local;
    *out = s->id;
    return 0;
}

int memory_udp_open(struct net *n, net_node id, const struct endpoint *local, net_sock *out)
{
    struct memory *m = memory_of(n);
    if (!ip_is_any(&local->ip) && !memory_owns(node_of(m, id), &local->ip))
        return E_UNREACHABLE;
    struct endpoint at = *local;
    if (at.port == 0 && (at.port = memory_port(m, id, &at.ip, NULL)) == 0)
        return E_NOMEM;
    if (memory_bound(m, id, SOCK_UDP, &at))
        return E_EXISTS;
    struct sock *s = memory_sock_new(m, id, SOCK_UDP);
    s->local = at;
    *out = s->id;
    return 0;
}

int memory_udp_send(struct net *n, net_sock id, const struct endpoint *to, const void *data, size_t len)
{
    struct memory *m = memory_of(n);
    struct sock *s = memory_sock(m, id);
    assert(s && s->state == SOCK_UDP);
    struct segment g = {.kind = SEG_DATAGRAM, .from = id, .src = s->local, .dst = *to, .len = len};
    int err = memory_path(m, node_of(m, s->host), &to->ip, &g.src.ip);
    if (err)
        return err;
    if (len > DATAGRAM_MAX)
        return E_SPACE;
    memory_send(m, &g, data);
    return 0;
}

static void unreachable(struct memory *m, const struct segment *g)
{
    struct segment back = {.kind = SEG_PORT_UNREACHABLE, .src = g->dst, .dst = g->src, .to = g->from};
    memory_send(m, &back, NULL);
}

void memory_datagram(struct memory *m, const struct segment *g)
{
    bool v4 = g->dst.ip.family == IP_V4;
    struct net_event ev = {.kind = NET_DATAGRAM, .local = g->dst, .remote = g->src, .data = g->data, .len = g->len};
    struct sock *s = memory_bound(m, g->to_host, SOCK_UDP, &g->dst);
    if (g->kind == SEG_PORT_UNREACHABLE)
        ev = (struct net_event){.kind = NET_ICMP, .local = g->dst, .remote = g->src,
                                .icmp_type = v4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE,
                                .icmp_code = v4 ? ICMP4_PORT : ICMP6_PORT};
    if (s) {
        ev.sock = s->id;
        memory_tell(m, s->host, &ev);
    } else if (g->kind == SEG_DATAGRAM)
        unreachable(m, g);
}

void memory_sock_close(struct net *n, net_sock id)
{
    struct memory *m = memory_of(n);
    struct sock *s = memory_sock(m, id);
    assert(s && s->user);
    if (s->state >= SOCK_OPENING)
        memory_connection_close(m, s);
    else
        memory_sock_free(m, s);
}

/* ---- silent hosts ---- */

/* How often the first of what is held back is sent again before its connection is given up; 0: always, as it would be
 * the other side that gives up. */
static unsigned patience(const struct sock *s)
{
    for (const struct segment *g = s->held; g; g = g->next)
        switch (g->kind) {
        case SEG_SYN:
            return SYN_RETRIES;
        case SEG_SYN_ACK:
            return SYN_ACK_RETRIES;
        case SEG_DATA:
        case SEG_FIN:
            return DATA_RETRIES;
        default:
            break;
        }
    return 0;
}

static void retry_later(struct memory *m, struct sock *s, uint64_t from_ns)
{
    uint64_t rto = RTO_NS << (s->retries < 16 ? s->retries : 16);
    memory_put(m, &s->retry, from_ns + time_min(rto, RTO_MAX_NS));
}

static void hold(struct memory *m, struct segment *g)
{
    struct sock *s = memory_sock(m, g->from);
    if (!s || g->kind == SEG_RST || g->kind >= SEG_DATAGRAM) { /* nobody would send it again */
        free(g);
        return;
    }
    g->next = NULL;
    *s->held_tail = g;
    s->held_tail = &g->next;
    if (!s->retry.at)
        retry_later(m, s, g->sent_ns);
}

void memory_deliver(struct memory *m, struct segment *g)
{
    const struct sock *from = memory_sock(m, g->from);
    bool behind = from && from->held && g->kind < SEG_DATAGRAM;
    if (node_of(m, g->to_host)->silent || behind) {
        hold(m, g);
        return;
    }
    if (g->kind >= SEG_DATAGRAM)
        memory_datagram(m, g);
    else
        memory_segment(m, g);
    free(g);
}

/* What is held back comes now, in its order. */
static void retry(void *world, struct event *e)
{
    struct memory *m = world;
    struct sock *s = CONTAINER(e, struct sock, retry);
    queue_take(&m->queue, e);
    if (node_of(m, s->held->to_host)->silent) {
        unsigned most = patience(s);
        if (most && s->retries >= most) {
            memory_time_out(m, s);
            return;
        }
        s->retries++;
        retry_later(m, s, m->now_ns);
        return;
    }
    s->retries = 0;
    struct segment *g = s->held;
    s->held = NULL;
    s->held_tail = &s->held;
    for (struct segment *next; g; g = next) {
        next = g->next;
        memory_deliver(m, g);
    }
}
