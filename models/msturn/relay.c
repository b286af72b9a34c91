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

static struct ms_peer *peer_place(const struct ms_turn_server *s, const struct ms_client *c,
                                  const struct endpoint *at)
{
    for (size_t i = 0; i < s->cfg.max_peers; i++) {
        struct ms_peer *p = &c->peer[i];
        if (p->state == MS_PEER_FREE) {
            *p = (struct ms_peer){.state = MS_PEER_IDLE, .at = *at};
            return p;
        }
    }
    return NULL;
}

/* One that was let in without having been sent to has a neighbour that was. */
static bool is_permitted(const struct ms_turn_server *s, const struct ms_client *c, const struct ip_addr *ip)
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
    bool room = is_permitted(s, c, &from->ip) && c->alloc.state == MS_ALLOC_LIVE && !(p && is_connected(p));
    if (room && !p)
        p = peer_place(s, c, from);
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

static void put_frame(struct ms_turn_server *s, struct ms_peer *p, const uint8_t *data, size_t len)
{
    uint8_t *frame = s->unit.bytes;
    store16(frame, (unsigned)len);
    if (len)
        memcpy(frame + RFC4571_HEADER, data, len);
    io_send(s->io, p->id, frame, RFC4571_HEADER + len, ms_inner_label(data, len));
}

void ms_relay_send(struct ms_turn_server *s, struct ms_client *c, const struct endpoint *to,
                   const uint8_t *data, size_t len)
{
    struct ms_peer *p = peer_at(s, c, to);
    if (!p)
        p = peer_place(s, c, to);
    if (!p)
        return; /* the table is full; a Send request has no answer to say so (MST-2) */
    p->permitted = true;
    if (p->state == MS_PEER_IDLE && s->cfg.connect_out) {
        struct endpoint from = {.ip = s->cfg.relay_ip, .port = c->alloc.port};
        p->id = io_connect(s->io, s->owner, &from, to);
        p->state = MS_PEER_CONNECTING;
    }
    if (is_connected(p))
        put_frame(s, p, data, len);
}

void ms_relay_raw(struct ms_turn_server *s, struct ms_client *c, const uint8_t *data, size_t len)
{
    if (c->alloc.active)
        put_frame(s, c->alloc.active, data, len);
}

/* ---- to the client ---- */

static void to_client(struct ms_turn_server *s, struct ms_client *c, const struct ms_peer *p,
                      const uint8_t *data, size_t len)
{
    uint8_t *content = s->unit.bytes + MS_UNIT_HEADER;
    if (c->alloc.active == p) {
        if (len)
            memcpy(content, data, len);
        size_t size = ms_unit_close(&s->unit, MS_UNIT_DATA, len);
        io_send(s->io, c->id, s->unit.bytes, size, ms_inner_label(data, len));
        return;
    }
    struct stun_out o;
    struct stun_id id = stun_new_id(&stun_ms_turn, &s->rng);
    stun_begin(&o, &stun_ms_turn, content, MS_UNIT_MAX, MS_TURN_DATA_INDICATION, &id);
    stun_put_address(&o, ATTR_MS_REMOTE_ADDRESS, &p->at);
    stun_put(&o, ATTR_DATA, data, len);
    long size = stun_end(&o);
    if (size > 0) /* else the frame does not fit an indication, and is dropped like a datagram */
        io_send(s->io, c->id, s->unit.bytes, ms_unit_close(&s->unit, MS_UNIT_CONTROL, (size_t)size),
                "MS-TURN Data indication");
}

void ms_peer_data(struct ms_turn_server *s, struct ms_client *c, struct ms_peer *p, const uint8_t *data,
                  size_t len)
{
    const uint8_t *frame;
    size_t n;
    while (rfc4571_take(&p->frames, &data, &len, &frame, &n))
        to_client(s, c, p, frame, n);
}
