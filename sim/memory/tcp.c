/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP as its users know it. Segments of one direction arrive in the order in which they were sent. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "sim/memory/parts.h"

enum { BUFFER_DEFAULT = 128 * 1024, SEGMENT_MAX = 16 * 1024 };
#define TIME_WAIT_NS (60 * NS_S) /* twice an MSL of 30 s */

/* ---- bytes ---- */

static void bytes_add(struct bytes *b, const void *data, size_t len)
{
    if (b->from + b->len + len > b->cap && b->from) {
        memmove(b->p, b->p + b->from, b->len);
        b->from = 0;
    }
    if (b->len + len > b->cap) {
        b->cap = 2 * (b->len + len);
        b->p = realloc(b->p, b->cap);
        assert(b->p);
    }
    memcpy(b->p + b->from + b->len, data, len);
    b->len += len;
}

static void bytes_drop(struct bytes *b, size_t len)
{
    b->from += len;
    b->len -= len;
}

/* ---- sending ---- */

static size_t send_buffer(const struct memory *m, const struct sock *s)
{
    uint32_t size = node_of(m, s->host)->tcp.send_buffer;
    return size ? size : BUFFER_DEFAULT;
}

static size_t window(const struct memory *m, const struct sock *s)
{
    net_node other = memory_owner(m, &s->remote.ip);
    uint32_t size = node_of(m, other)->tcp.receive_buffer;
    return size ? size : BUFFER_DEFAULT;
}

static void send_segment(struct memory *m, const struct sock *s, enum segment_kind kind, const void *data, size_t len)
{
    struct segment g = {.kind = kind, .from = s->id, .to = s->peer, .src = s->local, .dst = s->remote, .len = len};
    memory_send(m, &g, data);
}

/* RFC 9293 3.10.7.1: nobody is there. */
static void answer_with_reset(struct memory *m, const struct segment *g)
{
    struct segment rst = {.kind = SEG_RST, .to = g->from, .src = g->dst, .dst = g->src};
    if (g->kind != SEG_RST)
        memory_send(m, &rst, NULL);
}

/* Puts on the way what the other side has room for, and the FIN behind it. */
static void transmit(struct memory *m, struct sock *s)
{
    if (s->state != SOCK_OPEN)
        return;
    for (size_t wide = window(m, s); s->out.len && s->outstanding < wide;) {
        size_t room = wide - s->outstanding, n = s->out.len < room ? s->out.len : room;
        n = n < SEGMENT_MAX ? n : SEGMENT_MAX;
        send_segment(m, s, SEG_DATA, s->out.p + s->out.from, n);
        bytes_drop(&s->out, n);
        s->outstanding += n;
    }
    if (s->out.len == 0 && s->fin_wanted && !s->fin_sent) {
        s->fin_sent = true;
        send_segment(m, s, SEG_FIN, NULL, 0);
    }
}

size_t memory_tcp_send(struct net *n, net_sock id, const void *data, size_t len)
{
    struct memory *m = memory_of(n);
    struct sock *s = memory_sock(m, id);
    assert(s && s->user && s->state >= SOCK_OPENING);
    if (s->state != SOCK_OPEN || s->fin_wanted)
        return 0;
    size_t room = send_buffer(m, s) - s->out.len, taken = len < room ? len : room;
    if (taken)
        bytes_add(&s->out, data, taken);
    s->wants_room = taken < len;
    transmit(m, s);
    return taken;
}

/* ---- ending ---- */

/* The socket is the user's no more; freed: its endpoints may be used again when he hears of it. */
static void tell_end(struct memory *m, struct sock *s, int err, bool freed)
{
    struct net_event ev = {.kind = s->state == SOCK_OPENING ? NET_FAILED : NET_CLOSED, .sock = s->id, .err = err,
                           .local = s->local, .remote = s->remote};
    net_node host = s->host;
    bool user = s->user;
    s->user = false;
    if (freed)
        memory_sock_free(m, s);
    if (user)
        memory_tell(m, host, &ev);
}

void memory_time_out(struct memory *m, struct sock *s)
{
    tell_end(m, s, E_TIMED_OUT, true);
}

/* Both directions have ended, and the user knows it, or there is none. */
static bool is_over(const struct sock *s)
{
    return s->fin_acked && s->fin_came && (s->eof_read || !s->user);
}

/* settle has put it off until now. */
void memory_connection_end(void *world, struct event *e)
{
    struct memory *m = world;
    struct sock *s = CONTAINER(e, struct sock, end);
    queue_take(&m->queue, e);
    bool waits = s->state == SOCK_OPEN && is_over(s) && s->waits_after;
    if (waits) {
        s->state = SOCK_TIME_WAIT;
        memory_put(m, &s->end, m->now_ns + TIME_WAIT_NS);
    }
    tell_end(m, s, 0, !waits);
}

static void settle(struct memory *m, struct sock *s)
{
    if (s->state != SOCK_OPEN)
        return;
    if (is_over(s))
        memory_put(m, &s->end, m->now_ns);
    else if (!s->user && s->fin_acked && !s->end.at)
        memory_put(m, &s->end, m->now_ns + TIME_WAIT_NS); /* FIN_WAIT_2 without a user */
}

void memory_shutdown(struct net *n, net_sock id)
{
    struct memory *m = memory_of(n);
    struct sock *s = memory_sock(m, id);
    assert(s && s->user && s->state >= SOCK_OPENING);
    s->fin_wanted = true;
    transmit(m, s);
}

static void reset(struct memory *m, struct sock *s)
{
    if (s->peer)
        send_segment(m, s, SEG_RST, NULL, 0);
    memory_sock_free(m, s);
}

void memory_abort(struct net *n, net_sock id)
{
    struct memory *m = memory_of(n);
    struct sock *s = memory_sock(m, id);
    assert(s && s->user);
    reset(m, s);
}

void memory_connection_close(struct memory *m, struct sock *s)
{
    s->user = false;
    if (s->state != SOCK_OPEN || s->in.len) {
        reset(m, s);
        return;
    }
    s->fin_wanted = true;
    transmit(m, s);
    settle(m, s);
}

/* ---- receiving ---- */

size_t memory_tcp_recv(struct net *n, net_sock id, void *buf, size_t cap, bool *eof)
{
    struct memory *m = memory_of(n);
    struct sock *s = memory_sock(m, id);
    assert(s && s->user && s->state >= SOCK_OPENING);
    size_t got = s->in.len < cap ? s->in.len : cap;
    if (got) {
        memcpy(buf, s->in.p + s->in.from, got);
        bytes_drop(&s->in, got);
        send_segment(m, s, SEG_ROOM, NULL, got);
    }
    *eof = s->fin_came && s->in.len == 0;
    s->eof_read |= *eof;
    settle(m, s);
    return got;
}

static void tell(struct memory *m, struct sock *s, enum net_event_kind kind)
{
    struct net_event ev = {.kind = kind, .sock = s->id, .local = s->local, .remote = s->remote};
    if (s->user)
        memory_tell(m, s->host, &ev);
}

static void data_came(struct memory *m, struct sock *s, const struct segment *g)
{
    if (!s->user) { /* RFC 1122 4.2.2.13: nobody is left to read it */
        reset(m, s);
        return;
    }
    bytes_add(&s->in, g->data, g->len);
    tell(m, s, NET_READABLE);
}

static void fin_came(struct memory *m, struct sock *s)
{
    s->fin_came = true;
    s->waits_after = s->fin_sent;
    send_segment(m, s, SEG_FIN_ACK, NULL, 0);
    settle(m, s);
    tell(m, s, NET_READABLE);
}

static void room_came(struct memory *m, struct sock *s, size_t len)
{
    s->outstanding -= len;
    transmit(m, s);
    if (!s->wants_room || s->out.len >= send_buffer(m, s))
        return;
    s->wants_room = false;
    tell(m, s, NET_WRITABLE);
}

/* ---- opening ---- */

int memory_connect(struct net *n, net_node id, const struct endpoint *local, const struct endpoint *remote,
                   net_sock *out)
{
    struct memory *m = memory_of(n);
    struct endpoint at = *local;
    int err = memory_path(m, node_of(m, id), &remote->ip, &at.ip);
    if (err)
        return err;
    if (at.port == 0 && (at.port = memory_port(m, id, &at.ip, remote)) == 0)
        return E_NOMEM;
    if (memory_connection(m, id, &at, remote))
        return E_EXISTS;
    struct sock *s = memory_sock_new(m, id, SOCK_OPENING);
    s->local = at;
    s->remote = *remote;
    send_segment(m, s, SEG_SYN, NULL, 0);
    *out = s->id;
    return 0;
}

static void syn_came(struct memory *m, const struct segment *g)
{
    struct sock *s = memory_connection(m, g->to_host, &g->dst, &g->src);
    if (s && s->state == SOCK_OPENING) { /* both at the same time: RFC 9293 3.5 */
        s->peer = g->from;
        send_segment(m, s, SEG_SYN_ACK, NULL, 0);
        return;
    }
    const struct sock *listener = memory_bound(m, g->to_host, SOCK_LISTENING, &g->dst);
    if (!listener || (s && s->state != SOCK_TIME_WAIT)) {
        answer_with_reset(m, g);
        return;
    }
    if (s) /* RFC 9293 3.6.1: a new SYN may end TIME_WAIT */
        memory_sock_free(m, s);
    s = memory_sock_new(m, g->to_host, SOCK_ACCEPTING);
    s->local = g->dst;
    s->remote = g->src;
    s->peer = g->from;
    s->listener = listener->id;
    send_segment(m, s, SEG_SYN_ACK, NULL, 0);
}

static void syn_ack_came(struct memory *m, struct sock *s, const struct segment *g)
{
    if (s->state != SOCK_OPENING)
        return;
    s->state = SOCK_OPEN;
    s->peer = g->from;
    send_segment(m, s, SEG_ACK, NULL, 0);
    transmit(m, s);
    tell(m, s, NET_CONNECTED);
}

static void ack_came(struct memory *m, struct sock *s)
{
    if (s->state != SOCK_ACCEPTING)
        return;
    struct sock *listener = memory_sock(m, s->listener);
    if (!listener) { /* gone by now: nobody wants the connection */
        reset(m, s);
        return;
    }
    s->state = SOCK_OPEN;
    s->user = true;
    struct net_event ev = {.kind = NET_ACCEPTED, .sock = listener->id, .accepted = s->id, .local = s->local,
                           .remote = s->remote};
    memory_tell(m, listener->host, &ev);
}

/* ---- segments ---- */

void memory_segment(struct memory *m, const struct segment *g)
{
    struct sock *s = memory_sock(m, g->to);
    if (g->kind == SEG_SYN) {
        syn_came(m, g);
        return;
    }
    if (!s || s->state == SOCK_TIME_WAIT) {
        if (g->kind == SEG_SYN_ACK || g->kind == SEG_DATA || g->kind == SEG_FIN)
            answer_with_reset(m, g);
        return;
    }
    switch (g->kind) {
    case SEG_SYN_ACK:
        syn_ack_came(m, s, g);
        return;
    case SEG_ACK:
        ack_came(m, s);
        return;
    case SEG_DATA:
        data_came(m, s, g);
        return;
    case SEG_ROOM:
        room_came(m, s, g->len);
        return;
    case SEG_FIN:
        fin_came(m, s);
        return;
    case SEG_FIN_ACK:
        s->fin_acked = true;
        settle(m, s);
        return;
    case SEG_RST:
        tell_end(m, s, s->state == SOCK_OPENING ? E_REFUSED : E_RESET, true);
        return;
    case SEG_SYN:
    case SEG_DATAGRAM:
    case SEG_PORT_UNREACHABLE:
        break;
    }
    assert(false); /* the others are not of TCP */
}
