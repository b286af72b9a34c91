/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The relay as a core: made from its configuration, fed events. */
#include "models/turn/turn.h"

#include <stdlib.h>
#include <string.h>

#include "models/turn/server.h"

const struct turn_profile turn_strict = {
    .name = "strict", .software = "turnproof", .permission_needed = true, .nonce_cookie = true,
};

/* As the reference capture shows it. Of the 401's reason only the length is known, 32 characters. */
const struct turn_profile turn_expressway = {
    .name = "expressway",
    .software = "TANDBERG/4137 (X8.9.2)",
    .binding_indication_ns = 5 * NS_S,
    .fingerprint = true,
    .bind_echoes_id = true,
    .attempt_integrity = true,
    .challenge_lifetime = true,
    .reason_401 = "Unauthorized: credentials needed",
    .sequential_ports = true,
};

const struct turn_limits turn_limits_default = {
    .clients = 4096, .allocations = 1024, .permissions = 32, .peers = 16, .user_allocations = 1024,
    .max_lifetime_s = 3600,
};

const struct turn_profile *turn_profile_named(const char *name)
{
    static const struct turn_profile *const all[] = {&turn_strict, &turn_expressway};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i]->name, name) == 0)
            return all[i];
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

static bool copy_users(struct turn *t, const struct turn_config *cfg)
{
    t->users = calloc(cfg->user_count ? cfg->user_count : 1, sizeof *t->users);
    for (size_t i = 0; t->users && i < cfg->user_count; i++) {
        t->users[i].name = strdup(cfg->users[i].name);
        if (!t->users[i].name)
            return false;
        stun_long_term_key(cfg->users[i].name, cfg->realm, cfg->users[i].password, t->users[i].key);
    }
    return t->users != NULL;
}

static bool copy_config(struct turn *t, const struct turn_config *cfg)
{
    t->cfg = *cfg;
    t->cfg.users = NULL; /* the passwords stay with the caller */
    t->cfg.realm = strdup(cfg->realm);
    t->listeners = calloc(cfg->listen_count ? cfg->listen_count : 1, sizeof *t->listeners);
    t->cfg.allow_peer = t->allow = copy_of(cfg->allow_peer, cfg->allow_peer_count, sizeof *t->allow);
    t->cfg.deny_peer = t->deny = copy_of(cfg->deny_peer, cfg->deny_peer_count, sizeof *t->deny);
    if (!t->cfg.realm || !t->listeners || !t->allow || !t->deny || !copy_users(t, cfg))
        return false;
    for (size_t i = 0; i < cfg->listen_count; i++)
        t->listeners[i] = (struct listener){{NODE_LISTENER}, cfg->listen[i]};
    t->cfg.listen = NULL;
    return true;
}

static bool make_tables(struct turn *t)
{
    const struct turn_limits *l = &t->cfg.limits;
    size_t peers = (size_t)l->allocations * l->peers, permissions = l->permissions * sizeof(struct permission);
    t->permissions_before = malloc(permissions + 1);
    return t->permissions_before && !pool_init(&t->legs, sizeof(struct leg), l->clients) &&
           !pool_init(&t->buffers, REQUEST_MAX, l->clients) &&
           !pool_init(&t->allocs, sizeof(struct alloc), l->allocations) &&
           !pool_init(&t->permissions, permissions + sizeof(void *), l->allocations) &&
           !pool_init(&t->peers, sizeof(struct peer), peers) &&
           !idmap_init(&t->by_io, t->cfg.listen_count + l->clients + l->allocations + peers) &&
           !idmap_init(&t->by_connection, peers) &&
           !timers_init(&t->timers, l->clients + l->allocations + peers);
}

static bool sensible(const struct turn_config *cfg)
{
    return cfg->profile && cfg->realm && cfg->first_port && cfg->first_port <= cfg->last_port &&
           cfg->limits.clients < 1u << 20 && cfg->limits.allocations < 1u << 16 && cfg->limits.peers < 1u << 12 &&
           cfg->limits.permissions < 1u << 12;
}

struct turn *turn_new(struct io *io, unsigned owner, const struct turn_config *cfg)
{
    struct turn *t = sensible(cfg) ? calloc(1, sizeof *t) : NULL;
    if (!t)
        return NULL;
    t->io = io;
    t->owner = owner;
    if (!copy_config(t, cfg) || !make_tables(t)) {
        turn_free(t);
        return NULL;
    }
    t->next_port = cfg->first_port;
    struct rng secret = io_rng(io, "turn/secret");
    rng_fill(&secret, t->secret, sizeof t->secret);
    t->rng_id = io_rng(io, "turn/id");
    t->rng_port = io_rng(io, "turn/port");
    t->rng_nonce = io_rng(io, "turn/nonce");
    return t;
}

void turn_free(struct turn *t)
{
    if (!t)
        return;
    for (size_t i = 0; t->users && i < t->cfg.user_count; i++)
        free(t->users[i].name);
    void *const parts[] = {
        (void *)t->cfg.realm, t->users, t->listeners, t->allow, t->deny, t->permissions_before, t->legs.base,
        t->buffers.base, t->allocs.base, t->permissions.base, t->peers.base, t->by_io.slots,
        t->by_connection.slots, t->timers.heap, t,
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        free(parts[i]);
}

/* ---- events ---- */

static void start(struct turn *t)
{
    for (size_t i = 0; i < t->cfg.listen_count; i++)
        idmap_put(&t->by_io, io_listen(t->io, t->owner, &t->listeners[i].local), &t->listeners[i]);
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
        case NODE_LISTENER: /* has none */
            break;
        }
}

static void listener_event(struct turn *t, struct listener *l, const struct io_in *in)
{
    char at[ENDPOINT_TEXT];
    if (in->event == IO_ACCEPTED)
        turn_leg_accepted(t, in);
    else if (in->event == IO_FAILED)
        io_fail(t->io, NULL, "TURN cannot listen on %s", endpoint_text(&l->local, at));
}

static void leg_event(struct turn *t, struct leg *leg, const struct io_in *in)
{
    if (leg->peer && (in->event == IO_DATA || in->event == IO_EOF))
        return; /* spliced: bytes and their end are the host's */
    if (in->event == IO_DATA)
        turn_leg_data(t, leg, in->data, in->len);
    else if (in->event == IO_EOF)
        turn_leg_close(t, leg, "client-closed");
    else if (in->event == IO_BLOCKED || in->event == IO_WRITABLE) /* no more questions until the answers are gone */
        io_read(t->io, leg->id, in->event == IO_WRITABLE);
    else if (in->event == IO_CLOSED && leg->peer)
        turn_peer_forget(t, leg->peer, "client-closed");
    else if (in->event == IO_CLOSED)
        turn_leg_forget(t, leg, "client-closed");
}

static void alloc_event(struct turn *t, struct alloc *al, const struct io_in *in)
{
    if (in->event == IO_ACCEPTED)
        turn_peer_incoming(t, al, in);
    else if (in->event == IO_OPENED)
        turn_alloc_opened(t, al);
    else if (in->event == IO_FAILED)
        turn_alloc_port_failed(t, al);
}

static void peer_event(struct turn *t, struct peer *peer, const struct io_in *in)
{
    if (in->event == IO_OPENED)
        turn_peer_opened(t, peer);
    else if (in->event == IO_FAILED)
        turn_peer_failed(t, peer);
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
    struct node *n = idmap_get(&t->by_io, in->event == IO_ACCEPTED ? in->other : in->id);
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
    case NODE_ALLOC:
        alloc_event(t, (struct alloc *)n, in);
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
