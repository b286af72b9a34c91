/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Relay ports (RFC 8656 7.2): which are taken, which one is next, and the reserved ones.
 *
 * Of several shards each has ports of its own, and who has a token may come to another shard with it. So their tokens
 * say themselves what they stand for: the port, the second of its reservation, and 32 bits of a MAC over it under the
 * secret that all have. The shard whose port it is keeps that from others until the reservation ends by itself. */
#include "models/base/hash.h"
#include "models/turn/server.h"

static uint8_t *port_byte(struct turn *t, enum ip_proto proto, const struct endpoint *at)
{
    return &t->ports_used[proto == PROTO_UDP][family_index(at->ip.family)][at->port / 8];
}

static bool port_used(struct turn *t, enum ip_proto proto, const struct endpoint *at)
{
    return *port_byte(t, proto, at) >> at->port % 8 & 1;
}

static void port_set(struct turn *t, enum ip_proto proto, const struct endpoint *at, bool used)
{
    uint8_t bit = (uint8_t)(1u << at->port % 8), *byte = port_byte(t, proto, at);
    *byte = (uint8_t)(used ? *byte | bit : *byte & ~bit);
}

static uint16_t port_after(const struct turn *t, uint16_t port)
{
    return port == t->cfg.last_port ? t->cfg.first_port : (uint16_t)(port + 1);
}

static struct endpoint next_to(const struct endpoint *at)
{
    return (struct endpoint){at->ip, (uint16_t)(at->port + 1)};
}

/* EVEN-PORT, with R a pair; the second of which has to be a relay port too. */
static bool fits(struct turn *t, const struct relay *r)
{
    const struct alloc *al = r->alloc;
    if (port_used(t, al->proto, &r->at) || (al->even && r->at.port % 2))
        return false;
    struct endpoint next = next_to(&r->at);
    return !al->reserve || (r->at.port < t->cfg.last_port && !port_used(t, PROTO_UDP, &next));
}

static void take(struct turn *t, struct relay *r, bool used)
{
    port_set(t, r->alloc->proto, &r->at, used);
    if (!r->alloc->reserve)
        return;
    struct endpoint next = next_to(&r->at);
    port_set(t, PROTO_UDP, &next, used);
}

/* 8656 7.2: unpredictable, unless the profile counts. A range's start is drawn, then tried in order. */
int turn_relay_open(struct turn *t, struct relay *r)
{
    enum ip_proto proto = r->alloc->proto;
    if (r->state == RELAY_NONE && !r->at.port) {
        uint32_t range = (uint32_t)t->cfg.last_port - t->cfg.first_port + 1, draw;
        turn_unguessable(t, &draw, sizeof draw);
        r->ports_left = range;
        r->at.port = t->cfg.profile->sequential_ports ? t->next_port[proto == PROTO_UDP]
                                                      : (uint16_t)(t->cfg.first_port + draw % range);
    }
    for (; r->ports_left; r->at.port = port_after(t, r->at.port)) {
        r->ports_left--;
        if (!fits(t, r))
            continue;
        take(t, r, true);
        t->next_port[proto == PROTO_UDP] = port_after(t, r->at.port);
        r->state = RELAY_OPENING;
        r->id = proto == PROTO_UDP ? io_udp(t->io, t->owner, &r->at) : io_listen(t->io, t->owner, &r->at);
        idmap_put(&t->by_io, r->id, r);
        return 0;
    }
    r->state = RELAY_NONE;
    return 508;
}

void turn_relay_failed(struct turn *t, struct relay *r)
{
    idmap_drop(&t->by_io, r->id);
    take(t, r, false);
    r->id = IO_NONE;
    r->at.port = port_after(t, r->at.port);
}

void turn_relay_release(struct turn *t, struct relay *r)
{
    idmap_drop(&t->by_io, r->id);
    io_close(t->io, r->id);
    if (r->alloc->token) /* the port behind it is the reservation's */
        port_set(t, r->alloc->proto, &r->at, false);
    else
        take(t, r, false);
    r->id = IO_NONE;
    r->state = RELAY_NONE;
}

/* ---- reservations ---- */

static uint64_t seal(const struct turn *t, const struct endpoint *at, uint32_t second)
{
    uint8_t text[8] = {'t', at->ip.family}, mac[HASH_SHA256]; /* of a length that nothing else under the secret has */
    store16(text + 2, at->port);
    store32(text + 4, second);
    hmac_sha256(t->oracle.secret, sizeof t->oracle.secret, &(struct piece){text, sizeof text}, 1, mac);
    return (uint64_t)at->port << 48 | (uint64_t)(second & 0xffff) << 32 | load32(mac);
}

/* Another shard's: any that could be. */
static bool unseal(const struct turn *t, uint64_t token, struct endpoint *at)
{
    enum { HOLDS_S = RESERVATION_NS / NS_S };
    uint32_t now = (uint32_t)(io_now(t->io) / NS_S), age = (now - (uint32_t)(token >> 32)) & 0xffff;
    uint16_t port = (uint16_t)(token >> 48);
    const struct ip_addr *ip[] = {&t->cfg.relay_ip4, &t->cfg.relay_ip6};
    if (t->cfg.shards == 1 || age > HOLDS_S || (port >= t->cfg.first_port && port <= t->cfg.last_port))
        return false;
    for (size_t i = 0; i < 2; i++) {
        *at = (struct endpoint){*ip[i], port};
        uint64_t want = seal(t, at, now - age);
        if (ip[i]->family && equal_constant_time(&want, &token, sizeof token))
            return true;
    }
    return false;
}

int turn_reserve(struct turn *t, const struct relay *r, uint64_t *token)
{
    struct endpoint next = next_to(&r->at);
    struct reservation *rs = pool_get(&t->reservations);
    if (!rs)
        return 508;
    do
        turn_unguessable(t, token, sizeof *token);
    while (*token == 0 || idmap_get(&t->by_token, *token));
    if (t->cfg.shards > 1)
        *token = seal(t, &next, (uint32_t)(io_now(t->io) / NS_S));
    *rs = (struct reservation){.node.kind = NODE_RESERVATION, .token = *token, .at = next};
    idmap_put(&t->by_token, *token, rs);
    timers_set(&t->timers, &rs->timer, rs, io_now(t->io) + RESERVATION_NS);
    t->stats.reservations++;
    return 0;
}

bool turn_reserved(const struct turn *t, uint64_t token, struct endpoint *at)
{
    const struct reservation *rs = token ? idmap_get(&t->by_token, token) : NULL;
    if (!rs)
        return unseal(t, token, at);
    *at = rs->at;
    return true;
}

void turn_reservation_used(struct turn *t, uint64_t token)
{
    struct reservation *rs = idmap_get(&t->by_token, token);
    if (rs)
        turn_reservation_drop(t, rs);
}

void turn_reservation_drop(struct turn *t, struct reservation *rs)
{
    port_set(t, PROTO_UDP, &rs->at, false);
    timers_set(&t->timers, &rs->timer, rs, TIME_NEVER);
    idmap_drop(&t->by_token, rs->token);
    t->stats.reservations--;
    pool_put(&t->reservations, rs);
}
