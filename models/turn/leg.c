/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Client connections: messages out of the stream (RFC 8489 6.2.2), each request to its handler. */
#include <assert.h>
#include <string.h>

#include "models/base/err.h"
#include "models/turn/server.h"

typedef int handler(struct turn *t, struct leg *leg, const struct stun_msg *m, const struct request *rq,
                    struct answer *a);

static int binding(struct turn *t, struct leg *leg, const struct stun_msg *m, const struct request *rq,
                   struct answer *a)
{
    (void)t, (void)m, (void)rq;
    a->mapped = &leg->remote;
    return 0;
}

/* channels are for UDP relays. */
static int channel_bind(struct turn *t, struct leg *leg, const struct stun_msg *m, const struct request *rq,
                        struct answer *a)
{
    (void)t, (void)leg, (void)m, (void)rq, (void)a;
    return 403;
}

struct method {
    uint16_t method;
    handler *handle;
    bool anyone, on_allocation;
};

static const struct method methods[] = {
    {STUN_BINDING, binding, true, false},
    {TURN_ALLOCATE, turn_allocate, false, false},
    {TURN_REFRESH, turn_refresh, false, true},
    {TURN_CREATE_PERMISSION, turn_create_permission, false, true},
    {TURN_CHANNEL_BIND, channel_bind, false, true},
    {TURN_CONNECT, turn_connect, false, true},
    {TURN_CONNECTION_BIND, turn_connection_bind, false, false},
};

static const struct method *method_named(uint16_t method)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (methods[i].method == method)
            return &methods[i];
    return NULL;
}

/* The order of all requests: credentials, the allocation and its owner, unknown attributes, then the method's own. */
static int decide(struct turn *t, struct leg *leg, const struct stun_msg *m, const struct method *method,
                  struct request *rq, struct answer *a, uint16_t unknown[16])
{
    int code = method->anyone ? 0 : turn_authenticate(t, leg, m, rq);
    if (code)
        return code;
    if (method->on_allocation && !(leg->alloc && leg->alloc->live))
        return 437;
    if (method->on_allocation && leg->alloc->user != rq->user)
        return 441;
    size_t n = stun_unknown(m, unknown, 16);
    if (n) {
        a->unknown = unknown;
        a->unknown_count = n < 16 ? n : 16;
        return 420;
    }
    return method->handle(t, leg, m, rq, a);
}

/* Anything but a request that we know is dropped without a word (8489 6.3; indications: X-7). */
static void take_message(struct turn *t, struct leg *leg, const uint8_t *bytes, size_t len)
{
    struct stun_msg m;
    if (stun_parse(&stun_rfc8489, bytes, len, &m) || stun_check_fingerprint(&m) == E_INTEGRITY)
        return;
    const struct method *method = m.cls == STUN_REQUEST ? method_named(m.method) : NULL;
    if (!method)
        return;
    struct request rq = {.id = m.id, .method = m.method};
    struct answer a = {0};
    uint16_t unknown[16];
    turn_leg_idle_from_now(t, leg);
    a.code = decide(t, leg, &m, method, &rq, &a, unknown);
    if (a.code != ANSWERED)
        turn_answer(t, leg, &rq, &a);
}

/* ---- the stream ---- */

enum { CHANNEL_FIRST = 0x40, CHANNEL_MASK = 0xf0, CHANNEL_HEADER = 4 }; /* 8656 12: 0x4000 to 0x4fff */

/* How long the next unit is: 0: not all of it is there; E_MALFORMED: the framing is lost. ChannelData is told
 * by its length, to be skipped. */
static long next_unit(struct leg *leg, const uint8_t *p, size_t have)
{
    if (have && (p[0] & CHANNEL_MASK) == CHANNEL_FIRST) {
        if (have < CHANNEL_HEADER)
            return 0;
        leg->skip = CHANNEL_HEADER + ((load16(p + 2) + 3u) & ~3u);
        return CHANNEL_HEADER;
    }
    long len = stun_stream_len(&stun_rfc8489, p, have, REQUEST_MAX);
    return len > (long)have ? 0 : len;
}

/* Takes units until one is not whole. How many bytes were used; E_MALFORMED. */
static long take_units(struct turn *t, struct leg *leg)
{
    size_t at = 0;
    while (!leg->peer) {
        size_t skip = leg->skip < leg->have - at ? leg->skip : leg->have - at;
        at += skip;
        leg->skip -= skip;
        long len = next_unit(leg, leg->in + at, leg->have - at);
        if (len <= 0)
            return len ? len : (long)at;
        if (leg->skip)
            continue;
        take_message(t, leg, leg->in + at, (size_t)len);
        at += (size_t)len;
    }
    return (long)at;
}

/* Bound: what came behind ConnectionBind is the peer's, then the host moves the bytes. */
static void splice(struct turn *t, struct leg *leg, const uint8_t *data, size_t len)
{
    io_id peer = leg->peer->id;
    if (leg->have)
        io_send(t->io, peer, leg->in, leg->have, NULL);
    if (len)
        io_send(t->io, peer, data, len, NULL);
    leg->have = 0;
    io_splice(t->io, leg->id, peer);
}

void turn_leg_data(struct turn *t, struct leg *leg, const uint8_t *data, size_t len)
{
    do {
        size_t n = len < REQUEST_MAX - leg->have ? len : REQUEST_MAX - leg->have;
        memcpy(leg->in + leg->have, data, n);
        leg->have += n;
        data += n;
        len -= n;
        long used = take_units(t, leg);
        if (used < 0 && leg->bind_failed) { /* payload sent too early for a bind that failed: X-15, discarded */
            leg->have = 0;
            return;
        }
        if (used < 0) {
            turn_leg_close(t, leg, "framing");
            return;
        }
        leg->have -= (size_t)used;
        memmove(leg->in, leg->in + used, leg->have);
        if (leg->peer) {
            splice(t, leg, data, len);
            return;
        }
    } while (len);
}

/* ---- life ---- */

void turn_leg_accepted(struct turn *t, const struct io_in *in)
{
    struct leg *leg = pool_get(&t->legs);
    if (!leg) {
        io_close(t->io, in->id);
        return;
    }
    *leg = (struct leg){.node.kind = NODE_LEG, .id = in->id, .local = in->local, .remote = in->remote,
                        .in = pool_get(&t->buffers)};
    idmap_put(&t->by_io, leg->id, leg);
    t->stats.clients++;
    turn_leg_idle_from_now(t, leg);
    io_read(t->io, leg->id, true);
}

void turn_leg_idle_from_now(struct turn *t, struct leg *leg)
{
    if (!leg->alloc && !leg->peer)
        timers_set(&t->timers, &leg->idle, leg, io_now(t->io) + IDLE_NS);
}

void turn_leg_forget(struct turn *t, struct leg *leg, const char *cause)
{
    assert(!leg->peer); /* a pair goes as one: turn_peer_forget */
    idmap_drop(&t->by_io, leg->id);
    leg->id = IO_NONE; /* nothing more is said on it */
    if (leg->alloc)
        turn_alloc_delete(t, leg->alloc, cause); /* its 5-tuple is gone */
    timers_set(&t->timers, &leg->idle, leg, TIME_NEVER);
    t->stats.clients--;
    pool_put(&t->buffers, leg->in);
    pool_put(&t->legs, leg);
}

void turn_leg_close(struct turn *t, struct leg *leg, const char *cause)
{
    io_id id = leg->id;
    turn_leg_forget(t, leg, cause);
    io_close(t->io, id);
}
