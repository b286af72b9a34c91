/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Channels (RFC 8656 12): a number for a peer's address, found by either in one step. */
#include "models/base/err.h"
#include "models/turn/server.h"

static struct channel **number_bucket(const struct alloc *al, uint16_t number)
{
    return (struct channel **)&al->by_number[number & (BUCKETS - 1)];
}

static struct channel **peer_bucket(const struct turn *t, const struct alloc *al, const struct endpoint *peer)
{
    uint64_t h = turn_hash_ip(t, &peer->ip) ^ peer->port;
    return (struct channel **)&al->by_peer[h * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (BUCKETS - 1)];
}

struct channel *turn_channel_numbered(const struct turn *t, const struct alloc *al, uint16_t number)
{
    struct channel *ch = *number_bucket(al, number);
    while (ch && ch->number != number)
        ch = ch->next_number;
    return ch && ch->expires_ns > io_now(t->io) ? ch : NULL;
}

struct channel *turn_channel_of(const struct turn *t, const struct alloc *al, const struct endpoint *peer)
{
    struct channel *ch = *peer_bucket(t, al, peer);
    while (ch && !endpoint_equal(&ch->peer, peer))
        ch = ch->next_peer;
    return ch && ch->expires_ns > io_now(t->io) ? ch : NULL;
}

static void drop(struct turn *t, struct alloc *al, struct channel *ch)
{
    struct channel **number = number_bucket(al, ch->number), **peer = peer_bucket(t, al, &ch->peer);
    while (*number != ch)
        number = &(*number)->next_number;
    *number = ch->next_number;
    while (*peer != ch)
        peer = &(*peer)->next_peer;
    *peer = ch->next_peer;
    ch->permission->channels--;
    al->channel_count--;
    t->stats.channels--;
    pool_put(&t->channels, ch);
}

/* Drops those of that family (0: all), and expired by then. */
static void sweep(struct turn *t, struct alloc *al, uint8_t family, uint64_t by_ns)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct channel *ch = al->by_number[i], *next; ch; ch = next) {
            next = ch->next_number;
            if (ch->expires_ns <= by_ns && (!family || ch->peer.ip.family == family))
                drop(t, al, ch);
        }
}

void turn_forget_channels(struct turn *t, struct alloc *al, uint8_t family)
{
    sweep(t, al, family, TIME_NEVER);
}

/* 8656 12.2; X-8: none on a TCP allocation. */
static int check(const struct turn *t, struct alloc *al, const struct stun_msg *m, uint16_t *number,
                 struct endpoint *peer)
{
    uint32_t v;
    if (al->proto != PROTO_UDP)
        return 403;
    if (stun_get_u32(m, ATTR_CHANNEL_NUMBER, &v) || stun_get_address(m, ATTR_XOR_PEER_ADDRESS, peer))
        return 400;
    *number = (uint16_t)(v >> 16); /* the rest is reserved: 18.1 */
    if (*number < FIRST_CHANNEL || *number > t->cfg.profile->last_channel)
        return 400;
    const struct channel *by_number = turn_channel_numbered(t, al, *number), *by_peer = turn_channel_of(t, al, peer);
    if (by_number != by_peer)
        return 400; /* one of them is bound to something else */
    return !turn_relay_of(al, peer->ip.family) ? 443 : !turn_peer_allowed(t, &peer->ip) ? 403 : 0;
}

static struct channel *bind(struct turn *t, struct alloc *al, uint16_t number, const struct endpoint *peer,
                            struct permission *permission)
{
    struct channel *ch = al->channel_count < t->cfg.limits.channels ? pool_get(&t->channels) : NULL;
    if (!ch)
        return NULL;
    struct channel **by_number = number_bucket(al, number), **by_peer = peer_bucket(t, al, peer);
    *ch = (struct channel){.next_number = *by_number, .next_peer = *by_peer, .permission = permission, .peer = *peer,
                           .number = number};
    *by_number = *by_peer = ch;
    permission->channels++;
    al->channel_count++;
    t->stats.channels++;
    return ch;
}

int turn_channel_bind(struct turn *t, struct call *c)
{
    struct alloc *al = c->alloc;
    uint16_t number;
    struct endpoint peer;
    int code = check(t, al, c->m, &number, &peer);
    if (code)
        return code;
    struct channel *ch = turn_channel_numbered(t, al, number);
    if (!ch) {
        sweep(t, al, 0, io_now(t->io)); /* an expired one may still hold the number, the address, or the room */
        if (al->channel_count >= t->cfg.limits.channels)
            return 508;
    }
    struct permission *permission = turn_permit(t, al, &peer.ip); /* 12.2: that too */
    if (permission && !ch)
        ch = bind(t, al, number, &peer, permission);
    if (!permission || !ch)
        return 508;
    ch->expires_ns = io_now(t->io) + CHANNEL_NS;
    return 0;
}
