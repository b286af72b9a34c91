/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Client connections: STUN messages and ChannelData out of the stream (RFC 8489 6.2.2, 8656 12.5).
 *
 * A unit that lies whole in what has come is taken from there; of one that does not, the beginning is kept, in a buffer
 * that is had when it is needed: a small one for requests, one that holds any datagram for who has a UDP allocation. */
#include <assert.h>
#include <string.h>

#include "models/base/err.h"
#include "models/turn/server.h"

static bool relays_udp(const struct leg *leg)
{
    return leg->alloc && leg->alloc->live && leg->alloc->proto == PROTO_UDP;
}

static bool is_channel(const struct turn *t, const uint8_t *p, size_t have)
{
    return have && p[0] >= FIRST_CHANNEL >> 8 && p[0] <= t->cfg.profile->last_channel >> 8;
}

/* How long the unit that begins here is; 0: too early to tell; E_MALFORMED: the framing is lost. */
static long unit_len(const struct turn *t, const struct leg *leg, const uint8_t *p, size_t have)
{
    if (!is_channel(t, p, have))
        return stun_stream_len(&stun_rfc8489, p, have, relays_udp(leg) ? FRAME_MAX : REQUEST_MAX);
    return have < CHANNEL_HEADER ? 0 : CHANNEL_HEADER + ((load16(p + 2) + 3l) & ~3l);
}

static void unit(struct turn *t, struct leg *leg, const uint8_t *p, size_t len, bool lend)
{
    struct call c = {.from = &leg->at, .leg = leg, .alloc = leg->alloc};
    if (!is_channel(t, p, len))
        turn_message(t, &c, p, len, lend);
    else if (relays_udp(leg))
        turn_channel_data(t, leg->alloc, p, len, lend);
}

static void drop_buffer(struct turn *t, struct leg *leg)
{
    if (leg->in)
        pool_put(leg->in_frame ? &t->frames : &t->buffers, leg->in);
    leg->in = NULL;
    leg->have = 0;
}

/* Keeps these bytes behind those that are kept already. */
static int keep(struct turn *t, struct leg *leg, const uint8_t *data, size_t len)
{
    if (!leg->in) {
        leg->in_frame = relays_udp(leg);
        leg->in = pool_take(leg->in_frame ? &t->frames : &t->buffers);
    }
    if (!leg->in || leg->have + len > (leg->in_frame ? (size_t)FRAME_MAX : (size_t)REQUEST_MAX))
        return E_NOMEM;
    memcpy(leg->in + leg->have, data, len);
    leg->have += len;
    return 0;
}

static bool is_ours(const struct turn *t, const struct leg *leg)
{
    return leg->shard == t->cfg.shard;
}

/* Takes one unit, or a part of one, off the front of what has come. How many bytes were used, more than 0; E_MALFORMED:
 * the framing is lost; E_NOMEM. */
static long take(struct turn *t, struct leg *leg, const uint8_t *data, size_t len)
{
    const uint8_t *head = leg->have ? leg->in : data;
    size_t have = leg->have ? leg->have : len;
    long want = unit_len(t, leg, head, have);
    if (want < 0)
        return want;
    if (want && is_channel(t, head, have) && !relays_udp(leg)) { /* for nobody: X-8 */
        leg->skip = (size_t)want - leg->have;
        drop_buffer(t, leg);
        return 0;
    }
    if (!leg->have && want && (size_t)want <= len) {
        unit(t, leg, data, (size_t)want, true);
        return is_ours(t, leg) || keep(t, leg, data, (size_t)want) == 0 ? want : E_NOMEM;
    }
    size_t missing = want ? (size_t)want - leg->have : 1; /* byte by byte until it says how long it is */
    size_t n = missing < len ? missing : len;
    if (keep(t, leg, data, n))
        return E_NOMEM;
    if (want && leg->have == (size_t)want) {
        uint8_t *whole = leg->in;
        leg->in = NULL; /* what it leads to may end the leg */
        bool in_frame = leg->in_frame;
        leg->have = 0;
        unit(t, leg, whole, (size_t)want, false);
        if (is_ours(t, leg)) {
            pool_put(in_frame ? &t->frames : &t->buffers, whole);
        } else {
            leg->in = whole;
            leg->have = (size_t)want;
        }
    }
    return (long)n;
}

/* Bound: what came behind ConnectionBind is the peer's, then the host moves the bytes. */
static void splice(struct turn *t, struct leg *leg, const uint8_t *data, size_t len)
{
    io_id peer = leg->peer->id;
    if (len)
        io_send(t->io, peer, data, len, NULL);
    io_splice(t->io, leg->at.id, peer);
}

/* To the shard that it asked for: the message, and what came behind it. */
static void give(struct turn *t, struct leg *leg, const uint8_t *data, size_t len)
{
    struct io_out out = {.op = IO_OP_GIVE, .id = leg->at.id, .other = leg->shard, .len = leg->have + len};
    uint8_t *p = io_put(t->io, &out);
    memcpy(p, leg->in, leg->have);
    if (len)
        memcpy(p + leg->have, data, len);
    turn_leg_forget(t, leg, "given");
}

void turn_leg_data(struct turn *t, struct leg *leg, const uint8_t *data, size_t len)
{
    while (len) {
        size_t skip = leg->skip < len ? leg->skip : len;
        leg->skip -= skip;
        data += skip;
        len -= skip;
        long used = len ? take(t, leg, data, len) : 0;
        if (used < 0 && leg->bind_failed) { /* payload sent too early for a bind that failed: X-15, discarded */
            drop_buffer(t, leg);
            return;
        }
        if (used < 0) {
            turn_leg_close(t, leg, used == E_NOMEM ? "no-room" : "framing");
            return;
        }
        data += used;
        len -= (size_t)used;
        if (!is_ours(t, leg)) {
            give(t, leg, data, len);
            return;
        }
        if (leg->peer) {
            splice(t, leg, data, len);
            return;
        }
    }
}

/* ---- life ---- */

/* No more questions until the answers are gone; and peers' datagrams are dropped meanwhile (data.c). */
void turn_leg_blocked(struct turn *t, struct leg *leg, bool blocked)
{
    leg->blocked = blocked;
    io_read(t->io, leg->at.id, !blocked);
}

void turn_leg_accepted(struct turn *t, struct listener *l, const struct io_in *in)
{
    struct leg *leg = pool_get(&t->legs);
    if (!leg) {
        io_close(t->io, in->id);
        return;
    }
    leg->node.kind = NODE_LEG;
    leg->given = in->other == IO_NONE;
    leg->shard = t->cfg.shard;
    leg->at = (struct tuple){.id = in->id, .listener = l, .local = in->local, .remote = in->remote};
    idmap_put(&t->by_io, in->id, leg);
    t->stats.clients++;
    turn_leg_idle_from_now(t, leg);
    io_read(t->io, in->id, true);
    turn_leg_data(t, leg, in->data, in->len);
}

void turn_leg_idle_from_now(struct turn *t, struct leg *leg)
{
    if (!leg->alloc && !leg->peer)
        timers_set(&t->timers, &leg->idle, leg, io_now(t->io) + IDLE_NS);
}

void turn_leg_forget(struct turn *t, struct leg *leg, const char *cause)
{
    assert(!leg->peer); /* a pair goes as one: turn_peer_forget */
    idmap_drop(&t->by_io, leg->at.id);
    leg->at.id = IO_NONE; /* nothing more is said on it */
    if (leg->alloc) {
        leg->alloc->from.id = IO_NONE;
        turn_alloc_delete(t, leg->alloc, cause); /* its 5-tuple is gone */
    }
    timers_set(&t->timers, &leg->idle, leg, TIME_NEVER);
    t->stats.clients--;
    drop_buffer(t, leg);
    pool_put(&t->legs, leg);
}

void turn_leg_close(struct turn *t, struct leg *leg, const char *cause)
{
    io_id id = leg->at.id;
    turn_leg_forget(t, leg, cause);
    io_close(t->io, id);
}
