/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The relay as a core: made from its configuration, fed events. */
#include "models/turn/turn.h"

#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/turn/server.h"

const struct turn_profile turn_strict = {
    .name = "strict", .software = "turnproof", .permission_needed = true, .rfc8489 = true, .last_channel = 0x4fff,
};

/* For clients that know nothing newer: any channel number of RFC 5766 11, authentication of RFC 5389. */
static const struct turn_profile turn_rfc5766 = {
    .name = "rfc5766", .software = "turnproof", .permission_needed = true, .last_channel = 0x7ffe,
};

/* As the reference capture shows it, and for the rest of its time: RFC 5766 and 5389. Of the 401's reason only the
 * length is known, 32 characters. */
const struct turn_profile turn_expressway = {
    .name = "expressway",
    .software = "TANDBERG/4137 (X8.9.2)",
    .binding_indication_ns = 5 * NS_S,
    .fingerprint = true,
    .bind_echoes_id = true,
    .attempt_integrity = true,
    .challenge_lifetime = true,
    .reason_401 = "Unauthorized: credentials needed",
    .last_channel = 0x7ffe,
    .sequential_ports = true,
};

const struct turn_limits turn_limits_default = {
    .clients = 4096, .allocations = 1024, .permissions = 32, .channels = 32, .peers = 16, .user_allocations = 1024,
    .max_lifetime_s = 3600,
};

const struct turn_profile *turn_profile_named(const char *name)
{
    static const struct turn_profile *const all[] = {&turn_strict, &turn_rfc5766, &turn_expressway};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i]->name, name) == 0)
            return all[i];
    return NULL;
}

const struct turn_size *turn_size_named(const char *name)
{
    static const struct turn_size all[] = {
        {"small", 1, 1800, 0}, {"medium", 1, 1800, 0}, {"large", 6, 6000, 1000}, /* EXP-1, EXP-2 */
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i].name, name) == 0)
            return &all[i];
    return NULL;
}

/* ---- made and freed ---- */

static void *copy_of(const void *p, size_t count, size_t size)
{
    void *copy = calloc(count ? count : 1, size);
    if (copy && count)
        memcpy(copy, p, count * size);
    return copy;
}

static void add_listener(struct turn *t, enum ip_proto proto, const struct endpoint *at)
{
    struct listener *l = &t->listeners[t->listener_count++];
    *l = (struct listener){.node.kind = NODE_LISTENER, .proto = proto, .local = *at, .port = l};
    for (struct listener *first = t->listeners; first < l; first++)
        if (first->local.port == at->port) {
            l->port = first;
            return;
        }
}

static bool copy_config(struct turn *t, const struct turn_config *cfg)
{
    t->cfg = *cfg;
    t->cfg.users = NULL; /* the passwords stay with the caller */
    t->cfg.secret = NULL;
    t->cfg.shards = cfg->shards ? cfg->shards : 1;
    t->cfg.realm = strdup(cfg->realm);
    t->listeners = calloc(cfg->listen_count + cfg->listen_udp_count + 1, sizeof *t->listeners);
    t->cfg.allow_peer = t->allow = copy_of(cfg->allow_peer, cfg->allow_peer_count, sizeof *t->allow);
    t->cfg.deny_peer = t->deny = copy_of(cfg->deny_peer, cfg->deny_peer_count, sizeof *t->deny);
    if (!t->cfg.realm || !t->listeners || !t->allow || !t->deny || turn_users_init(t, cfg->users, cfg->user_count))
        return false;
    for (size_t i = 0; i < cfg->listen_count; i++)
        add_listener(t, PROTO_TCP, &cfg->listen[i]);
    for (size_t i = 0; i < cfg->listen_udp_count; i++)
        add_listener(t, PROTO_UDP, &cfg->listen_udp[i]);
    t->cfg.listen = t->cfg.listen_udp = NULL;
    return true;
}

static bool make_pools(struct turn *t)
{
    const struct turn_limits *l = &t->cfg.limits;
    size_t allocations = l->allocations;
    return !pool_init(&t->legs, sizeof(struct leg), l->clients) && !pool_init(&t->buffers, REQUEST_MAX, l->clients) &&
           !pool_init(&t->frames, FRAME_MAX, allocations) &&
           !pool_init(&t->allocs, sizeof(struct alloc), allocations) &&
           !pool_init(&t->permissions, sizeof(struct permission), allocations * l->permissions) &&
           !pool_init(&t->channels, sizeof(struct channel), allocations * l->channels) &&
           !pool_init(&t->peers, sizeof(struct peer), allocations * l->peers) &&
           !pool_init(&t->reservations, sizeof(struct reservation), allocations);
}

static bool make_tables(struct turn *t)
{
    const struct turn_limits *l = &t->cfg.limits;
    size_t peers = (size_t)l->allocations * l->peers;
    for (t->tuple_bits = 4; (size_t)1 << t->tuple_bits < l->allocations; t->tuple_bits++)
        ;
    t->by_tuple = calloc((size_t)1 << t->tuple_bits, sizeof(struct alloc *));
    return t->by_tuple && make_pools(t) &&
           !idmap_init(&t->by_io, t->listener_count + l->clients + 2u * l->allocations + peers) &&
           !idmap_init(&t->by_connection, peers) && !idmap_init(&t->by_token, l->allocations) &&
           !timers_init(&t->timers, l->clients + 2u * l->allocations + peers);
}

size_t turn_footprint(const struct turn *t)
{
    const struct idmap *const maps[] = {&t->by_io, &t->by_connection, &t->by_token};
    const struct pool *const pools[] = {&t->legs,        &t->buffers,  &t->frames, &t->allocs,
                                        &t->permissions, &t->channels, &t->peers,  &t->reservations};
    size_t bytes = sizeof *t + (sizeof *t->by_tuple << t->tuple_bits) + sizeof *t->timers.heap * (t->timers.cap + 1);
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        bytes += idmap_footprint(maps[i]);
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++)
        bytes += pools[i]->size * pools[i]->cap;
    return bytes;
}

static bool sensible(const struct turn_config *cfg)
{
    const struct turn_limits *l = &cfg->limits;
    return cfg->profile && cfg->realm && cfg->first_port && cfg->first_port <= cfg->last_port &&
           l->clients < 1u << 20 && l->allocations < 1u << 16 && l->peers < 1u << 12 && l->permissions < 1u << 12 &&
           l->channels < 1u << 12 && cfg->shard < (cfg->shards ? cfg->shards : 1);
}

struct turn *turn_new(struct io *io, unsigned owner, const struct turn_config *cfg)
{
    struct turn *t = sensible(cfg) ? calloc(1, sizeof *t) : NULL;
    if (!t)
        return NULL;
    t->io = io;
    t->owner = owner;
    struct rng secret = io_rng(io, "turn/secret");
    if (cfg->secret)
        memcpy(t->oracle.secret, cfg->secret, SECRET);
    else
        rng_fill(&secret, t->oracle.secret, SECRET);
    t->oracle.counter = (uint64_t)cfg->shard << 32; /* 2^32 blocks each */
    turn_unguessable(t, &t->hash_key, sizeof t->hash_key);
    if (!copy_config(t, cfg) || !make_tables(t)) {
        turn_free(t);
        return NULL;
    }
    t->next_port[0] = t->next_port[1] = cfg->first_port;
    t->rng_id = io_rng(io, "turn/id");
    return t;
}

void turn_free(struct turn *t)
{
    if (!t)
        return;
    turn_users_free(&t->users);
    void *const parts[] = {
        (void *)t->cfg.realm, t->listeners, t->allow, t->deny, t->legs.base, t->buffers.base, t->frames.base,
        t->allocs.base, t->permissions.base, t->channels.base, t->peers.base, t->reservations.base, t->by_io.base,
        t->by_connection.base, t->by_token.base, t->by_tuple, t->timers.heap, t,
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        free(parts[i]);
}

void turn_drain(struct turn *t)
{
    t->draining = true;
}

void turn_set_alternate(struct turn *t, const struct endpoint *alternate)
{
    if (alternate->ip.family != IP_V6)
        t->cfg.alternate4 = *alternate;
    if (alternate->ip.family != IP_V4)
        t->cfg.alternate6 = *alternate;
}

/* ---- events ---- */

static void start(struct turn *t)
{
    for (struct listener *l = t->listeners; l < t->listeners + t->listener_count; l++) {
        bool udp = l->proto == PROTO_UDP;
        l->id = udp ? io_udp(t->io, t->owner, &l->local) : io_listen(t->io, t->owner, &l->local);
        idmap_put(&t->by_io, l->id, l);
    }
}

static void timers_fire(struct turn *t)
{
    struct node *n;
    while ((n = timers_due(&t->timers, io_now(t->io))))
        switch (n->kind) {
        case NODE_LEG:
            turn_leg_close(t, (struct leg *)n, "idle");
            break;
        case NODE_ALLOC:
            turn_alloc_timer(t, (struct alloc *)n);
            break;
        case NODE_PEER:
            turn_peer_timer(t, (struct peer *)n);
            break;
        case NODE_RESERVATION:
            turn_reservation_drop(t, (struct reservation *)n);
            break;
        case NODE_LISTENER: /* have none */
        case NODE_RELAY:
            break;
        }
}

static void listener_event(struct turn *t, struct listener *l, const struct io_in *in)
{
    char at[ENDPOINT_TEXT];
    if (in->event == IO_DATAGRAM)
        turn_client_datagram(t, l, in);
    else if (in->event == IO_ACCEPTED)
        turn_leg_accepted(t, l, in);
    else if (in->event == IO_FAILED)
        io_fail(t->io, NULL, "TURN cannot listen on %s %s: %s", l->proto == PROTO_UDP ? "UDP" : "TCP",
                endpoint_text(&l->local, at), err_text(in->err));
}

static void leg_event(struct turn *t, struct leg *leg, const struct io_in *in)
{
    if (leg->peer && (in->event == IO_DATA || in->event == IO_EOF))
        return; /* spliced: bytes and their end are the host's */
    if (in->event == IO_DATA)
        turn_leg_data(t, leg, in->data, in->len);
    else if (in->event == IO_EOF)
        turn_leg_close(t, leg, "client-closed");
    else if (in->event == IO_BLOCKED || in->event == IO_WRITABLE)
        turn_leg_blocked(t, leg, in->event == IO_BLOCKED);
    else if (in->event == IO_CLOSED && leg->peer)
        turn_peer_forget(t, leg->peer, "client-closed");
    else if (in->event == IO_CLOSED)
        turn_leg_forget(t, leg, "client-closed");
}

/* Where a connection that is given to us was accepted: another's listener, and ours too; or another's alone, who shares
 * its port with us: then it counts as of our first. */
static struct listener *listener_at(const struct turn *t, const struct endpoint *at)
{
    struct listener *first = NULL;
    for (struct listener *l = t->listeners; l < t->listeners + t->listener_count; l++) {
        if (l->proto != PROTO_TCP)
            continue;
        first = first ? first : l;
        if (l->local.port == at->port && (ip_equal(&l->local.ip, &at->ip) || ip_is_any(&l->local.ip)))
            return l;
    }
    return first;
}

static struct node *node_of(const struct turn *t, const struct io_in *in)
{
    if (in->event != IO_ACCEPTED)
        return idmap_get(&t->by_io, in->id);
    if (in->other != IO_NONE)
        return idmap_get(&t->by_io, in->other);
    struct listener *l = listener_at(t, &in->local);
    return l ? &l->node : NULL;
}

/* Peers are known by the addresses that clients have of them. */
static void relay_event(struct turn *t, struct relay *r, const struct io_in *in)
{
    struct io_in outside;
    if (t->cfg.finds_own) {
        outside = *in;
        outside.remote = turn_peer_outside(t, &in->remote);
        in = &outside;
    }
    if (in->event == IO_DATAGRAM)
        turn_peer_datagram(t, r, in);
    else if (in->event == IO_ICMP)
        turn_peer_icmp(t, r, in);
    else if (in->event == IO_ACCEPTED)
        turn_peer_incoming(t, r, in);
    else if (in->event == IO_OPENED)
        turn_relay_opened(t, r);
    else if (in->event == IO_FAILED)
        turn_relay_port_failed(t, r, in->err);
}

static void peer_event(struct turn *t, struct peer *peer, const struct io_in *in)
{
    if (in->event == IO_OPENED)
        turn_peer_opened(t, peer);
    else if (in->event == IO_FAILED)
        turn_peer_failed(t, peer, in->err);
    else if (in->event == IO_CLOSED) /* of a bound pair the host closes both and tells of both: once is enough */
        turn_peer_forget(t, peer, "peer-closed");
}

void turn_input(struct turn *t, const struct io_in *in)
{
    timers_fire(t);
    if (in->event == IO_START) {
        start(t);
        return;
    }
    struct node *n = node_of(t, in);
    if (!n) {
        if (in->event == IO_ACCEPTED) /* its listener was closed just now */
            io_close(t->io, in->id);
        return;
    }
    switch (n->kind) {
    case NODE_LISTENER:
        listener_event(t, (struct listener *)n, in);
        break;
    case NODE_LEG:
        leg_event(t, (struct leg *)n, in);
        break;
    case NODE_RELAY:
        relay_event(t, (struct relay *)n, in);
        break;
    case NODE_ALLOC: /* have no id of their own */
    case NODE_RESERVATION:
        break;
    case NODE_PEER:
        peer_event(t, (struct peer *)n, in);
        break;
    }
}

uint64_t turn_deadline(const struct turn *t)
{
    return timers_next(&t->timers);
}

void turn_stats(const struct turn *t, struct turn_stats *out)
{
    *out = t->stats;
}
