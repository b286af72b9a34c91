/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Peer connections (RFC 6062 5.2 to 5.5): made by Connect, or come in; bound by ConnectionBind.
 *
 * A pending connection is not read: what the peer sends waits in the host's TCP, whose window closes in time. It
 * follows that the peer's FIN is not seen before the bind, as IO_EOF comes only to who reads: a peer that sends
 * and closes keeps its id until bind or timeout, and the splice then delivers its bytes and its end. One that has
 * reset the connection is seen at once (IO_CLOSED), and its id is dead. */
#include "models/base/err.h"
#include "models/turn/server.h"

static const char *const state_names[] = {"CONNECTING", "PENDING", "BOUND"};

static void note(struct turn *t, const struct peer *peer, const char *to, const char *cause)
{
    char remote[ENDPOINT_TEXT];
    io_note(t->io, NOTE_STATE, "alloc=%u peer=%s connection=%08x %s -> %s%s%s", peer->alloc->serial,
            endpoint_text(&peer->remote, remote), peer->connection, state_names[peer->state], to,
            cause ? " cause=" : "", cause ? cause : "");
}

static struct peer *peer_of(const struct alloc *al, const struct endpoint *remote)
{
    for (struct peer *p = al->peers; p; p = p->next)
        if (endpoint_equal(&p->remote, remote))
            return p;
    return NULL;
}

static struct peer *new_peer(struct turn *t, struct alloc *al, const struct endpoint *remote)
{
    struct peer *peer = al->peer_count < t->cfg.limits.peers ? pool_get(&t->peers) : NULL;
    if (!peer)
        return NULL;
    *peer = (struct peer){.node.kind = NODE_PEER, .alloc = al, .remote = *remote, .next = al->peers};
    al->peers = peer;
    al->peer_count++;
    return peer;
}

static void set_id(struct turn *t, struct peer *peer, io_id id)
{
    peer->id = id;
    idmap_put(&t->by_io, id, peer);
}

/* one number over the whole server, for the bind comes on a connection that has no allocation. */
static void wait_for_bind(struct turn *t, struct peer *peer)
{
    do
        peer->connection = (uint32_t)(rng_u64(&t->rng_id) >> 32);
    while (peer->connection == 0 || idmap_get(&t->by_connection, peer->connection));
    idmap_put(&t->by_connection, peer->connection, peer);
    timers_set(&t->timers, &peer->timer, peer, io_now(t->io) + BIND_TIMEOUT_NS);
    note(t, peer, "PENDING", NULL);
    peer->state = PEER_PENDING;
    t->stats.pending++;
}

void turn_peer_forget(struct turn *t, struct peer *peer, const char *cause)
{
    note(t, peer, "GONE", cause);
    t->stats.pending -= peer->state == PEER_PENDING;
    t->stats.bound -= peer->state == PEER_BOUND;
    struct peer **link = &peer->alloc->peers;
    while (*link != peer)
        link = &(*link)->next;
    *link = peer->next;
    peer->alloc->peer_count--;
    timers_set(&t->timers, &peer->timer, peer, TIME_NEVER);
    idmap_drop(&t->by_io, peer->id);
    if (peer->connection)
        idmap_drop(&t->by_connection, peer->connection);
    struct leg *leg = peer->leg;
    pool_put(&t->peers, peer);
    if (leg) {
        leg->peer = NULL;
        turn_leg_forget(t, leg, cause);
    }
}

void turn_peer_delete(struct turn *t, struct peer *peer, const char *cause, int code)
{
    if (peer->state == PEER_CONNECTING)
        io_abort(t->io, peer->id);
    else
        io_close(t->io, peer->id);
    if (peer->leg)
        io_close(t->io, peer->leg->id);
    if (peer->state == PEER_CONNECTING && code && peer->alloc->control->id)
        turn_answer(t, peer->alloc->control, &peer->asked, &(struct answer){.code = code});
    turn_peer_forget(t, peer, cause);
}

/* ---- Connect ---- */

/* 5.2 in its order; X-24: never to itself, whatever the lists allow. */
static int check_connect(const struct turn *t, const struct alloc *al, const struct stun_msg *m, struct endpoint *to)
{
    int err = stun_get_address(m, ATTR_XOR_PEER_ADDRESS, to);
    if (!err && peer_of(al, to))
        return 446;
    if (err || to->port == 0)
        return 400;
    if (to->ip.family != al->relay.ip.family)
        return 443;
    if (!turn_peer_allowed(t, &to->ip) || endpoint_equal(to, &al->relay) || endpoint_equal(to, &al->told))
        return 403;
    return 0;
}

int turn_connect(struct turn *t, struct leg *leg, const struct stun_msg *m, const struct request *rq,
                 struct answer *a)
{
    (void)a;
    struct alloc *al = leg->alloc;
    struct endpoint to;
    int code = check_connect(t, al, m, &to);
    if (code)
        return code;
    struct peer *peer = new_peer(t, al, &to);
    if (!peer)
        return 508; /* */
    peer->asked = *rq;
    set_id(t, peer, io_connect(t->io, t->owner, &al->relay, &to));
    timers_set(&t->timers, &peer->timer, peer, io_now(t->io) + CONNECT_TIMEOUT_NS);
    return ANSWERED; /* when the connection is there, or is not */
}

void turn_peer_opened(struct turn *t, struct peer *peer)
{
    wait_for_bind(t, peer);
    turn_answer(t, peer->alloc->control, &peer->asked, &(struct answer){.connection = peer->connection});
}

/* 5.2: refused, unreachable: 447 at once. */
void turn_peer_failed(struct turn *t, struct peer *peer)
{
    struct leg *control = peer->alloc->control;
    struct request asked = peer->asked;
    turn_peer_forget(t, peer, "refused");
    turn_answer(t, control, &asked, &(struct answer){.code = 447});
}

void turn_peer_timer(struct turn *t, struct peer *peer)
{
    turn_peer_delete(t, peer, peer->state == PEER_CONNECTING ? "connect-timeout" : "bind-timeout", 447);
}

/* ---- incoming ---- */

/* 5.3: accepted it is already; closed at once unless there is a permission (and room, X-25). */
void turn_peer_incoming(struct turn *t, struct alloc *al, const struct io_in *in)
{
    bool welcome = al->live && turn_peer_allowed(t, &in->remote.ip) &&
                   (!t->cfg.profile->permission_needed || turn_permitted(t, al, &in->remote.ip));
    struct peer *peer = welcome ? new_peer(t, al, &in->remote) : NULL;
    if (!peer) {
        char remote[ENDPOINT_TEXT], local[ENDPOINT_TEXT];
        endpoint_text(&in->remote, remote);
        io_note(t->io, NOTE_STATE, "alloc=%u peer=%s NEW -> GONE cause=%s", al->serial, remote,
                welcome ? "no-room" : "no-permission");
        io_note(t->io, NOTE_HINT, "the relay closed a connection from %s to %s: %s", remote,
                endpoint_text(&in->local, local), welcome ? "no room for more" : "no permission for that address");
        io_close(t->io, in->id);
        return;
    }
    set_id(t, peer, in->id);
    wait_for_bind(t, peer);
    turn_connection_attempt(t, peer);
}

/* ---- ConnectionBind ---- */

/* 5.4. The peer that is asked for, or NULL and the code. Sameness of the server's address: X-18. */
static struct peer *bindable(const struct turn *t, const struct leg *leg, const struct stun_msg *m,
                             const struct request *rq, int *code)
{
    uint32_t connection;
    *code = 400;
    if (leg->alloc || stun_get_u32(m, ATTR_CONNECTION_ID, &connection))
        return NULL;
    struct peer *peer = idmap_get(&t->by_connection, connection);
    if (!peer || peer->state != PEER_PENDING || !endpoint_equal(&leg->local, &peer->alloc->control->local))
        return NULL;
    *code = 441;
    return peer->alloc->user == rq->user ? peer : NULL;
}

int turn_connection_bind(struct turn *t, struct leg *leg, const struct stun_msg *m, const struct request *rq,
                         struct answer *a)
{
    int code;
    struct peer *peer = bindable(t, leg, m, rq, &code);
    leg->bind_failed = !peer;
    if (!peer)
        return code;
    note(t, peer, "BOUND", NULL);
    peer->state = PEER_BOUND;
    peer->leg = leg;
    leg->peer = peer;
    t->stats.pending--;
    t->stats.bound++;
    timers_set(&t->timers, &peer->timer, peer, TIME_NEVER);
    timers_set(&t->timers, &leg->idle, leg, TIME_NEVER);
    a->connection = t->cfg.profile->bind_echoes_id ? peer->connection : 0;
    return 0; /* answered before the splice: 6062-5.4-11 */
}
