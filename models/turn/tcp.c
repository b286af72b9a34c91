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
    if (io_muted(t->io, NOTE_STATE))
        return;
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

static uint32_t shard_of(const struct turn *t, uint32_t connection)
{
    return connection % t->cfg.shards;
}

/* one number over the whole server, for the bind comes on a connection that has no allocation. Whose it is of
 * several shards its remainder tells; the rest is nobody's to guess. */
static void wait_for_bind(struct turn *t, struct peer *peer)
{
    do {
        turn_unguessable(t, &peer->connection, sizeof peer->connection);
        peer->connection += t->cfg.shard - shard_of(t, peer->connection);
    } while (peer->connection == 0 || shard_of(t, peer->connection) != t->cfg.shard ||
             idmap_get(&t->by_connection, peer->connection));
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
        io_close(t->io, peer->leg->at.id);
    if (peer->state == PEER_CONNECTING && code)
        turn_answer_code(t, &peer->alloc->from, &peer->asked, code);
    turn_peer_forget(t, peer, cause);
}

/* ---- Connect ---- */

/* 5.2 in its order; X-10: of a UDP allocation 400; X-24: never to itself, whatever the lists allow. */
static int check_connect(const struct turn *t, struct alloc *al, const struct stun_msg *m, struct endpoint *to)
{
    int err = stun_get_address(m, ATTR_XOR_PEER_ADDRESS, to);
    if (!err && peer_of(al, to))
        return 446;
    if (err || to->port == 0 || al->proto != PROTO_TCP)
        return 400;
    const struct relay *r = turn_relay_of(al, to->ip.family);
    if (!r)
        return 443;
    struct endpoint inside = *to;
    if (!turn_peer_allowed(t, &to->ip) || !turn_peer_inside(t, &inside) || endpoint_equal(to, &r->at) ||
        endpoint_equal(to, &r->told))
        return 403;
    return 0;
}

int turn_connect(struct turn *t, struct call *c)
{
    struct alloc *al = c->alloc;
    struct endpoint to;
    int code = check_connect(t, al, c->m, &to);
    if (code)
        return code;
    struct peer *peer = new_peer(t, al, &to);
    if (!peer)
        return 508; /* */
    peer->asked = c->rq;
    peer->asked.keys = &al->keys; /* what the request names may be configured away meanwhile */
    turn_peer_inside(t, &to);
    set_id(t, peer, io_connect(t->io, t->owner, &turn_relay_of(al, to.ip.family)->at, &to));
    timers_set(&t->timers, &peer->timer, peer, io_now(t->io) + CONNECT_TIMEOUT_NS);
    return ANSWERED; /* when the connection is there, or is not */
}

void turn_peer_opened(struct turn *t, struct peer *peer)
{
    wait_for_bind(t, peer);
    turn_answer(t, &peer->alloc->from, &peer->asked, &(struct answer){.connection = peer->connection});
}

/* 5.2: refused, unreachable: 447 at once; 508 when it is the host that has no room. */
void turn_peer_failed(struct turn *t, struct peer *peer, int err)
{
    const struct alloc *al = peer->alloc;
    struct request asked = peer->asked;
    turn_peer_forget(t, peer, err == E_NOMEM ? "no-room" : "refused");
    turn_answer_code(t, &al->from, &asked, err == E_NOMEM ? 508 : 447);
}

void turn_peer_timer(struct turn *t, struct peer *peer)
{
    turn_peer_delete(t, peer, peer->state == PEER_CONNECTING ? "connect-timeout" : "bind-timeout", 447);
}

/* ---- incoming ---- */

/* 5.3: accepted it is already; closed at once unless there is a permission (and room, X-25). */
void turn_peer_incoming(struct turn *t, struct relay *r, const struct io_in *in)
{
    struct alloc *al = r->alloc;
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

uint32_t turn_shard_asked(const struct turn *t, const struct call *c)
{
    uint32_t connection;
    bool may = c->leg && !c->leg->given && !c->alloc && c->m->cls == STUN_REQUEST &&
               c->m->method == TURN_CONNECTION_BIND && !stun_get_u32(c->m, ATTR_CONNECTION_ID, &connection);
    return may ? shard_of(t, connection) : t->cfg.shard;
}

/* 5.4. The peer that is asked for, or NULL and the code. Sameness of the server's address: X-18. */
static struct peer *bindable(const struct turn *t, const struct call *c, int *code)
{
    uint32_t connection;
    *code = 400; /* over UDP too (5.4-1) */
    if (c->alloc || !c->leg || stun_get_u32(c->m, ATTR_CONNECTION_ID, &connection))
        return NULL;
    struct peer *peer = idmap_get(&t->by_connection, connection);
    if (!peer || peer->state != PEER_PENDING || !endpoint_equal(&c->from->local, &peer->alloc->from.local))
        return NULL;
    *code = 441;
    return peer->alloc->user == c->rq.user ? peer : NULL;
}

int turn_connection_bind(struct turn *t, struct call *c)
{
    int code;
    struct peer *peer = bindable(t, c, &code);
    struct leg *leg = c->leg;
    if (leg)
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
    c->a.connection = t->cfg.profile->bind_echoes_id ? peer->connection : 0;
    return 0; /* answered before the splice: 6062-5.4-11 */
}
