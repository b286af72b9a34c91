/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/testkit/pipe.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/testkit/testkit.h"

enum { HIGH_WATER = 256 * 1024, ADDRESSES = 4, STORY_MAX = 64 * 1024 };

struct bytes {
    uint8_t *p;
    size_t len, cap;
};

static void bytes_add(struct bytes *b, const void *data, size_t len)
{
    if (b->len + len > b->cap) {
        b->cap = 2 * (b->len + len);
        b->p = realloc(b->p, b->cap);
        assert(b->p);
    }
    if (len)
        memcpy(b->p + b->len, data, len);
    b->len += len;
}

static void bytes_drop(struct bytes *b, size_t len)
{
    assert(len <= b->len);
    b->len -= len;
    if (b->len)
        memmove(b->p, b->p + len, b->len);
}

struct host {
    struct host *next;
    struct core core;
    struct ip_addr ip[ADDRESSES];
    size_t ip_count;
    uint16_t next_port;
};

enum end_kind { TCP, LISTENER, UDP };

/* One end of a TCP connection, a listener, or a UDP socket. None is freed before the pipe is. */
struct end {
    struct raw raw; /* first, so that a test's struct raw is an end */
    enum end_kind kind;
    struct end *next;
    struct host *host; /* NULL: raw */
    io_id id;
    struct end *peer, *splice, *listener;
    struct bytes out, in, got; /* sent and kept back by the window; come and not read; read by a test */
    size_t in_flight;
    uint64_t opened_ns;
    bool let_go; /* its core has closed it and hears no more */
    bool deaf;   /* closed: bytes that still come are answered with RST */
    bool taken;  /* accepted by the test */
    bool reading, fin_wanted, fin_sent, fin_came, eof_told, blocked;
};

enum event_kind { EV_TELL, EV_SYN, EV_ANSWER, EV_DATA, EV_FIN, EV_RST, EV_PUMP, EV_DATAGRAM };

struct event {
    uint64_t at;
    enum event_kind kind;
    struct host *host;
    struct end *end;
    struct io_in in;    /* TELL, DATAGRAM; ANSWER: err */
    struct bytes bytes; /* DATA, DATAGRAM */
};

struct rule {
    struct endpoint to;
    enum pipe_policy policy;
};

struct pipe {
    uint64_t now, delay;
    size_t window, cut;
    struct rng rng;
    unsigned lost, twice, late; /* of a hundred datagrams */
    struct host *hosts, **hosts_tail;
    struct end *ends, **ends_tail;
    struct event *queue; /* by time, then in the order asked for */
    size_t queued, queue_cap;
    struct rule rules[16];
    size_t rule_count;
    struct pipe_entry *log;
    size_t log_count, log_cap;
    char story[STORY_MAX];
};

struct pipe *pipe_new(uint64_t delay_ns)
{
    struct pipe *p = calloc(1, sizeof *p);
    assert(p);
    p->delay = delay_ns;
    p->window = 64 * 1024;
    p->cut = SIZE_MAX;
    p->hosts_tail = &p->hosts;
    p->ends_tail = &p->ends;
    return p;
}

void pipe_free(struct pipe *p)
{
    for (struct end *e = p->ends, *next; e; e = next) {
        next = e->next;
        free(e->out.p);
        free(e->in.p);
        free(e->got.p);
        free(e);
    }
    for (struct host *h = p->hosts, *next; h; h = next) {
        next = h->next;
        free(h);
    }
    for (size_t i = 0; i < p->queued; i++)
        free(p->queue[i].bytes.p);
    free(p->queue);
    free(p->log);
    free(p);
}

uint64_t pipe_now(const struct pipe *p)
{
    return p->now;
}

void pipe_window(struct pipe *p, size_t bytes)
{
    p->window = bytes;
}

void pipe_trouble(struct pipe *p, uint64_t seed, unsigned lost, unsigned twice, unsigned late)
{
    p->rng = rng_named(seed, "pipe/trouble");
    p->lost = lost;
    p->twice = twice;
    p->late = late;
}

void pipe_cut(struct pipe *p, size_t bytes)
{
    p->cut = bytes;
}

void pipe_policy(struct pipe *p, const char *endpoint, enum pipe_policy policy)
{
    assert(p->rule_count < sizeof p->rules / sizeof *p->rules);
    p->rules[p->rule_count++] = (struct rule){kit_endpoint(endpoint), policy};
}

static enum pipe_policy policy_of(const struct pipe *p, const struct endpoint *to)
{
    for (size_t i = p->rule_count; i-- > 0;) {
        const struct endpoint *r = &p->rules[i].to;
        if (ip_equal(&r->ip, &to->ip) && (r->port == 0 || r->port == to->port))
            return p->rules[i].policy;
    }
    return PIPE_ACCEPT;
}

/* ---- events ---- */

static struct event *later(struct pipe *p, uint64_t delay, enum event_kind kind, struct end *end)
{
    if (p->queued == p->queue_cap) {
        p->queue_cap = p->queue_cap ? 2 * p->queue_cap : 64;
        p->queue = realloc(p->queue, p->queue_cap * sizeof *p->queue);
        assert(p->queue);
    }
    size_t i = p->queued++;
    for (; i > 0 && p->queue[i - 1].at > p->now + delay; i--)
        p->queue[i] = p->queue[i - 1];
    p->queue[i] = (struct event){.at = p->now + delay, .kind = kind, .end = end, .host = end ? end->host : NULL};
    return &p->queue[i];
}

/* The core, or the test, learns something about an end. */
static void tell(struct pipe *p, struct end *e, enum io_event event, int err, io_id other)
{
    if (!e->host) {
        e->raw.err = err;
        return;
    }
    later(p, 0, EV_TELL, e)->in = (struct io_in){.event = event, .id = e->id, .other = other, .err = err,
                                                 .local = e->raw.local, .remote = e->raw.remote};
}

/* ---- hosts and ends ---- */

static struct host *host_of(struct pipe *p, const struct core *core)
{
    for (struct host *h = p->hosts; h; h = h->next)
        if (h->core.io == core->io)
            return h;
    assert(false && "no host for that core");
    return NULL;
}

void pipe_host(struct pipe *p, const struct core *core, const char *ip)
{
    struct host *h = calloc(1, sizeof *h);
    assert(h);
    h->core = *core;
    h->next_port = 49152;
    *p->hosts_tail = h;
    p->hosts_tail = &h->next;
    pipe_address(p, core, ip);
    struct event *ev = later(p, 0, EV_TELL, NULL);
    ev->host = h;
    ev->in.event = IO_START;
}

void pipe_address(struct pipe *p, const struct core *core, const char *ip)
{
    struct host *h = host_of(p, core);
    assert(h->ip_count < ADDRESSES);
    h->ip[h->ip_count++] = kit_ip(ip);
}

void pipe_first_port(struct pipe *p, const struct core *core, uint16_t port)
{
    host_of(p, core)->next_port = port;
}

static bool owns(const struct host *h, const struct ip_addr *ip)
{
    for (size_t i = 0; i < h->ip_count; i++)
        if (ip_equal(&h->ip[i], ip))
            return true;
    return false;
}

static struct end *end_new(struct pipe *p, enum end_kind kind, struct host *host, io_id id,
                           const struct endpoint *local)
{
    struct end *e = calloc(1, sizeof *e);
    assert(e);
    e->kind = kind;
    e->host = host;
    e->id = id;
    e->raw.local = *local;
    e->reading = !host;
    *p->ends_tail = e;
    p->ends_tail = &e->next;
    return e;
}

static struct end *end_by_id(struct pipe *p, const struct host *h, io_id id)
{
    for (struct end *e = p->ends; e; e = e->next)
        if (e->host == h && e->id == id && !e->let_go)
            return e;
    return NULL;
}

/* A socket of that kind that takes what is sent to this address. */
static struct end *bound_to(struct pipe *p, enum end_kind kind, const struct endpoint *to)
{
    for (struct end *e = p->ends; e; e = e->next) {
        if (e->kind != kind || e->raw.state == RAW_GONE || e->raw.local.port != to->port)
            continue;
        bool any = ip_is_any(&e->raw.local.ip) && e->host;
        if (any ? owns(e->host, &to->ip) : ip_equal(&e->raw.local.ip, &to->ip))
            return e;
    }
    return NULL;
}

static struct end *end_of_tuple(struct pipe *p, const struct endpoint *local, const struct endpoint *remote)
{
    for (struct end *e = p->ends; e; e = e->next)
        if (e->kind == TCP && e->raw.state != RAW_GONE && !e->fin_sent && endpoint_equal(&e->raw.local, local) &&
            endpoint_equal(&e->raw.remote, remote))
            return e;
    return NULL;
}

/* ---- TCP ---- */

static void pump_later(struct pipe *p, struct end *e)
{
    later(p, 0, EV_PUMP, e);
}

/* Puts on the wire what the other side has room for, and the FIN behind it. */
static void transmit(struct pipe *p, struct end *e)
{
    if (e->raw.state != RAW_OPEN || !e->peer)
        return;
    size_t used = e->peer->in.len + e->in_flight, room = used < p->window ? p->window - used : 0;
    size_t n = e->out.len < room ? e->out.len : room;
    if (n) {
        bytes_add(&later(p, p->delay, EV_DATA, e->peer)->bytes, e->out.p, n);
        bytes_drop(&e->out, n);
        e->in_flight += n;
    }
    if (n && e->out.len == 0 && e->splice)
        pump_later(p, e->splice);
    if (e->out.len == 0 && e->fin_wanted && !e->fin_sent) {
        e->fin_sent = true;
        later(p, p->delay, EV_FIN, e->peer);
    }
    if (e->blocked && e->out.len <= HIGH_WATER / 2) {
        e->blocked = false;
        tell(p, e, IO_WRITABLE, 0, IO_NONE);
    }
}

static void send_bytes(struct pipe *p, struct end *e, const void *data, size_t len)
{
    bytes_add(&e->out, data, len);
    transmit(p, e);
    if (!e->blocked && e->host && e->out.len > HIGH_WATER) {
        e->blocked = true;
        tell(p, e, IO_BLOCKED, 0, IO_NONE);
    }
}

static void close_gently(struct pipe *p, struct end *e)
{
    if (e->kind != TCP || e->raw.state != RAW_OPEN)
        e->raw.state = RAW_GONE;
    e->splice = NULL;
    e->fin_wanted = e->deaf = true;
    transmit(p, e);
}

static void abort_end(struct pipe *p, struct end *e)
{
    if (e->raw.state == RAW_OPEN && e->peer)
        later(p, p->delay, EV_RST, e->peer);
    e->raw.state = RAW_GONE;
    if (e->splice)
        e->splice->splice = NULL;
    e->splice = NULL;
}

/* A pair is over: both are closed behind what is on its way, and the core hears of both. */
static void splice_end(struct pipe *p, struct end *ended, int err)
{
    struct end *other = ended->splice;
    tell(p, ended, IO_CLOSED, err, IO_NONE);
    tell(p, other, IO_CLOSED, err, IO_NONE);
    close_gently(p, ended);
    close_gently(p, other);
}

static void splice_move(struct pipe *p, struct end *from)
{
    struct end *to = from->splice;
    if (to->out.len == 0 && from->in.len) {
        bytes_add(&to->out, from->in.p, from->in.len);
        bytes_drop(&from->in, from->in.len);
        transmit(p, to);
        transmit(p, from->peer);
    }
    if (from->in.len == 0 && from->fin_came) { /* passed on; the other direction stays until that ends too */
        to->fin_wanted = true;
        transmit(p, to);
        if (to->in.len == 0 && to->fin_came)
            splice_end(p, from, 0);
    }
}

static void input(struct pipe *p, struct host *h, const struct io_in *in);

static void pump_core(struct pipe *p, struct end *e)
{
    struct io_in in = {.id = e->id, .local = e->raw.local, .remote = e->raw.remote};
    while (e->in.len && e->reading && !e->splice && !e->let_go && e->raw.state == RAW_OPEN) {
        struct bytes chunk = {0};
        size_t n = e->in.len < p->cut ? e->in.len : p->cut;
        bytes_add(&chunk, e->in.p, n);
        bytes_drop(&e->in, n);
        in.event = IO_DATA;
        in.data = chunk.p;
        in.len = n;
        input(p, e->host, &in);
        free(chunk.p);
    }
    transmit(p, e->peer);
    if (!e->in.len && e->fin_came && e->reading && !e->splice && !e->eof_told && !e->let_go &&
        e->raw.state == RAW_OPEN) {
        e->eof_told = true;
        in.event = IO_EOF;
        input(p, e->host, &in);
    }
}

/* Hands over what has come, to whom it is for. */
static void pump(struct pipe *p, struct end *e)
{
    if (e->kind != TCP || e->raw.state != RAW_OPEN || e->deaf)
        return;
    if (e->splice) {
        splice_move(p, e);
    } else if (e->host) {
        pump_core(p, e);
    } else if (e->reading) {
        bytes_add(&e->got, e->in.p, e->in.len);
        bytes_drop(&e->in, e->in.len);
        e->raw.got = e->got.p;
        e->raw.got_len = e->got.len;
        e->raw.eof = e->fin_came;
        transmit(p, e->peer);
    }
}

static void opened(struct pipe *p, struct end *e)
{
    e->raw.state = RAW_OPEN;
    tell(p, e, IO_OPENED, 0, IO_NONE);
    transmit(p, e);
}

static void failed(struct pipe *p, struct end *e, int err)
{
    e->raw.state = RAW_GONE;
    tell(p, e, IO_FAILED, err, IO_NONE);
}

static void answer_later(struct pipe *p, struct end *e, int err)
{
    later(p, p->delay, EV_ANSWER, e)->in.err = err;
}

static void accept_syn(struct pipe *p, struct end *from, struct end *listener)
{
    io_id id = listener->host ? io_new_id(listener->host->core.io, io_owner(listener->id)) : IO_NONE;
    struct end *e = end_new(p, TCP, listener->host, id, &from->raw.remote);
    e->raw.remote = from->raw.local;
    e->raw.state = RAW_OPEN;
    e->listener = listener;
    e->peer = from;
    from->peer = e;
    tell(p, e, IO_ACCEPTED, 0, listener->id);
    answer_later(p, from, 0);
}

static void syn_arrives(struct pipe *p, struct end *from)
{
    if (from->raw.state != RAW_OPENING)
        return;
    enum pipe_policy policy = policy_of(p, &from->raw.remote);
    struct end *listener = bound_to(p, LISTENER, &from->raw.remote);
    struct end *there = end_of_tuple(p, &from->raw.remote, &from->raw.local);
    if (policy == PIPE_BLACK_HOLE) {
        if (p->now - from->opened_ns < PIPE_SYN_TIMEOUT)
            later(p, NS_S, EV_SYN, from);
        else
            answer_later(p, from, E_TIMED_OUT);
    } else if (policy == PIPE_UNREACHABLE) {
        answer_later(p, from, E_UNREACHABLE);
    } else if (policy == PIPE_ACCEPT && there && there->raw.state == RAW_OPENING) { /* simultaneous open */
        there->peer = from;
        from->peer = there;
        opened(p, there);
        opened(p, from);
    } else if (policy == PIPE_ACCEPT && listener && !there) {
        accept_syn(p, from, listener);
    } else {
        answer_later(p, from, E_REFUSED);
    }
}

static void answer_arrives(struct pipe *p, struct end *e, int err)
{
    if (e->raw.state == RAW_OPENING && err)
        failed(p, e, err);
    else if (e->raw.state == RAW_OPENING)
        opened(p, e);
    else if (!err && e->peer) /* given up meanwhile */
        later(p, p->delay, EV_RST, e->peer);
}

static void data_arrives(struct pipe *p, struct end *e, const struct bytes *b)
{
    e->peer->in_flight -= b->len;
    if (e->raw.state == RAW_GONE || e->deaf) { /* RFC 1122 4.2.2.13: nobody is left to read it */
        later(p, p->delay, EV_RST, e->peer);
        return;
    }
    bytes_add(&e->in, b->p, b->len);
    pump(p, e);
}

static void reset_arrives(struct pipe *p, struct end *e)
{
    if (e->raw.state == RAW_GONE)
        return;
    e->raw.state = RAW_GONE;
    if (e->splice)
        splice_end(p, e, E_RESET);
    else
        tell(p, e, IO_CLOSED, E_RESET, IO_NONE);
}

/* ---- operations of cores ---- */

static void op_open(struct pipe *p, struct host *h, const struct io_out *op)
{
    bool connect = op->op == IO_OP_CONNECT;
    enum end_kind kind = connect ? TCP : op->op == IO_OP_UDP ? UDP : LISTENER;
    struct endpoint local = op->local;
    for (size_t i = 0; connect && ip_is_any(&local.ip) && i < h->ip_count; i++)
        if (h->ip[i].family == op->remote.ip.family)
            local.ip = h->ip[i];
    if (local.port == 0 && kind != LISTENER)
        local.port = h->next_port++;
    bool here = ip_is_any(&local.ip) ? !connect : owns(h, &local.ip);
    bool taken = connect ? end_of_tuple(p, &local, &op->remote) != NULL : bound_to(p, kind, &local) != NULL;
    struct end *e = end_new(p, kind, h, op->id, &local);
    e->raw.remote = op->remote;
    e->opened_ns = p->now;
    if (!here || taken || local.port == 0)
        failed(p, e, !here ? E_UNREACHABLE : E_EXISTS);
    else if (connect)
        later(p, p->delay, EV_SYN, e);
    else
        opened(p, e);
}

static void log_op(struct pipe *p, const struct host *h, const struct end *e, const struct io_out *op)
{
    if (p->log_count == p->log_cap) {
        p->log_cap = p->log_cap ? 2 * p->log_cap : 64;
        p->log = realloc(p->log, p->log_cap * sizeof *p->log);
        assert(p->log);
    }
    struct pipe_entry *l = &p->log[p->log_count++];
    *l = (struct pipe_entry){.t_ns = p->now, .host = io_name(h->core.io), .len = op->len,
                             .is_note = op->op == IO_OP_NOTE, .note = op->note,
                             .remote = op->op == IO_OP_SEND && e ? e->raw.remote : op->remote};
    snprintf(l->text, sizeof l->text, "%s", op->label);
}

static void datagram_later(struct pipe *p, uint64_t delay, const struct end *from, struct end *to,
                           const struct io_out *op)
{
    struct event *ev = later(p, delay, EV_DATAGRAM, to);
    ev->in = (struct io_in){.event = IO_DATAGRAM, .id = to->id, .local = op->remote, .remote = from->raw.local};
    for (size_t i = from->host->ip_count; ip_is_any(&from->raw.local.ip) && i-- > 0;)
        if (from->host->ip[i].family == op->remote.ip.family)
            ev->in.remote.ip = from->host->ip[i];
    bytes_add(&ev->bytes, op->data, op->len);
}

static bool happens(struct pipe *p, unsigned percent)
{
    return percent && rng_chance(&p->rng, percent, 100);
}

static void op_datagram(struct pipe *p, struct end *e, const struct io_out *op)
{
    struct end *to = bound_to(p, UDP, &op->remote);
    if (!to) {
        bool v4 = op->remote.ip.family == IP_V4;
        struct event *ev = later(p, 2 * p->delay, EV_TELL, e);
        ev->in = (struct io_in){.event = IO_ICMP, .id = e->id, .local = e->raw.local, .remote = op->remote,
                                .icmp = {v4 ? 3 : 1, v4 ? 3 : 4, 0}};
    } else if (!happens(p, p->lost)) {
        datagram_later(p, p->delay + (happens(p, p->late) ? 20 * NS_MS : 0), e, to, op);
        if (happens(p, p->twice))
            datagram_later(p, p->delay + NS_MS, e, to, op);
    }
}

static void do_op(struct pipe *p, struct host *h, const struct io_out *op)
{
    struct end *e = op->id ? end_by_id(p, h, op->id) : NULL;
    if (op->label)
        log_op(p, h, e, op);
    switch (op->op) {
    case IO_OP_LISTEN:
    case IO_OP_CONNECT:
    case IO_OP_UDP:
        op_open(p, h, op);
        return;
    case IO_OP_NOTE:
        return;
    default:
        break;
    }
    if (!e)
        return;
    switch (op->op) {
    case IO_OP_SEND:
        send_bytes(p, e, op->data, op->len);
        return;
    case IO_OP_SENDTO:
        op_datagram(p, e, op);
        return;
    case IO_OP_READ_ON:
    case IO_OP_READ_OFF:
        e->reading = op->op == IO_OP_READ_ON;
        pump_later(p, e);
        return;
    case IO_OP_SPLICE:
        e->splice = end_by_id(p, h, op->other);
        assert(e->splice);
        e->splice->splice = e;
        pump_later(p, e);
        pump_later(p, e->splice);
        return;
    case IO_OP_CLOSE:
        e->let_go = true;
        if (e->splice)
            e->splice->splice = NULL;
        close_gently(p, e);
        return;
    case IO_OP_ABORT:
        e->let_go = true;
        abort_end(p, e);
        return;
    default:
        assert(false && "an operation without a case");
    }
}

static void drain(struct pipe *p, struct host *h)
{
    struct io_out op;
    while (io_poll(h->core.io, &op))
        do_op(p, h, &op);
}

static void input(struct pipe *p, struct host *h, const struct io_in *in)
{
    io_set_now(h->core.io, p->now);
    h->core.ops->input(h->core.self, in);
    drain(p, h);
}

/* ---- running ---- */

static void happen(struct pipe *p, struct event *ev)
{
    struct end *e = ev->end;
    switch (ev->kind) {
    case EV_TELL:
        if (!e || !e->let_go)
            input(p, ev->host, &ev->in);
        break;
    case EV_DATAGRAM:
        ev->in.data = ev->bytes.p;
        ev->in.len = ev->bytes.len;
        if (!e->let_go)
            input(p, e->host, &ev->in);
        break;
    case EV_SYN:
        syn_arrives(p, e);
        break;
    case EV_ANSWER:
        answer_arrives(p, e, ev->in.err);
        break;
    case EV_DATA:
        data_arrives(p, e, &ev->bytes);
        break;
    case EV_FIN:
        e->fin_came = true;
        pump(p, e);
        break;
    case EV_RST:
        reset_arrives(p, e);
        break;
    case EV_PUMP:
        pump(p, e);
        break;
    }
    free(ev->bytes.p);
}

/* The host whose deadline is next, the first of equals. */
static struct host *next_tick(const struct pipe *p, uint64_t *at)
{
    struct host *first = NULL;
    *at = TIME_NEVER;
    for (struct host *h = p->hosts; h; h = h->next) {
        uint64_t deadline = h->core.ops->deadline(h->core.self);
        if (deadline < *at) {
            *at = deadline;
            first = h;
        }
    }
    return first;
}

/* Between runs a test may call cores, which then see this time. */
static void settle_at(struct pipe *p, uint64_t t_ns)
{
    p->now = t_ns;
    for (struct host *h = p->hosts; h; h = h->next)
        io_set_now(h->core.io, t_ns);
}

void pipe_run_until(struct pipe *p, uint64_t t_ns)
{
    for (struct host *h = p->hosts; h; h = h->next)
        drain(p, h); /* what the test made cores want */
    for (unsigned ticks = 0; ticks < 1000;) { /* more at one time: a deadline that stays in the past */
        uint64_t tick, queued = p->queued ? p->queue[0].at : TIME_NEVER;
        struct host *h = next_tick(p, &tick);
        uint64_t next = time_min(tick, queued);
        if (next > t_ns) {
            settle_at(p, t_ns);
            return;
        }
        ticks = next > p->now ? 0 : ticks;
        p->now = next > p->now ? next : p->now;
        if (queued <= tick) {
            struct event ev = p->queue[0];
            memmove(p->queue, p->queue + 1, --p->queued * sizeof *p->queue);
            happen(p, &ev);
        } else {
            input(p, h, &(struct io_in){.event = IO_TICK});
            ticks++;
        }
    }
    assert(false && "the world stands still");
}

void pipe_run_for(struct pipe *p, uint64_t ns)
{
    pipe_run_until(p, p->now + ns);
}

/* ---- raw connections ---- */

static struct end *end_of(struct raw *r)
{
    return (struct end *)r;
}

struct raw *raw_connect_to(struct pipe *p, const char *local, const struct endpoint *remote)
{
    struct endpoint from = kit_endpoint(local);
    struct end *e = end_new(p, TCP, NULL, IO_NONE, &from);
    e->raw.remote = *remote;
    e->opened_ns = p->now;
    later(p, p->delay, EV_SYN, e);
    return &e->raw;
}

struct raw *raw_connect(struct pipe *p, const char *local, const char *remote)
{
    struct endpoint to = kit_endpoint(remote);
    return raw_connect_to(p, local, &to);
}

void raw_listen(struct pipe *p, const char *local)
{
    struct endpoint at = kit_endpoint(local);
    assert(!bound_to(p, LISTENER, &at));
    end_new(p, LISTENER, NULL, IO_NONE, &at)->raw.state = RAW_OPEN;
}

struct raw *raw_accepted(struct pipe *p, const char *local)
{
    struct endpoint at = kit_endpoint(local);
    for (struct end *e = p->ends; e; e = e->next)
        if (e->kind == TCP && !e->host && e->listener && !e->taken && endpoint_equal(&e->raw.local, &at)) {
            e->taken = true;
            return &e->raw;
        }
    return NULL;
}

void raw_send(struct pipe *p, struct raw *r, const void *data, size_t len)
{
    send_bytes(p, end_of(r), data, len);
}

void raw_read(struct pipe *p, struct raw *r, bool on)
{
    end_of(r)->reading = on;
    pump_later(p, end_of(r));
}

void raw_forget(struct raw *r, size_t len)
{
    bytes_drop(&end_of(r)->got, len);
    r->got_len = end_of(r)->got.len;
}

void raw_close(struct pipe *p, struct raw *r)
{
    close_gently(p, end_of(r));
}

void raw_shutdown(struct pipe *p, struct raw *r)
{
    end_of(r)->fin_wanted = true;
    transmit(p, end_of(r));
}

void raw_abort(struct pipe *p, struct raw *r)
{
    abort_end(p, end_of(r));
}

size_t raw_unsent(const struct raw *r)
{
    return ((const struct end *)r)->out.len;
}

/* ---- what happened ---- */

const struct pipe_entry *pipe_log(const struct pipe *p, size_t *count)
{
    *count = p->log_count;
    return p->log;
}

const char *pipe_story(struct pipe *p, const char *host, uint64_t from_ns)
{
    struct text t = text_of(p->story, sizeof p->story);
    for (size_t i = 0; i < p->log_count; i++) {
        const struct pipe_entry *l = &p->log[i];
        if (l->is_note || l->t_ns < from_ns || (host && strcmp(host, l->host) != 0))
            continue;
        uint64_t ms = l->t_ns / NS_MS;
        text_add(&t, "%llu.%03llu %s\n", (unsigned long long)(ms / 1000), (unsigned long long)(ms % 1000), l->text);
    }
    return p->story;
}

size_t pipe_count(const struct pipe *p, const char *text)
{
    size_t n = 0;
    for (size_t i = 0; i < p->log_count; i++)
        n += strcmp(p->log[i].text, text) == 0;
    return n;
}
