/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of clients, however they came: each request to its handler. */
#include "models/base/err.h"
#include "models/turn/server.h"

struct method {
    uint16_t method;
    turn_handler *handle;
    bool anyone, on_allocation;
};

static const struct method methods[] = {
    {STUN_BINDING, turn_binding, true, false},
    {TURN_ALLOCATE, turn_allocate, false, false},
    {TURN_REFRESH, turn_refresh, false, true},
    {TURN_CREATE_PERMISSION, turn_create_permission, false, true},
    {TURN_CHANNEL_BIND, turn_channel_bind, false, true},
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
static int decide(struct turn *t, struct call *c, const struct method *method)
{
    int code = method->anyone ? 0 : turn_authenticate(t, c);
    if (code)
        return code;
    if (c->leg && !method->anyone) /* who has no credentials does not keep a connection open */
        turn_leg_idle_from_now(t, c->leg);
    if (method->on_allocation && !(c->alloc && c->alloc->live))
        return 437;
    if (method->on_allocation && c->alloc->user != c->rq.user)
        return 441;
    struct answer *a = &c->a;
    enum { MOST = sizeof a->unknown / sizeof *a->unknown };
    size_t n = stun_unknown(c->m, a->unknown, MOST);
    if (n) {
        a->unknown_count = n < MOST ? n : MOST;
        return 420;
    }
    return method->handle(t, c);
}

/* Anything but a request that we know, or Send, is dropped without a word (8489 6.3). */
void turn_message(struct turn *t, struct call *c, const uint8_t *bytes, size_t len, bool lend)
{
    struct stun_msg m;
    if (stun_parse(&stun_rfc8489, bytes, len, &m) || stun_check_fingerprint(&m) == E_INTEGRITY)
        return;
    if (m.cls == STUN_INDICATION && m.method == TURN_SEND && c->alloc && c->alloc->live)
        turn_send_indication(t, c->alloc, &m, lend);
    const struct method *method = m.cls == STUN_REQUEST ? method_named(m.method) : NULL;
    if (!method)
        return;
    c->m = &m;
    uint32_t shard = turn_shard_asked(t, c);
    if (shard != t->cfg.shard) { /* nothing is answered here, not even a challenge */
        c->leg->shard = shard;
        return;
    }
    c->rq = (struct request){.id = m.id, .method = m.method};
    c->a.code = decide(t, c, method);
    if (c->a.code != ANSWERED)
        turn_answer(t, c->from, &c->rq, &c->a);
}

/* 8656 12: the first byte tells. */
void turn_client_datagram(struct turn *t, struct listener *l, const struct io_in *in)
{
    struct tuple from = {.id = in->id, .listener = l, .local = in->local, .remote = in->remote};
    struct call c = {.from = &from, .alloc = turn_alloc_of(t, &from)};
    unsigned number = in->len >= CHANNEL_HEADER ? load16(in->data) : 0;
    if (number < FIRST_CHANNEL)
        turn_message(t, &c, in->data, in->len, true);
    else if (number <= t->cfg.profile->last_channel && c.alloc && c.alloc->live)
        turn_channel_data(t, c.alloc, in->data, in->len, true);
}
