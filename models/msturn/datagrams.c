/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/msturn/server.h"

void ms_open_sockets(struct ms_turn_server *s)
{
    for (size_t i = 0; i < s->cfg.listen_udp_count; i++)
        s->socket[i] = io_udp(s->io, s->owner, &s->cfg.listen_udp[i]);
}

bool ms_is_socket(const struct ms_turn_server *s, io_id id)
{
    for (size_t i = 0; i < s->cfg.listen_udp_count; i++)
        if (s->socket[i] == id)
            return true;
    return false;
}

/* A client is known by its 5-tuple. */
static struct ms_client *client_at(struct ms_turn_server *s, const struct io_in *in)
{
    for (size_t i = 0; i < s->cfg.max_clients; i++) {
        struct ms_client *c = &s->client[i];
        if (c->stage != MS_CLIENT_FREE && c->id == in->id && endpoint_equal(&c->remote, &in->remote) &&
            endpoint_equal(&c->local, &in->local))
            return c;
    }
    return NULL;
}

/* Only a request for an allocation makes a stranger a client. */
static struct ms_client *stranger(struct ms_turn_server *s, const struct io_in *in)
{
    struct stun_msg m;
    if (stun_parse(&stun_ms_turn, in->data, in->len, &m) != 0 || m.cls != STUN_REQUEST || m.method != TURN_ALLOCATE)
        return NULL;
    struct ms_client *c = ms_client_new(s, in);
    if (c) {
        c->over_udp = true;
        c->stage = MS_CLIENT_OPEN; /* no handshake goes before */
    }
    return c;
}

void ms_client_datagram(struct ms_turn_server *s, const struct io_in *in)
{
    struct ms_client *c = client_at(s, in);
    if (!c)
        c = stranger(s, in);
    if (c && ms_is_control(in->data, in->len))
        ms_control(s, c, in->data, in->len);
    else if (c)
        ms_relay_raw(s, c, in->data, in->len);
}

void ms_peer_datagram(struct ms_turn_server *s, struct ms_client *c, const struct io_in *in)
{
    if (c->alloc.state == MS_ALLOC_LIVE && ms_is_permitted(s, c, &in->remote.ip))
        ms_data_to_client(s, c, &in->remote, in->data, in->len);
}
