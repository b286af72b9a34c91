/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Datagrams between client and peer (RFC 8656 11, 12.5 to 12.7). Nothing here allocates, and what the host lends is not
 * copied: a payload goes on from where it lies, with its header written in front of it. */
#include <string.h>

#include "models/base/err.h"
#include "models/turn/server.h"

enum { DATA_HEAD_MAX = STUN_HEADER + 4 + 20 + 4, FINGERPRINT_SIZE = 8 };
_Static_assert((int)DATA_HEAD_MAX <= (int)IO_ROOM, "a Data indication's head fits in front of its payload");

/* ---- from the client ---- */

/* A datagram to a peer; what lies in the event is lent. */
static void to_peer(struct turn *t, struct alloc *al, const struct endpoint *peer, const uint8_t *data, size_t len,
                    bool lend, bool dont_fragment)
{
    const struct relay *r = turn_relay_of(al, peer->ip.family);
    struct endpoint inside = *peer;
    if (!r || !turn_peer_inside(t, &inside)) {
        t->stats.dropped++;
        return;
    }
    struct io_out out = {.op = IO_OP_SENDTO, .id = r->id, .remote = inside, .data = lend ? data : NULL, .len = len,
                         .dont_fragment = dont_fragment};
    uint8_t *room = io_put(t->io, &out);
    if (room && len)
        memcpy(room, data, len);
    t->stats.to_peers++;
    t->stats.to_peers_bytes += len;
}

/* 12.6. On a datagram the padding is optional, on a stream the caller has seen to it. That the permission holds too is
 * our reading (8656-12.6-5): without one nothing would come back. */
void turn_channel_data(struct turn *t, struct alloc *al, const uint8_t *bytes, size_t len, bool lend)
{
    if (len < CHANNEL_HEADER || len - CHANNEL_HEADER < load16(bytes + 2))
        return; /* 12.6-2 */
    const struct channel *ch = turn_channel_numbered(t, al, load16(bytes));
    if (ch && ch->permission->expires_ns > io_now(t->io))
        to_peer(t, al, &ch->peer, bytes + CHANNEL_HEADER, load16(bytes + 2), lend, false);
    else
        t->stats.dropped++;
}

/* 11.2: what is not in order is dropped without a word. */
void turn_send_indication(struct turn *t, struct alloc *al, const struct stun_msg *m, bool lend)
{
    struct endpoint peer;
    struct stun_attr data, df;
    bool dont_fragment = stun_find(m, ATTR_DONT_FRAGMENT, &df);
    if (al->proto != PROTO_UDP || stun_get_address(m, ATTR_XOR_PEER_ADDRESS, &peer) ||
        !stun_find(m, ATTR_DATA, &data) || (dont_fragment && !t->cfg.dont_fragment) ||
        !turn_permitted(t, al, &peer.ip) || stun_unknown(m, NULL, 0))
        t->stats.dropped++;
    else
        to_peer(t, al, &peer, data.value, data.len, lend, dont_fragment);
}

/* ---- from a peer ---- */

/* head, the event's payload, and tail zero bytes, to the client. Where they lie, until something else is queued. */
static uint8_t *to_client(struct turn *t, const struct alloc *al, const struct io_in *in, const uint8_t *head,
                          size_t head_len, size_t tail, const char *label)
{
    bool udp = !al->control;
    struct io_out out = {.op = udp ? IO_OP_SENDTO : IO_OP_SEND, .id = al->from.id, .local = al->from.local,
                         .remote = al->from.remote, .data = in->room ? in->room - head_len : NULL,
                         .len = head_len + in->len + tail, .label = label};
    uint8_t *p = io_put(t->io, &out);
    if (in->room)
        p = in->room - head_len;
    else if (in->len)
        memcpy(p + head_len, in->data, in->len);
    memcpy(p, head, head_len);
    memset(p + head_len + in->len, 0, tail);
    t->stats.to_clients++;
    t->stats.to_clients_bytes += in->len;
    return p;
}

static size_t padding(size_t len)
{
    return (4 - len % 4) % 4;
}

/* 12.5: padded on a stream only. */
static void channel_to_client(struct turn *t, const struct alloc *al, const struct channel *ch, const struct io_in *in)
{
    uint8_t head[CHANNEL_HEADER];
    store16(head, ch->number);
    store16(head + 2, (unsigned)in->len);
    to_client(t, al, in, head, sizeof head, al->control ? padding(in->len) : 0, NULL);
}

/* 11.3 */
static void data_to_client(struct turn *t, const struct alloc *al, const struct io_in *in)
{
    uint8_t head[DATA_HEAD_MAX];
    struct stun_out o;
    struct stun_id id = stun_new_id(&stun_rfc8489, &t->rng_id);
    bool fingerprint = t->cfg.profile->fingerprint;
    stun_begin(&o, &stun_rfc8489, head, sizeof head, stun_type(STUN_INDICATION, TURN_DATA), &id);
    stun_put_address(&o, ATTR_XOR_PEER_ADDRESS, &in->remote);
    size_t n = writer_len(&o.w), tail = padding(in->len) + (fingerprint ? FINGERPRINT_SIZE : 0);
    size_t total = n + 4 + in->len + tail;
    if (total - STUN_HEADER > UINT16_MAX) {
        t->stats.dropped++;
        return;
    }
    store16(head + n, ATTR_DATA);
    store16(head + n + 2, (unsigned)in->len);
    store16(head + 2, (unsigned)(total - STUN_HEADER));
    uint8_t *p = to_client(t, al, in, head, n + 4, tail, "Data indication");
    if (fingerprint) {
        o.w = (struct writer){p, p + total - FINGERPRINT_SIZE, p + total, false};
        stun_put_fingerprint(&o);
    }
}

/* 11.3, 12.7: a permission for the address is needed; a channel makes it ChannelData. What a client over TCP does not
 * take is not kept for it. */
void turn_peer_datagram(struct turn *t, struct relay *r, const struct io_in *in)
{
    const struct alloc *al = r->alloc;
    const struct channel *ch = al->live ? turn_channel_of(t, al, &in->remote) : NULL;
    bool permitted = ch ? ch->permission->expires_ns > io_now(t->io)
                        : al->live && turn_permitted(t, al, &in->remote.ip);
    if (!permitted || in->len > UINT16_MAX || (al->control && al->control->blocked))
        t->stats.dropped++;
    else if (ch)
        channel_to_client(t, al, ch, in);
    else
        data_to_client(t, al, in);
}

/* 11.5: the errors that count; whom the datagram was for needs the permission, not who complains. */
void turn_peer_icmp(struct turn *t, struct relay *r, const struct io_in *in)
{
    bool v4 = in->remote.ip.family == IP_V4;
    unsigned type = in->icmp.type;
    bool counts = v4 ? type == 3 || type == 11 : type >= 1 && type <= 3;
    if (counts && r->alloc->live && turn_permitted(t, r->alloc, &in->remote.ip) &&
        !(r->alloc->control && r->alloc->control->blocked))
        turn_icmp_indication(t, r->alloc, &in->remote, &in->icmp);
}
