/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "models/base/bytes.h"
#include "models/msturn/server.h"

static bool is_connected(const struct ms_peer *p)
{
    return p->state == MS_PEER_CONNECTING || p->state == MS_PEER_OPEN;
}

/* ---- back-pressure ---- */

/* The client is read while every peer takes what it may have for it. */
static void update_client_reading(struct ms_turn_server *s, struct ms_client *c)
{
    bool read = true;
    for (size_t i = 0; i < s->cfg.max_peers; i++)
        read = read && !(is_connected(&c->peer[i]) && c->peer[i].blocked);
    if (read != c->reading)
        io_read(s->io, c->id, read);
    c->reading = read;
}

void ms_set_client_blocked(struct ms_turn_server *s, struct ms_client *c, bool blocked)
{
    c->blocked = blocked;
    for (size_t i = 0; i < s->cfg.max_peers; i++)
        if (c->peer[i].state == MS_PEER_OPEN)
            io_read(s->io, c->peer[i].id, !blocked);
}

void ms_set_peer_blocked(struct ms_turn_server *s, struct ms_client *c, struct ms_peer *p, bool blocked)
{
    p->blocked = blocked;
    update_client_reading(s, c);
}

/* ---- peers ---- */

static struct ms_peer *peer_at(const struct ms_turn_server *s, const struct ms_client *c,
                               const struct endpoint *at)
{
    for (size_t i = 0; i < s->cfg.max_peers; i++)
        if (c->peer[i].state != MS_PEER_FREE && endpoint_equal(&c->peer[i].at, at))
            return &c->peer[i];
    return NULL;
}

struct ms_peer *ms_peer_open_at(const struct ms_turn_server *s, const struct ms_client *c,
                                const struct endpoint *at)
{
    struct ms_peer *p = peer_at(s, c, at);
    return p && p->state == MS_PEER_OPEN ? p : NULL;
}

struct ms_peer *ms_peer_of(const struct ms_turn_server *s, struct ms_client *c, const struct endpoint *at)
{
    struct ms_peer *found = peer_at(s, c, at);
    for (size_t i = 0; i < s->cfg.max_peers && !found; i++)
        if (c->peer[i].state == MS_PEER_FREE) {
            found = &c->peer[i];
            *found = (struct ms_peer){.state = MS_PEER_IDLE, .at = *at};
        }
    return found;
}

/* One that was let in without having been sent to has a neighbour that was. */
bool ms_is_permitted(const struct ms_turn_server *s, const struct ms_client *c, const struct ip_addr *ip)
{
    for (size_t i = 0; i < s->cfg.max_peers; i++)
        if (c->peer[i].state != MS_PEER_FREE && ip_equal(&c->peer[i].at.ip, ip))
            return true;
    return false;
}

void ms_peer_opened(struct ms_turn_server *s, struct ms_client *c, struct ms_peer *p)
{
    p->state = MS_PEER_OPEN;
    if (!c->blocked)
        io_read(s->io, p->id, true);
}

void ms_peer_accepted(struct ms_turn_server *s, struct ms_client *c, io_id id, const struct endpoint *from)
{
    struct ms_peer *p = peer_at(s, c, from);
    bool room = ms_is_permitted(s, c, &from->ip) && c->alloc.state == MS_ALLOC_LIVE && !(p && is_connected(p));
    if (room && !p)
        p = ms_peer_of(s, c, from);
    if (!room || !p) {
        io_close(s->io, id);
        return;
    }
    p->id = id;
    ms_peer_opened(s, c, p);
}

/* What an end of the connection leaves behind. */
static void disconnect(struct ms_peer *p)
{
    rfc4571_free(&p->frames);
    p->id = IO_NONE;
    p->blocked = false;
    p->state = p->permitted ? MS_PEER_IDLE : MS_PEER_FREE;
}

void ms_peer_ended(struct ms_turn_server *s, struct ms_client *c, struct ms_peer *p)
{
    if (c->alloc.active == p)
        c->alloc.active = NULL;
    disconnect(p);
    update_client_reading(s, c);
}

void ms_peer_free(struct ms_turn_server *s, struct ms_peer *p)
{
    if (p->state == MS_PEER_OPEN)
        io_close(s->io, p->id);
    else if (p->state == MS_PEER_CONNECTING)
        io_abort(s->io, p->id);
    disconnect(p);
    *p = (struct ms_peer){0};
}

/* ---- from the client ---- */

static void put_frame(struct ms_turn_server *s, const struct ms_client *c, struct ms_peer *p, const uint8_t *data,
                      size_t len)
{
    if (c->over_udp) {
        io_sendto(s->io, c->alloc.listener, &p->at, data, len, ms_inner_label(data, len));
        return;
    }
    uint8_t *frame = s->unit.bytes;
    store16(frame, (unsigned)len);
    if (len)
        memcpy(frame + RFC4571_HEADER, data, len);
    io_send(s->io, p->id, frame, RFC4571_HEADER + len, ms_inner_label(data, len));
}

void ms_relay_send(struct ms_turn_server *s, struct ms_client *c, const struct endpoint *to,
                   const uint8_t *data, size_t len)
{
    struct ms_peer *p = ms_peer_of(s, c, to);
    if (!p)
        return; /* the table is full; a Send request has no answer to say so (MST-2) */
    p->permitted = true;
    if (p->state == MS_PEER_IDLE && s->cfg.connect_out && !c->over_udp) {
        struct endpoint from = {.ip = s->cfg.relay_ip, .port = c->alloc.port};
        p->id = io_connect(s->io, s->owner, &from, to);
        p->state = MS_PEER_CONNECTING;
    }
    if (c->over_udp || is_connected(p))
        put_frame(s, c, p, data, len);
}

void ms_relay_raw(struct ms_turn_server *s, struct ms_client *c, const uint8_t *data, size_t len)
{
    if (c->alloc.active)
        put_frame(s, c, c->alloc.active, data, len);
}

/* ---- to the client ---- */

void ms_to_client(struct ms_turn_server *s, const struct ms_client *c, unsigned type, size_t len, const char *label)
{
    if (!c->over_udp) {
        io_send(s->io, c->id, s->unit.bytes, ms_unit_close(&s->unit, type, len), label);
        return;
    }
    uint8_t *room = io_put(s->io, &(struct io_out){.op = IO_OP_SENDTO, .id = c->id, .local = c->local,
                                                   .remote = c->remote, .len = len, .label = label});
    if (len)
        memcpy(room, s->unit.bytes + MS_UNIT_HEADER, len);
}

void ms_data_to_client(struct ms_turn_server *s, struct ms_client *c, const struct endpoint *from,
                       const uint8_t *data, size_t len)
{
    uint8_t *content = s->unit.bytes + MS_UNIT_HEADER;
    if (c->alloc.active && endpoint_equal(&c->alloc.active->at, from)) {
        if (len)
            memcpy(content, data, len);
        ms_to_client(s, c, MS_UNIT_DATA, len, ms_inner_label(data, len));
        return;
    }
    struct stun_out o;
    struct stun_id id = stun_new_id(&stun_ms_turn, &s->rng);
    stun_begin(&o, &stun_ms_turn, content, MS_UNIT_MAX, MS_TURN_DATA_INDICATION, &id);
    stun_put_address(&o, ATTR_MS_REMOTE_ADDRESS, from);
    stun_put(&o, ATTR_DATA, data, len);
    long size = stun_end(&o);
    if (size > 0) /* else the frame does not fit an indication, and is dropped like a datagram */
        ms_to_client(s, c, MS_UNIT_CONTROL, (size_t)size, "MS-TURN Data indication");
}

void ms_peer_data(struct ms_turn_server *s, struct ms_client *c, struct ms_peer *p, const uint8_t *data,
                  size_t len)
{
    const uint8_t *frame;
    size_t n;
    while (rfc4571_take(&p->frames, &data, &len, &frame, &n))
        ms_data_to_client(s, c, &p->at, frame, n);
}
