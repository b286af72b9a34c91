/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/host/host.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"

enum { READ_CHUNK = 64 * 1024, LOW_WATER = HOST_HIGH_WATER / 2, BUCKETS_LEAST = 64 };
#define LINGER_NS (30 * NS_S) /* a closed connection whose peer neither reads nor ends for so long is reset */

/* Bytes that the socket did not take yet: [from, from + len) of buf. */
struct backlog {
    uint8_t *buf;
    size_t cap, from, len;
};

enum conn_kind { CONN_LISTENER, CONN_UDP, CONN_OPENING, CONN_OPEN };

struct conn {
    struct host *host;
    enum conn_kind kind;
    io_id id; /* IO_NONE: the core has let go of it, it lives until its backlog is delivered and the peer has ended */
    struct conn *next_id;
    net_sock sock;
    struct endpoint local, remote;
    struct backlog out;
    struct conn *splice;
    bool reading, blocked, eof_told, closing;
    bool eof_read, fin_sent; /* spliced or closing: the peer has ended; so have we */
    net_timer linger;        /* closing */
};

/* What has to be told to the core, or done, once it has returned and its operations are carried out. */
struct pending {
    enum { PENDING_EVENT, PENDING_PUMP, PENDING_VOID } what; /* PUMP: read from in.id, now that it may */
    struct io_in in;
};

struct host {
    struct net *net;
    net_node node;
    struct core core;
    struct host_hooks hooks;
    struct conn **by_sock; /* dense: socket ids are small */
    struct conn **by_id;   /* hashed: io ids are never used twice */
    size_t sock_cap, id_buckets, id_count;
    struct pending *pending;
    size_t pending_at, pending_count, pending_cap;
    bool delivering;
    net_timer timer, starting;
    uint64_t timer_at;
    bool deaf, exhausted;
    size_t most_waiting;
    uint64_t ahead_ns; /* of its clock */
    uint8_t *chunk;
};

static const struct net_ops *net_of(const struct host *h)
{
    return h->net->ops;
}

struct host *host_new(struct net *net, const struct core *core, const struct host_hooks *hooks)
{
    struct host *h = calloc(1, sizeof *h);
    if (!h || !(h->chunk = malloc(READ_CHUNK)) || !(h->by_id = calloc(BUCKETS_LEAST, sizeof(struct conn *)))) {
        host_free(h);
        return NULL;
    }
    h->id_buckets = BUCKETS_LEAST;
    h->net = net;
    h->core = *core;
    if (hooks)
        h->hooks = *hooks;
    h->timer_at = TIME_NEVER;
    return h;
}

static void conn_free(struct conn *c)
{
    free(c->out.buf);
    free(c);
}

void host_free(struct host *h)
{
    if (!h)
        return;
    for (size_t i = 0; i < h->sock_cap; i++)
        if (h->by_sock[i])
            conn_free(h->by_sock[i]);
    free(h->by_sock);
    free(h->by_id);
    free(h->pending);
    free(h->chunk);
    free(h);
}

/* ---- tables ---- */

/* slots[i], with the table grown to hold it. */
static struct conn **slot(struct conn ***slots, size_t *cap, size_t i)
{
    if (i >= *cap) {
        size_t n = *cap ? *cap : 16;
        while (n <= i)
            n *= 2;
        *slots = realloc(*slots, n * sizeof **slots);
        assert(*slots);
        memset(*slots + *cap, 0, (n - *cap) * sizeof **slots);
        *cap = n;
    }
    return &(*slots)[i];
}

/* They count up, so their low bits spread well. */
static struct conn **bucket_of(struct host *h, io_id id)
{
    return &h->by_id[id & (h->id_buckets - 1)];
}

static struct conn *conn_by_id(struct host *h, io_id id)
{
    struct conn *c = *bucket_of(h, id);
    while (c && c->id != id)
        c = c->next_id;
    return c;
}

static void put_id(struct host *h, struct conn *c)
{
    struct conn **b = bucket_of(h, c->id);
    c->next_id = *b;
    *b = c;
}

static void grow_ids(struct host *h)
{
    struct conn **old = h->by_id;
    size_t n = h->id_buckets;
    h->id_buckets = 2 * n;
    h->by_id = calloc(h->id_buckets, sizeof(struct conn *));
    assert(h->by_id);
    for (size_t i = 0; i < n; i++)
        for (struct conn *c = old[i], *next; c; c = next) {
            next = c->next_id;
            put_id(h, c);
        }
    free(old);
}

static struct conn *conn_by_sock(struct host *h, net_sock sock)
{
    return sock < h->sock_cap ? h->by_sock[sock] : NULL;
}

static struct conn *conn_add(struct host *h, enum conn_kind kind, io_id id, net_sock sock)
{
    struct conn *c = calloc(1, sizeof *c);
    assert(c);
    *c = (struct conn){.host = h, .kind = kind, .id = id, .sock = sock};
    if (++h->id_count > h->id_buckets)
        grow_ids(h);
    put_id(h, c);
    *slot(&h->by_sock, &h->sock_cap, sock) = c;
    return c;
}

/* The core knows this connection no longer. */
static void conn_forget_id(struct host *h, struct conn *c)
{
    if (c->id == IO_NONE)
        return;
    struct conn **link = bucket_of(h, c->id);
    while (*link != c)
        link = &(*link)->next_id;
    *link = c->next_id;
    h->id_count--;
    c->id = IO_NONE;
}

static void part(struct host *h, struct conn *c)
{
    if (!c->splice)
        return;
    if (h->hooks.part)
        h->hooks.part(h->hooks.ctx, c->sock, c->splice->sock);
    c->splice = c->splice->splice = NULL;
}

/* The socket is gone, or going by itself. */
static void conn_remove(struct host *h, struct conn *c)
{
    part(h, c);
    conn_forget_id(h, c);
    if (c->linger)
        net_of(h)->timer_cancel(h->net, c->linger);
    h->by_sock[c->sock] = NULL;
    conn_free(c);
}

/* ---- events to the core ---- */

static struct pending *pend(struct host *h)
{
    if (h->pending_count == h->pending_cap) {
        h->pending_cap = h->pending_cap ? 2 * h->pending_cap : 16;
        h->pending = realloc(h->pending, h->pending_cap * sizeof *h->pending);
        assert(h->pending);
    }
    struct pending *p = &h->pending[h->pending_count++];
    *p = (struct pending){0};
    return p;
}

static void pend_event(struct host *h, enum io_event event, const struct conn *c, int err)
{
    struct io_in in = {.event = event, .id = c->id, .err = err, .local = c->local, .remote = c->remote};
    pend(h)->in = in;
}

static void pend_pump(struct host *h, const struct conn *c)
{
    struct pending *p = pend(h);
    p->what = PENDING_PUMP;
    p->in.id = c->id;
}

static void do_op(struct host *h, const struct io_out *op);

static void input(struct host *h, const struct io_in *in)
{
    io_set_now(h->core.io, net_of(h)->now(h->net) + h->ahead_ns);
    h->core.ops->input(h->core.self, in);
    struct io_out op;
    while (io_poll(h->core.io, &op))
        do_op(h, &op);
}

static void pump(struct host *h, struct conn *c);

static void tick(void *ctx)
{
    struct host *h = ctx;
    h->timer = 0;
    h->timer_at = TIME_NEVER;
    pend(h)->in.event = IO_TICK;
    host_event(h, NULL);
}

static void arm(struct host *h)
{
    uint64_t at = h->core.ops ? h->core.ops->deadline(h->core.self) : TIME_NEVER;
    if (at == h->timer_at)
        return;
    if (h->timer)
        net_of(h)->timer_cancel(h->net, h->timer);
    uint64_t now = net_of(h)->now(h->net) + h->ahead_ns;
    h->timer = at == TIME_NEVER ? 0 : net_of(h)->timer_set(h->net, (at < now ? now : at) - h->ahead_ns, tick, h);
    h->timer_at = at;
}

/* Tells the core all that is pending, and what comes of that, in order. Not re-entrant, and need not be: nothing below
 * calls it. */
static void settle(struct host *h)
{
    assert(!h->delivering);
    h->delivering = true;
    while (h->pending_at < h->pending_count) {
        struct pending p = h->pending[h->pending_at++];
        struct conn *c = p.in.id ? conn_by_id(h, p.in.id) : NULL;
        if (p.what == PENDING_EVENT)
            input(h, &p.in);
        else if (p.what == PENDING_PUMP && c)
            pump(h, c);
    }
    h->pending_at = h->pending_count = 0;
    h->delivering = false;
    arm(h);
}

/* ---- sending ---- */

static void backlog_add(struct backlog *b, const uint8_t *data, size_t len)
{
    if (b->from && b->from + b->len + len > b->cap) {
        memmove(b->buf, b->buf + b->from, b->len);
        b->from = 0;
    }
    if (b->from + b->len + len > b->cap) {
        size_t cap = b->cap ? b->cap : 4096;
        while (cap < b->len + len)
            cap *= 2;
        b->buf = realloc(b->buf, cap);
        assert(b->buf);
        b->cap = cap;
    }
    memcpy(b->buf + b->from + b->len, data, len);
    b->len += len;
}

static void flush(struct host *h, struct conn *c)
{
    struct backlog *b = &c->out;
    while (c->kind == CONN_OPEN && b->len) {
        size_t n = net_of(h)->tcp_send(h->net, c->sock, b->buf + b->from, b->len);
        if (n == 0)
            return;
        b->from += n;
        b->len -= n;
    }
    if (b->len == 0) { /* a thousand that were blocked once do not keep a thousand buffers */
        free(b->buf);
        *b = (struct backlog){0};
    }
}

static void send_bytes(struct host *h, struct conn *c, const uint8_t *data, size_t len)
{
    size_t taken = 0;
    if (c->kind == CONN_OPEN && c->out.len == 0)
        taken = net_of(h)->tcp_send(h->net, c->sock, data, len);
    if (taken < len)
        backlog_add(&c->out, data + taken, len - taken);
    if (c->out.len > h->most_waiting)
        h->most_waiting = c->out.len;
}

/* ---- closing ---- */

static void close_socket(struct host *h, struct conn *c)
{
    net_of(h)->sock_close(h->net, c->sock);
    conn_remove(h, c);
}

static void linger_over(void *ctx)
{
    struct conn *c = ctx;
    struct host *h = c->host;
    c->linger = 0;
    net_of(h)->tcp_abort(h->net, c->sock);
    conn_remove(h, c);
}

static void linger_from_now(struct host *h, struct conn *c)
{
    if (c->linger)
        net_of(h)->timer_cancel(h->net, c->linger);
    c->linger = net_of(h)->timer_set(h->net, net_of(h)->now(h->net) + LINGER_NS, linger_over, c);
}

/* FIN, once what goes before it has been taken. */
static void end_sending(struct host *h, struct conn *c)
{
    if (c->kind != CONN_OPEN || c->out.len || c->fin_sent)
        return;
    c->fin_sent = true;
    net_of(h)->tcp_shutdown(h->net, c->sock);
}

/* The core is done with this connection. Its backlog goes, then the FIN; what the peer still sends is read and thrown
 * away until it ends too, for a socket that is closed with bytes unread resets, and takes back what was under way. */
static void close_on(struct host *h, struct conn *c)
{
    if (c->out.len) /* the rest when the socket takes more */
        return;
    if (!c->eof_read) { /* else there is nothing to wait for, and the close is the FIN */
        end_sending(h, c);
        while (net_of(h)->tcp_recv(h->net, c->sock, h->chunk, READ_CHUNK, &c->eof_read))
            ;
    }
    if (c->eof_read)
        close_socket(h, c);
}

static void close_gently(struct host *h, struct conn *c)
{
    part(h, c);
    conn_forget_id(h, c);
    if (c->kind == CONN_LISTENER || c->kind == CONN_UDP || (c->kind == CONN_OPENING && !c->out.len)) {
        close_socket(h, c);
        return;
    }
    c->closing = true;
    linger_from_now(h, c);
    flush(h, c);
    if (c->kind == CONN_OPEN)
        close_on(h, c);
}

/* The core has let go of id: what was still to be told about it is void (io.h: no event follows). */
static void void_pending(struct host *h, io_id id)
{
    for (size_t i = h->pending_at; i < h->pending_count; i++)
        if (h->pending[i].in.id == id)
            h->pending[i].what = PENDING_VOID;
}

/* A spliced pair is over: of one side the socket is gone, or both have ended. The core hears of both. */
static void splice_end(struct host *h, struct conn *gone, int err, bool socket_gone)
{
    struct conn *other = gone->splice;
    gone->splice = other->splice = NULL;
    pend_event(h, IO_CLOSED, gone, err);
    pend_event(h, IO_CLOSED, other, err);
    close_gently(h, other);
    if (socket_gone)
        conn_remove(h, gone);
    else
        close_gently(h, gone);
}

/* ---- receiving ---- */

/* Moves bytes one way as long as the other side takes them: at most one chunk waits in its backlog. Behind the last of
 * them goes the FIN; the other direction stays until that ends too. */
static void splice_move(struct host *h, struct conn *from)
{
    struct conn *to = from->splice;
    while (to->out.len == 0 && !from->eof_read && !h->deaf) {
        size_t n = net_of(h)->tcp_recv(h->net, from->sock, h->chunk, READ_CHUNK, &from->eof_read);
        if (n == 0 && !from->eof_read)
            return;
        if (n)
            send_bytes(h, to, h->chunk, n);
    }
    if (!from->eof_read || to->out.len)
        return;
    if (from->fin_sent) /* the other direction has ended before */
        splice_end(h, from, 0, false);
    else
        end_sending(h, to);
}

static void pump(struct host *h, struct conn *c)
{
    if (h->deaf)
        return;
    if (c->splice || c->closing) {
        if (c->splice)
            splice_move(h, c);
        else
            close_on(h, c);
        return;
    }
    io_id id = c->id;
    while (c && c->kind == CONN_OPEN && c->reading && !c->splice && !c->eof_told) {
        bool eof = false;
        size_t n = net_of(h)->tcp_recv(h->net, c->sock, h->chunk, READ_CHUNK, &eof);
        if (n == 0 && !eof)
            return;
        struct io_in in = {.event = IO_DATA, .id = id, .local = c->local, .remote = c->remote};
        if (n == 0) {
            in.event = IO_EOF;
            c->eof_told = true;
        } else {
            in.data = h->chunk;
            in.len = n;
        }
        input(h, &in);
        c = conn_by_id(h, id);
    }
}

static void writable(struct host *h, struct conn *c)
{
    flush(h, c);
    if (c->closing) {
        linger_from_now(h, c);
        close_on(h, c);
        return;
    }
    if (c->blocked && c->out.len <= LOW_WATER) {
        c->blocked = false;
        pend_event(h, IO_WRITABLE, c, 0);
    }
    if (c->splice && c->out.len == 0)
        splice_move(h, c->splice);
}

/* ---- operations ---- */

static void fail_later(struct host *h, const struct io_out *op, int err)
{
    pend(h)->in = (struct io_in){
        .event = IO_FAILED, .id = op->id, .err = err, .local = op->local, .remote = op->remote};
}

static void op_open(struct host *h, const struct io_out *op)
{
    net_sock sock = 0;
    bool connect = op->op == IO_OP_CONNECT;
    if ((connect ? op->remote.port : op->op == IO_OP_LISTEN ? op->local.port : 1) == 0) {
        fail_later(h, op, E_RANGE); /* io.h: a listener has a port, and so has whom one connects to */
        return;
    }
    int err = h->exhausted ? E_NOMEM
              : connect ? net_of(h)->tcp_connect(h->net, h->node, &op->local, &op->remote, &sock)
              : op->op == IO_OP_UDP ? net_of(h)->udp_open(h->net, h->node, &op->local, &sock)
                                    : net_of(h)->tcp_listen(h->net, h->node, &op->local, &sock);
    if (err) {
        fail_later(h, op, err);
        return;
    }
    enum conn_kind kind = connect ? CONN_OPENING : op->op == IO_OP_UDP ? CONN_UDP : CONN_LISTENER;
    struct conn *c = conn_add(h, kind, op->id, sock);
    c->local = op->local;
    c->remote = op->remote;
    if (!connect)
        pend_event(h, IO_OPENED, c, 0);
}

static void op_message(struct host *h, const struct conn *c, const struct io_out *op)
{
    if (!h->hooks.message || !op->label)
        return;
    bool udp = op->op == IO_OP_SENDTO;
    struct host_message m = {
        .host = io_name(h->core.io), .local = c->local, .remote = udp ? op->remote : c->remote,
        .proto = udp ? PROTO_UDP : PROTO_TCP, .label = op->label, .data = op->data, .len = op->len,
    };
    h->hooks.message(h->hooks.ctx, net_of(h)->now(h->net), &m);
}

static void op_send(struct host *h, struct conn *c, const struct io_out *op)
{
    op_message(h, c, op);
    send_bytes(h, c, op->data, op->len);
    if (!c->blocked && c->out.len > HOST_HIGH_WATER) {
        c->blocked = true;
        pend_event(h, IO_BLOCKED, c, 0);
    }
}

/* UDP may lose it: no error to tell. */
static void op_sendto(struct host *h, const struct conn *c, const struct io_out *op)
{
    const struct net_ops *net = net_of(h);
    bool whole = op->dont_fragment && net->udp_send_whole;
    op_message(h, c, op);
    (whole ? net->udp_send_whole : net->udp_send)(h->net, c->sock, &op->remote, op->data, op->len);
}

/* Who has not even read its answers goes nowhere. */
static void op_give(struct host *h, struct conn *c, const struct io_out *op)
{
    struct host_gift g = {c->sock, c->local, c->remote, op->data, op->len};
    if (h->hooks.give && c->out.len == 0)
        h->hooks.give(h->hooks.ctx, (unsigned)op->other, &g);
    else
        net_of(h)->tcp_abort(h->net, c->sock);
    conn_remove(h, c);
}

static void op_splice(struct host *h, struct conn *a, struct conn *b)
{
    if (h->hooks.splice)
        h->hooks.splice(h->hooks.ctx, a->sock, a->out.len, b->sock, b->out.len);
    a->splice = b;
    b->splice = a;
    pend_pump(h, a);
    pend_pump(h, b);
}

static void op_note(struct host *h, const struct io_out *op)
{
    if (!h->hooks.note)
        return;
    struct host_note n = {
        .host = io_name(h->core.io), .note = op->note, .remote = op->remote, .text = op->label};
    h->hooks.note(h->hooks.ctx, net_of(h)->now(h->net), &n);
}

static void do_op(struct host *h, const struct io_out *op)
{
    struct conn *c = op->id ? conn_by_id(h, op->id) : NULL;
    switch (op->op) {
    case IO_OP_LISTEN:
    case IO_OP_CONNECT:
    case IO_OP_UDP:
        op_open(h, op);
        return;
    case IO_OP_NOTE:
        op_note(h, op);
        return;
    default:
        break;
    }
    if (op->op == IO_OP_CLOSE || op->op == IO_OP_ABORT || op->op == IO_OP_GIVE)
        void_pending(h, op->id);
    if (!c)
        return; /* the connection ended while the core was speaking of it; its IO_CLOSED is on the way */
    switch (op->op) {
    case IO_OP_SEND:
        op_send(h, c, op);
        return;
    case IO_OP_SENDTO:
        op_sendto(h, c, op);
        return;
    case IO_OP_READ_ON:
        c->reading = true;
        pend_pump(h, c);
        return;
    case IO_OP_READ_OFF:
        c->reading = false;
        return;
    case IO_OP_SPLICE: {
        struct conn *other = conn_by_id(h, op->other);
        if (other)
            op_splice(h, c, other);
        return;
    }
    case IO_OP_CLOSE:
        close_gently(h, c);
        return;
    case IO_OP_GIVE:
        op_give(h, c, op);
        return;
    case IO_OP_ABORT:
        if (c->kind == CONN_OPEN || c->kind == CONN_OPENING)
            net_of(h)->tcp_abort(h->net, c->sock);
        else
            net_of(h)->sock_close(h->net, c->sock);
        conn_remove(h, c);
        return;
    default:
        assert(false && "an operation without a case");
    }
}

/* ---- events from the world ---- */

static void accepted(struct host *h, const struct net_event *ev)
{
    struct conn *listener = conn_by_sock(h, ev->sock);
    if (!listener) { /* closed while the handshake was going on */
        net_of(h)->tcp_abort(h->net, ev->accepted);
        return;
    }
    struct conn *c = conn_add(h, CONN_OPEN, io_new_id(h->core.io, io_owner(listener->id)), ev->accepted);
    c->local = ev->local;
    c->remote = ev->remote;
    pend_event(h, IO_ACCEPTED, c, 0);
    h->pending[h->pending_count - 1].in.other = listener->id;
}

static void connected(struct host *h, struct conn *c, const struct net_event *ev)
{
    c->kind = CONN_OPEN;
    c->local = ev->local;
    c->remote = ev->remote;
    if (c->id)
        pend_event(h, IO_OPENED, c, 0);
    if (c->out.len || c->closing)
        writable(h, c);
}

static void ended(struct host *h, struct conn *c, enum io_event event, int err)
{
    if (c->splice) {
        splice_end(h, c, err, true);
        return;
    }
    if (c->id)
        pend_event(h, event, c, err);
    conn_remove(h, c);
}

static void datagram(struct host *h, const struct conn *c, const struct net_event *ev)
{
    struct io_in in = {.event = IO_DATAGRAM, .id = c->id, .local = ev->local, .remote = ev->remote,
                       .data = ev->data, .len = ev->len};
    input(h, &in);
}

static void icmp(struct host *h, const struct conn *c, const struct net_event *ev)
{
    struct io_in in = {.event = IO_ICMP, .id = c->id, .local = ev->local, .remote = ev->remote,
                       .icmp = {ev->icmp_type, ev->icmp_code, ev->icmp_mtu}};
    input(h, &in);
}

void host_event(void *host, const struct net_event *ev)
{
    struct host *h = host;
    struct conn *c = ev ? conn_by_sock(h, ev->sock) : NULL;
    if (ev && ev->kind == NET_ACCEPTED)
        accepted(h, ev);
    else if (c)
        switch (ev->kind) {
        case NET_CONNECTED:
            connected(h, c, ev);
            break;
        case NET_FAILED:
            ended(h, c, IO_FAILED, ev->err);
            break;
        case NET_CLOSED:
            ended(h, c, IO_CLOSED, ev->err);
            break;
        case NET_READABLE:
            pump(h, c);
            break;
        case NET_WRITABLE:
            writable(h, c);
            break;
        case NET_DATAGRAM:
            datagram(h, c, ev);
            break;
        case NET_ICMP:
            icmp(h, c, ev);
            break;
        case NET_ACCEPTED:
            break;
        }
    settle(h);
}

void host_take(struct host *h, const struct host_gift *g)
{
    struct conn *c = conn_add(h, CONN_OPEN, io_new_id(h->core.io, 0), g->sock);
    c->local = g->local;
    c->remote = g->remote;
    pend_event(h, IO_ACCEPTED, c, 0);
    h->pending[h->pending_count - 1].in.data = g->data;
    h->pending[h->pending_count - 1].in.len = g->len;
    settle(h);
}

static void start(void *ctx)
{
    struct host *h = ctx;
    h->starting = 0;
    pend(h)->in.event = IO_START;
    host_event(h, NULL);
}

void host_start(struct host *h, net_node node, uint64_t when_ns)
{
    h->node = node;
    h->starting = net_of(h)->timer_set(h->net, when_ns, start, h);
}

/* ---- faults ---- */

static void cancel(struct host *h, net_timer *timer)
{
    if (*timer)
        net_of(h)->timer_cancel(h->net, *timer);
    *timer = 0;
}

static void conn_reset(struct host *h, struct conn *c)
{
    if (c->kind == CONN_OPEN || c->kind == CONN_OPENING)
        net_of(h)->tcp_abort(h->net, c->sock);
    else
        net_of(h)->sock_close(h->net, c->sock);
    conn_remove(h, c);
}

void host_stop(struct host *h)
{
    assert(!h->delivering);
    cancel(h, &h->timer);
    cancel(h, &h->starting);
    h->timer_at = TIME_NEVER;
    for (size_t i = 0; i < h->sock_cap; i++)
        if (h->by_sock[i])
            conn_reset(h, h->by_sock[i]);
    h->core = (struct core){0};
}

void host_boot(struct host *h, const struct core *core, uint64_t when_ns)
{
    h->core = *core;
    h->starting = net_of(h)->timer_set(h->net, when_ns, start, h);
}

void host_deafen(struct host *h, bool deaf)
{
    h->deaf = deaf;
    for (size_t i = 0; !deaf && i < h->sock_cap; i++)
        if (h->by_sock[i] && h->by_sock[i]->kind == CONN_OPEN)
            pump(h, h->by_sock[i]);
    settle(h);
}

void host_exhaust(struct host *h, bool exhausted)
{
    h->exhausted = exhausted;
}

void host_stats(const struct host *h, struct host_stats *out)
{
    *out = (struct host_stats){.most_waiting = h->most_waiting};
    for (size_t i = 0; i < h->sock_cap; i++) {
        const struct conn *c = h->by_sock[i];
        if (!c)
            continue;
        out->listeners += c->kind == CONN_LISTENER;
        out->udp += c->kind == CONN_UDP;
        out->connections += c->kind == CONN_OPEN || c->kind == CONN_OPENING;
        out->closing += c->closing;
    }
}

void host_skew(struct host *h, uint64_t ahead_ns)
{
    h->ahead_ns += ahead_ns;
    h->timer_at = TIME_NEVER - 1; /* what is due is due otherwise now */
    arm(h);
}
