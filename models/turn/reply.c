/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All that the relay sends is composed here: decide elsewhere, answer in one place. (Payload of peers: data.c.) */
#include <assert.h>
#include <string.h>

#include "models/turn/server.h"

static void put_mac(struct stun_out *o, const struct request *rq, bool fingerprint)
{
    const uint8_t *key = rq->sha256_key ? rq->keys->sha256 : rq->keys->md5;
    size_t len = rq->sha256_key ? sizeof rq->keys->sha256 : sizeof rq->keys->md5;
    if (rq->mac == MAC_SHA256)
        stun_put_integrity_sha256(o, key, len);
    else
        stun_put_integrity(o, key, len, fingerprint);
}

/* SOFTWARE, the MAC and FINGERPRINT behind what was put so far; then out it goes, with its name. */
static void send(struct turn *t, const struct tuple *to, struct stun_out *o, uint16_t type, int code,
                 const struct request *rq, bool software)
{
    const struct turn_profile *profile = t->cfg.profile;
    if (software && profile->software)
        stun_put_text(o, ATTR_SOFTWARE, profile->software);
    if (rq && rq->user)
        put_mac(o, rq, profile->fingerprint);
    if (profile->fingerprint)
        stun_put_fingerprint(o);
    long n = stun_end(o);
    assert(n > 0); /* our own attributes, all of known length */
    char label[64];
    struct text name = text_of(label, sizeof label);
    stun_label(&stun_rfc8489, type, code, &name);
    struct io_out out = {.op = to->listener->proto == PROTO_UDP ? IO_OP_SENDTO : IO_OP_SEND, .id = to->id,
                         .local = to->local, .remote = to->remote, .len = (size_t)n, .label = label};
    memcpy(io_put(t->io, &out), o->w.base, (size_t)n);
}

static void put_challenge(struct turn *t, const struct tuple *to, struct stun_out *o)
{
    char nonce[NONCE_MAX];
    turn_nonce(t, to, nonce);
    stun_put_text(o, ATTR_REALM, t->cfg.realm);
    stun_put_text(o, ATTR_NONCE, nonce);
    if (t->cfg.profile->rfc8489)
        stun_put(o, ATTR_PASSWORD_ALGORITHMS, turn_algorithms, ALGORITHMS_LEN);
}

static void put_error(struct turn *t, const struct tuple *to, struct stun_out *o, const struct request *rq,
                      const struct answer *a)
{
    const struct turn_profile *profile = t->cfg.profile;
    stun_put_error(o, a->code, a->code == 401 ? profile->reason_401 : NULL);
    if (a->unknown_count) {
        uint8_t types[sizeof a->unknown];
        for (size_t i = 0; i < a->unknown_count; i++)
            store16(types + 2 * i, a->unknown[i]);
        stun_put(o, ATTR_UNKNOWN_ATTRIBUTES, types, 2 * a->unknown_count);
    }
    if (a->code == 401 || a->code == 438) /* 8489 9.2.4 */
        put_challenge(t, to, o);
    if (a->code == 401 && rq->method == TURN_ALLOCATE && profile->challenge_lifetime)
        stun_put_u32(o, ATTR_LIFETIME, DEFAULT_LIFETIME_S);
}

/* 8656 18.12: the family, then as in ERROR-CODE. */
static void put_address_error(struct stun_out *o, uint8_t family, int code)
{
    uint8_t value[4 + 64] = {family, 0, (uint8_t)(code / 100), (uint8_t)(code % 100)};
    const char *reason = stun_reason(code);
    size_t len = strlen(reason);
    assert(len <= sizeof value - 4);
    memcpy(value + 4, reason, len);
    stun_put(o, ATTR_ADDRESS_ERROR_CODE, value, 4 + len);
}

void turn_answer(struct turn *t, const struct tuple *to, const struct request *rq, const struct answer *a)
{
    uint8_t buf[STUN_MAX];
    struct stun_out o;
    uint16_t type = stun_type(a->code ? STUN_ERROR : STUN_SUCCESS, rq->method);
    t->stats.refused_ever += a->code != 0;
    if (!to->id)
        return;
    stun_begin(&o, &stun_rfc8489, buf, sizeof buf, type, &rq->id);
    if (a->code)
        put_error(t, to, &o, rq, a);
    if (a->alternate)
        stun_put_address(&o, ATTR_ALTERNATE_SERVER, a->alternate);
    for (size_t i = 0; i < 2; i++)
        if (a->relayed[i])
            stun_put_address(&o, ATTR_XOR_RELAYED_ADDRESS, a->relayed[i]);
    if (a->has_lifetime)
        stun_put_u32(&o, ATTR_LIFETIME, a->lifetime_s);
    if (a->mapped)
        stun_put_address(&o, ATTR_XOR_MAPPED_ADDRESS, a->mapped);
    if (a->origin)
        stun_put_address(&o, ATTR_RESPONSE_ORIGIN, a->origin);
    if (a->other)
        stun_put_address(&o, ATTR_OTHER_ADDRESS, a->other);
    if (a->token)
        stun_put_u64(&o, ATTR_RESERVATION_TOKEN, a->token);
    if (a->failed_family)
        put_address_error(&o, a->failed_family, a->failed_code);
    if (a->connection)
        stun_put_u32(&o, ATTR_CONNECTION_ID, a->connection);
    send(t, to, &o, type, a->code, rq, true);
}

void turn_answer_code(struct turn *t, const struct tuple *to, const struct request *rq, int code)
{
    turn_answer(t, to, rq, &(struct answer){.code = code});
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
    const struct alloc *al = peer->alloc;
    uint16_t type = begin_indication(t, &o, buf, TURN_CONNECTION_ATTEMPT);
    stun_put_u32(&o, ATTR_CONNECTION_ID, peer->connection);
    stun_put_address(&o, ATTR_XOR_PEER_ADDRESS, &peer->remote);
    send(t, &al->from, &o, type, 0, t->cfg.profile->attempt_integrity ? &al->asked : NULL, true);
}

void turn_binding_indication(struct turn *t, const struct alloc *al)
{
    uint8_t buf[STUN_MAX];
    struct stun_out o;
    uint16_t type = begin_indication(t, &o, buf, STUN_BINDING);
    send(t, &al->from, &o, type, 0, NULL, false);
}

/* 8656 11.5, 18.13. */
void turn_icmp_indication(struct turn *t, const struct alloc *al, const struct endpoint *peer,
                          const struct io_icmp *icmp)
{
    uint8_t buf[STUN_MAX], value[8] = {0, 0, icmp->type, icmp->code};
    struct stun_out o;
    uint16_t type = begin_indication(t, &o, buf, TURN_DATA);
    store32(value + 4, icmp->data);
    stun_put_address(&o, ATTR_XOR_PEER_ADDRESS, peer);
    stun_put(&o, ATTR_ICMP, value, sizeof value);
    send(t, &al->from, &o, type, 0, NULL, false);
}
