/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/msturn/server.h"

#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/base/time.h"

#define IDLE_LIMIT (60 * NS_S) /* of a connection without an allocation: ours, nothing is known */

/* ---- making ---- */

static const struct endpoint *copy_endpoints(const struct endpoint *from, size_t count)
{
    struct endpoint *copy = calloc(count + 1, sizeof *copy);
    if (copy && count)
        memcpy(copy, from, count * sizeof *copy);
    return copy;
}

static bool copy_config(struct ms_turn_server *s, const struct ms_turn_server_config *cfg)
{
    s->cfg = *cfg;
    s->cfg.listen = copy_endpoints(cfg->listen, cfg->listen_count);
    s->cfg.listen_udp = copy_endpoints(cfg->listen_udp, cfg->listen_udp_count);
    s->cfg.users = NULL;
    s->cfg.realm = strdup(cfg->realm);
    s->users = calloc(cfg->user_count + 1, sizeof *s->users);
    s->socket = calloc(cfg->listen_udp_count + 1, sizeof *s->socket);
    s->client = calloc(cfg->max_clients + 1u, sizeof *s->client);
    s->peers = calloc((size_t)cfg->max_clients * cfg->max_peers + 1, sizeof *s->peers);
    if (!s->cfg.listen || !s->cfg.listen_udp || !s->cfg.realm || !s->users || !s->socket || !s->client || !s->peers)
        return false;
    for (size_t i = 0; i < cfg->user_count; i++) {
        const struct ms_turn_user *u = &cfg->users[i];
        s->users[i].name = strdup(u->name);
        if (!s->users[i].name)
            return false;
        stun_long_term_key(u->name, cfg->realm, u->password, s->users[i].key);
    }
    return true;
}

struct ms_turn_server *ms_turn_server_new(struct io *io, unsigned owner,
                                          const struct ms_turn_server_config *cfg)
{
    if (cfg->first_port == 0 || cfg->first_port > cfg->last_port)
        return NULL;
    struct ms_turn_server *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    if (!copy_config(s, cfg)) {
        ms_turn_server_free(s);
        return NULL;
    }
    s->io = io;
    s->owner = owner;
    s->next_port = cfg->first_port;
    s->rng = io_rng(io, "ms-turn");
    for (size_t i = 0; i < cfg->max_clients; i++)
        s->client[i].peer = s->peers + i * cfg->max_peers;
    return s;
}

void ms_turn_server_free(struct ms_turn_server *s)
{
    if (!s)
        return;
    for (size_t i = 0; s->client && i < s->cfg.max_clients; i++)
        ms_units_free(&s->client[i].units);
    for (size_t i = 0; s->peers && i < (size_t)s->cfg.max_clients * s->cfg.max_peers; i++)
        rfc4571_free(&s->peers[i].frames);
    for (size_t i = 0; s->users && i < s->cfg.user_count; i++)
        free(s->users[i].name);
    free((void *)s->cfg.realm);
    free((void *)s->cfg.listen);
    free((void *)s->cfg.listen_udp);
    free(s->users);
    free(s->socket);
    free(s->client);
    free(s->peers);
    free(s);
}

/* ---- clients and their allocations ---- */

void ms_alloc_free(struct ms_turn_server *s, struct ms_client *c, const char *cause)
{
    if (c->alloc.state == MS_ALLOC_NONE)
        return;
    io_note(s->io, NOTE_STATE, "ms-alloc=%u %s -> NONE cause=%s", c->alloc.port,
            c->alloc.state == MS_ALLOC_LIVE ? "LIVE" : "OPENING", cause);
    if (c->alloc.listener != IO_NONE)
        io_close(s->io, c->alloc.listener);
    for (size_t i = 0; i < s->cfg.max_peers; i++)
        ms_peer_free(s, &c->peer[i]);
    c->alloc = (struct ms_alloc){0};
    c->idle_ns = io_now(s->io) + IDLE_LIMIT;
}

static void client_forget(struct ms_turn_server *s, struct ms_client *c, const char *cause)
{
    ms_alloc_free(s, c, cause);
    ms_units_free(&c->units);
    *c = (struct ms_client){.peer = c->peer};
}

void ms_client_close(struct ms_turn_server *s, struct ms_client *c)
{
    if (!c->over_udp)
        io_close(s->io, c->id);
    client_forget(s, c, "closed");
}

struct ms_client *ms_client_new(struct ms_turn_server *s, const struct io_in *in)
{
    for (size_t i = 0; i < s->cfg.max_clients; i++) {
        struct ms_client *c = &s->client[i];
        if (c->stage != MS_CLIENT_FREE)
            continue;
        *c = (struct ms_client){.stage = MS_CLIENT_HELLO,
                                .id = in->id,
                                .local = in->local,
                                .remote = in->remote,
                                .reading = true,
                                .idle_ns = io_now(s->io) + IDLE_LIMIT,
                                .peer = c->peer};
        uint8_t random[16];
        rng_fill(&s->rng, random, sizeof random);
        hex_of(random, sizeof random, c->nonce);
        return c;
    }
    return NULL;
}

static void client_accepted(struct ms_turn_server *s, const struct io_in *in)
{
    if (ms_client_new(s, in))
        io_read(s->io, in->id, true);
    else
        io_close(s->io, in->id);
}

/* Bytes of a client: the handshake, then units. The units of one delivery are all dealt with, even when a
 * peer blocks after the first; the next delivery waits then. */
static void client_data(struct ms_turn_server *s, struct ms_client *c, const uint8_t *p, size_t len)
{
    if (c->stage == MS_CLIENT_HELLO) {
        int done = ms_hello_take(&ms_client_hello, &c->hello_have, &p, &len);
        if (done < 0)
            ms_client_close(s, c);
        if (done <= 0)
            return;
        uint8_t hello[MS_HELLO_MAX];
        ms_hello_write(&ms_server_hello, &s->rng, hello);
        io_send(s->io, c->id, hello, sizeof hello, "pseudo-TLS ServerHello");
        c->stage = MS_CLIENT_OPEN;
    }
    const uint8_t *content;
    size_t n;
    int unit;
    while (c->stage == MS_CLIENT_OPEN && (unit = ms_units_take(&c->units, &p, &len, &content, &n)) != 0) {
        if (unit < 0)
            ms_client_close(s, c);
        else if (c->units.type == MS_UNIT_CONTROL)
            ms_control(s, c, content, n);
        else
            ms_relay_raw(s, c, content, n);
    }
}

/* ---- events ---- */

/* What an id belongs to. */
struct owner {
    struct ms_client *client;
    struct ms_peer *peer;
    bool relay_listener;
};

static struct owner owner_of(struct ms_turn_server *s, io_id id)
{
    for (size_t i = 0; i < s->cfg.max_clients; i++) {
        struct ms_client *c = &s->client[i];
        if (c->stage == MS_CLIENT_FREE)
            continue;
        if (c->id == id)
            return (struct owner){.client = c};
        if (c->alloc.state == MS_ALLOC_NONE)
            continue;
        if (c->alloc.listener == id)
            return (struct owner){.client = c, .relay_listener = true};
        for (size_t j = 0; j < s->cfg.max_peers; j++)
            if (c->peer[j].state >= MS_PEER_CONNECTING && c->peer[j].id == id)
                return (struct owner){.client = c, .peer = &c->peer[j]};
    }
    return (struct owner){0};
}

static void on_ended(struct ms_turn_server *s, struct owner at, const struct io_in *in)
{
    if (in->event == IO_EOF) /* each direction is of no use without the other */
        io_close(s->io, in->id);
    if (at.peer)
        ms_peer_ended(s, at.client, at.peer);
    else
        client_forget(s, at.client, in->err ? err_text(in->err) : "closed");
}

static void on_failed(struct ms_turn_server *s, struct owner at, const struct io_in *in)
{
    if (at.relay_listener) {
        ms_relay_port_failed(s, at.client);
    } else {
        char to[ENDPOINT_TEXT];
        io_note(s->io, NOTE_STATE, "ms-alloc=%u peer %s: %s", at.client->alloc.port,
                endpoint_text(&at.peer->at, to), err_text(in->err));
        ms_peer_ended(s, at.client, at.peer);
    }
}

static void on_connection(struct ms_turn_server *s, const struct io_in *in)
{
    if (ms_is_socket(s, in->id)) { /* of all the clients there: it belongs to none */
        if (in->event == IO_DATAGRAM)
            ms_client_datagram(s, in);
        return;
    }
    struct owner at = owner_of(s, in->event == IO_ACCEPTED ? in->other : in->id);
    if (!at.client) {
        if (in->event == IO_ACCEPTED)
            client_accepted(s, in);
        return;
    }
    switch (in->event) {
    case IO_OPENED:
        if (at.relay_listener)
            ms_relay_port_opened(s, at.client);
        else
            ms_peer_opened(s, at.client, at.peer);
        break;
    case IO_ACCEPTED:
        ms_peer_accepted(s, at.client, in->id, &in->remote);
        break;
    case IO_FAILED:
        on_failed(s, at, in);
        break;
    case IO_DATA:
        if (at.peer)
            ms_peer_data(s, at.client, at.peer, in->data, in->len);
        else
            client_data(s, at.client, in->data, in->len);
        break;
    case IO_BLOCKED:
    case IO_WRITABLE:
        if (at.peer)
            ms_set_peer_blocked(s, at.client, at.peer, in->event == IO_BLOCKED);
        else
            ms_set_client_blocked(s, at.client, in->event == IO_BLOCKED);
        break;
    case IO_EOF:
    case IO_CLOSED:
        on_ended(s, at, in);
        break;
    case IO_DATAGRAM:
        ms_peer_datagram(s, at.client, in);
        break;
    case IO_START:
    case IO_TICK:
    case IO_ICMP:
        break;
    }
}

static uint64_t client_deadline(const struct ms_client *c)
{
    if (c->stage == MS_CLIENT_FREE)
        return TIME_NEVER;
    return c->alloc.state == MS_ALLOC_LIVE ? c->alloc.expires_ns : c->idle_ns;
}

static void on_tick(struct ms_turn_server *s)
{
    for (size_t i = 0; i < s->cfg.max_clients; i++) {
        struct ms_client *c = &s->client[i];
        if (client_deadline(c) > io_now(s->io))
            continue;
        if (c->alloc.state == MS_ALLOC_LIVE)
            ms_alloc_free(s, c, "lifetime");
        else
            ms_client_close(s, c);
    }
}

void ms_turn_server_input(struct ms_turn_server *s, const struct io_in *in)
{
    if (in->event == IO_START) {
        for (size_t i = 0; i < s->cfg.listen_count; i++)
            io_listen(s->io, s->owner, &s->cfg.listen[i]);
        ms_open_sockets(s);
    } else if (in->event == IO_TICK) {
        on_tick(s);
    } else {
        on_connection(s, in);
    }
}

uint64_t ms_turn_server_deadline(const struct ms_turn_server *s)
{
    uint64_t at = TIME_NEVER;
    for (size_t i = 0; i < s->cfg.max_clients; i++)
        at = time_min(at, client_deadline(&s->client[i]));
    return at;
}
