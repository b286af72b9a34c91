/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All that the relay sends is composed here: decide elsewhere, answer in one place. */
#include <assert.h>

#include "models/turn/server.h"

/* SOFTWARE, MESSAGE-INTEGRITY and FINGERPRINT behind what was put so far; then out it goes, with its name. */
static void send(struct turn *t, const struct leg *leg, struct stun_out *o, uint16_t type, int code,
                 const struct user *user, bool software)
{
    const struct turn_profile *profile = t->cfg.profile;
    if (software && profile->software)
        stun_put_text(o, ATTR_SOFTWARE, profile->software);
    if (user)
        stun_put_integrity(o, user->key, sizeof user->key, profile->fingerprint);
    if (profile->fingerprint)
        stun_put_fingerprint(o);
    long n = stun_end(o);
    assert(n > 0); /* our own attributes, all of known length */
    char label[64];
    struct text name = text_of(label, sizeof label);
    stun_label(&stun_rfc8489, type, code, &name);
    io_send(t->io, leg->id, o->w.base, (size_t)n, label);
}

static void put_challenge(struct turn *t, const struct leg *leg, struct stun_out *o)
{
    char nonce[NONCE_MAX];
    turn_nonce(t, leg, nonce);
    stun_put_text(o, ATTR_REALM, t->cfg.realm);
    stun_put_text(o, ATTR_NONCE, nonce);
}

static void put_error(struct turn *t, const struct leg *leg, struct stun_out *o, const struct request *rq,
                      const struct answer *a)
{
    const struct turn_profile *profile = t->cfg.profile;
    stun_put_error(o, a->code, a->code == 401 ? profile->reason_401 : NULL);
    if (a->unknown_count) {
        uint8_t types[2 * 16];
        assert(a->unknown_count <= 16);
        for (size_t i = 0; i < a->unknown_count; i++)
            store16(types + 2 * i, a->unknown[i]);
        stun_put(o, ATTR_UNKNOWN_ATTRIBUTES, types, 2 * a->unknown_count);
    }
    if (a->code == 401 || a->code == 438) /* 8489 9.2.4 */
        put_challenge(t, leg, o);
    if (a->code == 401 && rq->method == TURN_ALLOCATE && profile->challenge_lifetime)
        stun_put_u32(o, ATTR_LIFETIME, DEFAULT_LIFETIME_S);
}

void turn_answer(struct turn *t, struct leg *leg, const struct request *rq, const struct answer *a)
{
    uint8_t buf[STUN_MAX];
    struct stun_out o;
    uint16_t type = stun_type(a->code ? STUN_ERROR : STUN_SUCCESS, rq->method);
    stun_begin(&o, &stun_rfc8489, buf, sizeof buf, type, &rq->id);
    if (a->code) {
        put_error(t, leg, &o, rq, a);
        t->stats.refused_ever++;
    }
    if (a->relayed)
        stun_put_address(&o, ATTR_XOR_RELAYED_ADDRESS, a->relayed);
    if (a->has_lifetime)
        stun_put_u32(&o, ATTR_LIFETIME, a->lifetime_s);
    if (a->mapped)
        stun_put_address(&o, ATTR_XOR_MAPPED_ADDRESS, a->mapped);
    if (a->connection)
        stun_put_u32(&o, ATTR_CONNECTION_ID, a->connection);
    send(t, leg, &o, type, a->code, rq->user, true);
}

static uint16_t begin_indication(struct turn *t, struct stun_out *o, void *buf, unsigned method)
{
    struct stun_id id = stun_new_id(&stun_rfc8489, &t->rng_id);
    uint16_t type = stun_type(STUN_INDICATION, method);
    stun_begin(o, &stun_rfc8489, buf, STUN_MAX, type, &id);
    return type;
}

void turn_connection_attempt(struct turn *t, const struct peer *peer)
{
    uint8_t buf[STUN_MAX];
    struct stun_out o;
    uint16_t type = begin_indication(t, &o, buf, TURN_CONNECTION_ATTEMPT);
    stun_put_u32(&o, ATTR_CONNECTION_ID, peer->connection);
    stun_put_address(&o, ATTR_XOR_PEER_ADDRESS, &peer->remote);
    const struct user *user = t->cfg.profile->attempt_integrity ? peer->alloc->user : NULL;
    send(t, peer->alloc->control, &o, type, 0, user, true);
}

void turn_binding_indication(struct turn *t, const struct alloc *al)
{
    uint8_t buf[STUN_MAX];
    struct stun_out o;
    uint16_t type = begin_indication(t, &o, buf, STUN_BINDING);
    send(t, al->control, &o, type, 0, NULL, false);
}
