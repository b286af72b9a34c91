/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client's UDP allocation: channels, and datagrams in and out (RFC 8656 11, 12). */
#include <string.h>

#include "models/base/err.h"
#include "models/turn/client.h"

/* ---- channels ---- */

/* Or about to be. */
static bool is_bound(const struct client_channel *ch)
{
    return ch->number && !ch->lapsed;
}

static struct client_channel *channel_of(struct turn_client *c, const struct endpoint *peer)
{
    for (size_t i = 0; i < CHANNELS; i++)
        if (is_bound(&c->channels[i]) && endpoint_equal(&c->channels[i].peer, peer))
            return &c->channels[i];
    return NULL;
}

static struct client_channel *channel_numbered(struct turn_client *c, uint16_t number)
{
    for (size_t i = 0; number && i < CHANNELS; i++)
        if (is_bound(&c->channels[i]) && c->channels[i].number == number)
            return &c->channels[i];
    return NULL;
}

static int channel_task(struct turn_client *c, struct client_channel *ch)
{
    struct task *task = client_new_task(c, TASK_CHANNEL);
    if (!task)
        return E_NOMEM;
    task->peer = ch->peer;
    task->number = ch->number;
    ch->renew_ns = TIME_NEVER;
    client_send_waiting(c);
    return 0;
}

/* What the server may still have bound is remembered until it is certain that it has not. */
static void let_go(struct turn_client *c, struct client_channel *ch)
{
    ch->lapsed = true;
    ch->renew_ns = TIME_NEVER;
    if (ch->kept_ns <= io_now(c->io))
        ch->number = 0;
}

/* The peer's again, if it has one still; else a new one. NULL: no room, or no number. */
static struct client_channel *channel_for(struct turn_client *c, const struct endpoint *peer)
{
    struct client_channel *free = NULL;
    for (struct client_channel *ch = c->channels; ch < c->channels + CHANNELS; ch++) {
        if (ch->lapsed && ch->kept_ns <= io_now(c->io))
            ch->number = 0;
        if (!ch->number) {
            free = ch;
        } else if (endpoint_equal(&ch->peer, peer)) {
            ch->lapsed = false;
            return ch;
        }
    }
    if (!free || c->next_channel > LAST_CHANNEL)
        return NULL;
    *free = (struct client_channel){.peer = *peer, .number = c->next_channel++};
    return free;
}

int turn_client_channel(struct turn_client *c, const struct endpoint *peer)
{
    if (c->state == CLIENT_DONE || !c->cfg.udp_relay)
        return E_NOT_FOUND;
    if (channel_of(c, peer))
        return E_EXISTS;
    struct client_channel *ch = channel_for(c, peer);
    int err = ch ? channel_task(c, ch) : E_NOMEM;
    if (ch && err)
        let_go(c, ch);
    return err;
}

void client_channel_done(struct turn_client *c, const struct task *task, int code, int err)
{
    struct client_channel *ch = channel_numbered(c, task->number);
    struct turn_client_event *ev = client_tell(c, TURN_CLIENT_CHANNEL);
    ev->peer = task->peer;
    ev->code = code;
    ev->err = err;
    if (!ch)
        return;
    ch->renew_ns = io_now(c->io) + CHANNEL_RENEW_NS;
    if (!code)
        ch->kept_ns = io_now(c->io) + CHANNEL_KEPT_NS; /* bound, or it may be: its answer was lost */
    if (code || err)
        let_go(c, ch);
}

void client_renew_channels(struct turn_client *c)
{
    for (size_t i = 0; i < CHANNELS; i++) {
        struct client_channel *ch = &c->channels[i];
        if (is_bound(ch) && ch->renew_ns <= io_now(c->io) && channel_task(c, ch))
            ch->renew_ns = io_now(c->io) + NS_S; /* all tasks are busy: a second later */
    }
}

uint64_t client_channels_deadline(const struct turn_client *c)
{
    uint64_t at = TIME_NEVER;
    for (size_t i = 0; i < CHANNELS; i++)
        if (is_bound(&c->channels[i]))
            at = time_min(at, c->channels[i].renew_ns);
    return at;
}

/* ---- out ---- */

static bool permitted(struct turn_client *c, const struct ip_addr *ip)
{
    for (size_t i = 0; i < PERMISSIONS; i++)
        if (c->permissions[i].ip.family && ip_equal(&c->permissions[i].ip, ip))
            return true;
    for (size_t i = 0; i < CHANNELS; i++)
        if (is_bound(&c->channels[i]) && ip_equal(&c->channels[i].peer.ip, ip))
            return true;
    return false;
}

/* Where to write a message of that length to the server. */
static uint8_t *room(struct turn_client *c, size_t len, const char *label)
{
    struct io_out out = {.op = c->cfg.over_udp ? IO_OP_SENDTO : IO_OP_SEND, .id = c->control, .remote = c->server,
                         .len = len, .label = label};
    return io_put(c->io, &out);
}

static size_t padding(size_t len)
{
    return (4 - len % 4) % 4;
}

/* A channel is used as soon as it is bound; until then its permission may not hold either. */
static void send_on_channel(struct turn_client *c, uint16_t number, const void *data, size_t len)
{
    size_t pad = c->cfg.over_udp ? 0 : padding(len);
    uint8_t *p = room(c, CHANNEL_HEADER + len + pad, NULL);
    store16(p, number);
    store16(p + 2, (unsigned)len);
    if (len)
        memcpy(p + CHANNEL_HEADER, data, len);
    memset(p + CHANNEL_HEADER + len, 0, pad);
}

static int send_indication(struct turn_client *c, const struct endpoint *peer, const void *data, size_t len)
{
    uint8_t head[64];
    struct stun_out o;
    struct stun_id id = stun_new_id(&stun_rfc8489, &c->rng);
    stun_begin(&o, &stun_rfc8489, head, sizeof head, stun_type(STUN_INDICATION, TURN_SEND), &id);
    stun_put_address(&o, ATTR_XOR_PEER_ADDRESS, peer);
    size_t n = writer_len(&o.w), total = n + 4 + len + padding(len);
    if (total - STUN_HEADER > UINT16_MAX)
        return E_SPACE;
    store16(head + 2, (unsigned)(total - STUN_HEADER));
    store16(head + n, ATTR_DATA);
    store16(head + n + 2, (unsigned)len);
    uint8_t *p = room(c, total, "Send indication");
    memcpy(p, head, n + 4);
    if (len)
        memcpy(p + n + 4, data, len);
    memset(p + n + 4 + len, 0, padding(len));
    return 0;
}

int turn_client_send(struct turn_client *c, const struct endpoint *peer, const void *data, size_t len)
{
    if (c->state != CLIENT_LIVE || !c->cfg.udp_relay || !permitted(c, &peer->ip))
        return E_NOT_FOUND;
    const struct client_channel *ch = channel_of(c, peer);
    if (len > UINT16_MAX)
        return E_SPACE;
    if (!ch)
        return send_indication(c, peer, data, len);
    send_on_channel(c, ch->number, data, len);
    return 0;
}

/* ---- in ---- */

static void tell_datagram(struct turn_client *c, const struct endpoint *peer, const uint8_t *data, size_t len)
{
    struct turn_client_event *ev = client_tell(c, TURN_CLIENT_DATAGRAM);
    ev->peer = *peer;
    ev->bytes = data;
    ev->bytes_len = len;
}

/* 11.4, 11.6: not from addresses that it holds no permission for; ICMP only with the address. */
void client_indication(struct turn_client *c, const struct stun_msg *m)
{
    struct endpoint peer;
    struct stun_attr a;
    if (c->state != CLIENT_LIVE || stun_get_address(m, ATTR_XOR_PEER_ADDRESS, &peer) || !permitted(c, &peer.ip) ||
        stun_unknown(m, NULL, 0))
        return;
    if (stun_find(m, ATTR_DATA, &a)) {
        tell_datagram(c, &peer, a.value, a.len);
    } else if (stun_find(m, ATTR_ICMP, &a) && a.len == 8) {
        struct turn_client_event *ev = client_tell(c, TURN_CLIENT_ICMP);
        ev->peer = peer;
        ev->icmp = (struct io_icmp){a.value[2], a.value[3], load32(a.value + 4)};
    }
}

static bool is_channel(const uint8_t *p, size_t have)
{
    return have && p[0] >= FIRST_CHANNEL >> 8 && p[0] <= LAST_CHANNEL >> 8;
}

/* One STUN message or ChannelData, padded or not. */
static void unit(struct turn_client *c, const uint8_t *p, size_t len)
{
    if (!is_channel(p, len)) {
        client_message(c, c->control, p, len, NULL, 0);
        return;
    }
    const struct client_channel *ch = len >= CHANNEL_HEADER ? channel_numbered(c, load16(p)) : NULL;
    if (ch && load16(p + 2) <= len - CHANNEL_HEADER)
        tell_datagram(c, &ch->peer, p + CHANNEL_HEADER, load16(p + 2));
}

void client_datagram(struct turn_client *c, const struct io_in *in)
{
    if (endpoint_equal(&in->remote, &c->server))
        unit(c, in->data, in->len);
}

static long unit_len(const uint8_t *p, size_t have)
{
    if (!is_channel(p, have))
        return stun_stream_len(&stun_rfc8489, p, have, FRAME_MAX);
    return have < CHANNEL_HEADER ? 0 : CHANNEL_HEADER + ((load16(p + 2) + 3l) & ~3l);
}

int client_frames(struct turn_client *c, const uint8_t *data, size_t len)
{
    io_id control = c->control;
    while (len && c->control == control) { /* an answer may end it */
        uint8_t *in = c->in[c->in_at];
        long want = c->have ? unit_len(in, c->have) : unit_len(data, len);
        if (want < 0)
            return E_MALFORMED;
        size_t n = want ? (size_t)want - c->have : 1;
        if (!c->have && want && n <= len) {
            unit(c, data, n);
            data += n;
            len -= n;
            continue;
        }
        n = n < len ? n : len;
        memcpy(in + c->have, data, n);
        c->have += n;
        data += n;
        len -= n;
        if (want && c->have == (size_t)want) {
            c->have = 0;
            c->in_at ^= 1; /* what was told may lie in this one */
            unit(c, in, (size_t)want);
        }
    }
    return 0;
}
