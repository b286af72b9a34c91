/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the TURN client does, and when. Each transaction is a task; one that cannot be sent yet waits for its turn. */
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/turn/client.h"

const struct turn_client_profile turn_client_plain = {.name = "plain", .software = true};

const struct turn_client_profile turn_client_meeting_server = {
    .name = "meeting-server",
    .lifetime_in_allocate = true,
    .empty_in_allocate = 2,
    .empty_in_others = 1,
    .refresh_at_once = true,
};

struct turn_client *turn_client_new(struct io *io, unsigned owner, const struct turn_client_config *cfg)
{
    struct turn_client *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->io = io;
    c->owner = owner;
    c->cfg = *cfg;
    c->server = cfg->server;
    c->refresh_ns = c->expires_ns = TIME_NEVER;
    c->rng = io_rng(io, "turn-client");
    c->next_channel = FIRST_CHANNEL;
    c->event_cap = EVENTS;
    c->events = malloc(EVENTS * sizeof *c->events);
    c->in[0] = malloc(FRAME_MAX);
    c->in[1] = malloc(FRAME_MAX);
    if (!c->events || !c->in[0] || !c->in[1]) {
        turn_client_free(c);
        return NULL;
    }
    return c;
}

void turn_client_free(struct turn_client *c)
{
    if (!c)
        return;
    free(c->events);
    free(c->in[0]);
    free(c->in[1]);
    free(c);
}

/* ---- events to the user ---- */

/* Twice the room, if it is to be had; in order from 0. */
static void grow_events(struct turn_client *c)
{
    struct turn_client_event *more = c->event_cap < EVENTS_MOST ? malloc(2 * c->event_cap * sizeof *more) : NULL;
    if (!more)
        return;
    for (size_t i = 0; i < c->event_count; i++)
        more[i] = c->events[(c->event_first + i) % c->event_cap];
    free(c->events);
    c->events = more;
    c->event_cap *= 2;
    c->event_first = 0;
}

struct turn_client_event *client_tell(struct turn_client *c, enum turn_client_event_kind kind)
{
    /* The user polls after each input; only a server's flood loses some events, into the spare. */
    struct turn_client_event *ev = &c->spare;
    if (c->event_count == c->event_cap)
        grow_events(c);
    if (c->event_count < c->event_cap)
        ev = &c->events[(c->event_first + c->event_count++) % c->event_cap];
    *ev = (struct turn_client_event){.kind = kind, .relayed = c->relayed, .mapped = c->mapped};
    return ev;
}

bool turn_client_poll(struct turn_client *c, struct turn_client_event *out)
{
    if (c->event_count == 0)
        return false;
    *out = c->events[c->event_first];
    c->event_first = (c->event_first + 1) % c->event_cap;
    c->event_count--;
    return true;
}

static void tell_peer_failed(struct turn_client *c, const struct task *task, int code, int err)
{
    struct turn_client_event *ev = client_tell(c, TURN_CLIENT_PEER_FAILED);
    ev->peer = task->peer;
    ev->connection = task->connection;
    ev->code = code;
    ev->err = err;
}

/* ---- tasks ---- */

struct task *client_new_task(struct turn_client *c, enum task_kind kind)
{
    for (size_t i = 0; i < TASKS; i++)
        if (c->tasks[i].kind == TASK_FREE) {
            struct task *task = &c->tasks[i];
            memset(task, 0, offsetof(struct task, bytes));
            task->kind = kind;
            task->at = io_now(c->io);
            return task;
        }
    return NULL;
}

static bool has_task(const struct turn_client *c, enum task_kind kind)
{
    for (size_t i = 0; i < TASKS; i++)
        if (c->tasks[i].kind == kind)
            return true;
    return false;
}

static size_t in_flight(const struct turn_client *c)
{
    size_t n = 0;
    for (size_t i = 0; i < TASKS; i++)
        n += c->tasks[i].kind != TASK_FREE && c->tasks[i].state == TASK_SENT;
    return n;
}

static void open_bind(struct turn_client *c, struct task *task)
{
    struct endpoint local = {.ip = c->cfg.local};
    task->io = io_connect(c->io, c->owner, &local, &c->server); /* 6062 4.3: where the control connection goes */
    task->state = TASK_OPENING;
    task->at = io_now(c->io) + TI_NS;
}

/* Waiting for nothing but its time and its turn. */
static bool may_be_sent(const struct turn_client *c, const struct task *task)
{
    if (task->kind == TASK_FREE || task->state != TASK_WAITING)
        return false;
    return task->kind == TASK_ALLOCATE ? c->state == CLIENT_ALLOCATING
                                       : c->state == CLIENT_LIVE || c->state == CLIENT_RELEASING;
}

/* Sends what is due and may be sent. */
void client_send_waiting(struct turn_client *c)
{
    for (size_t i = 0; i < TASKS && in_flight(c) < IN_FLIGHT; i++) {
        struct task *task = &c->tasks[i];
        if (!may_be_sent(c, task) || task->at > io_now(c->io))
            continue;
        if (task->kind == TASK_BIND && !task->io)
            open_bind(c, task);
        else
            client_send(c, task);
    }
}

/* ---- the control connection and the allocation ---- */

static void open_control(struct turn_client *c)
{
    struct endpoint local = {.ip = c->cfg.local};
    if (!local.ip.family)
        local.ip.family = c->server.ip.family;
    c->control = c->cfg.over_udp ? io_udp(c->io, c->owner, &local)
                                 : io_connect(c->io, c->owner, &local, &c->server);
    c->state = CLIENT_OPENING;
    c->expires_ns = io_now(c->io) + TI_NS;
    c->have = 0;
}

static void drop_control(struct turn_client *c, bool gently)
{
    if (!c->control)
        return;
    if (gently)
        io_close(c->io, c->control);
    else
        io_abort(c->io, c->control);
    c->control = IO_NONE;
}

/* Everything ends: what was asked is told as failed, then that there is no allocation (any more). */
static void finish(struct turn_client *c, int code, int err)
{
    enum client_state was = c->state;
    c->state = CLIENT_DONE;
    c->refresh_ns = c->expires_ns = TIME_NEVER;
    for (size_t i = 0; i < TASKS; i++) {
        struct task *task = &c->tasks[i];
        if (task->io)
            io_abort(c->io, task->io);
        if ((task->kind == TASK_CONNECT || task->kind == TASK_BIND) && was == CLIENT_LIVE)
            tell_peer_failed(c, task, code, err);
        task->io = IO_NONE;
        task->kind = TASK_FREE;
    }
    drop_control(c, true);
    if (was == CLIENT_RELEASING || was == CLIENT_DONE)
        return;
    struct turn_client_event *ev = client_tell(c, was == CLIENT_LIVE ? TURN_CLIENT_GONE : TURN_CLIENT_REFUSED);
    ev->code = code;
    ev->err = err;
}

void turn_client_start(struct turn_client *c)
{
    if (c->state == CLIENT_IDLE)
        open_control(c);
}

static int refresh(struct turn_client *c, uint32_t lifetime_s)
{
    struct task *task = client_new_task(c, TASK_REFRESH);
    if (!task)
        return E_NOMEM;
    task->lifetime_s = lifetime_s;
    client_send_waiting(c);
    return 0;
}

void turn_client_release(struct turn_client *c)
{
    if (c->state == CLIENT_LIVE) {
        c->state = CLIENT_RELEASING;
        c->refresh_ns = TIME_NEVER;
        if (refresh(c, 0) == 0)
            return;
    }
    if (c->state == CLIENT_OPENING)
        drop_control(c, false);
    c->state = CLIENT_DONE;
    finish(c, 0, 0);
}

static void set_lifetime(struct turn_client *c, uint32_t lifetime_s)
{
    uint64_t now = io_now(c->io);
    c->lifetime_s = lifetime_s;
    c->expires_ns = now + lifetime_s * NS_S;
    /* 8656 8: about a minute before; of a short lifetime, half-way */
    c->refresh_ns = now + (lifetime_s > 120 ? lifetime_s - 60 : lifetime_s / 2) * NS_S;
}

static uint32_t wanted_lifetime(const struct turn_client *c)
{
    return c->cfg.lifetime_s ? c->cfg.lifetime_s : DEFAULT_LIFETIME;
}

static void allocated(struct turn_client *c, const struct stun_msg *m)
{
    uint32_t lifetime;
    if (stun_get_address(m, ATTR_XOR_RELAYED_ADDRESS, &c->relayed) ||
        stun_get_address(m, ATTR_XOR_MAPPED_ADDRESS, &c->mapped) || stun_get_u32(m, ATTR_LIFETIME, &lifetime)) {
        finish(c, 0, E_MALFORMED);
        return;
    }
    c->state = CLIENT_LIVE;
    if (c->relayed.ip.family != (c->cfg.family ? c->cfg.family : IP_V4)) { /* 8656 7.3: not what the user can use */
        client_tell(c, TURN_CLIENT_REFUSED)->err = E_UNSUPPORTED;
        turn_client_release(c);
        return;
    }
    set_lifetime(c, lifetime);
    client_tell(c, TURN_CLIENT_ALLOCATED);
    if (c->cfg.profile->refresh_at_once)
        refresh(c, wanted_lifetime(c));
}

static bool tried(const struct turn_client *c, const struct endpoint *server)
{
    bool found = endpoint_equal(server, &c->server);
    for (size_t i = 0; i < c->server_count; i++)
        found |= endpoint_equal(server, &c->servers_tried[i]);
    return found;
}

/* 8489 10, 8656 7.4: to the alternate, unless we come from there. */
static bool redirect(struct turn_client *c, const struct stun_msg *m)
{
    struct endpoint server;
    if (stun_get_address(m, ATTR_ALTERNATE_SERVER, &server) || c->server_count == SERVERS || tried(c, &server))
        return false;
    c->servers_tried[c->server_count++] = c->server;
    c->server = server;
    c->srtt_ns = 0;
    drop_control(c, true);
    open_control(c);
    return true;
}

static void allocate_failed(struct turn_client *c, const struct stun_msg *m, int code, int err)
{
    if (code == 300 && redirect(c, m))
        return;
    if (code == 437 && ++c->addresses_tried < 3) { /* 8656 7.4: another local address, up to three */
        drop_control(c, true);
        open_control(c);
        return;
    }
    finish(c, code, err);
}

/* ---- permissions ---- */

static int permit_task(struct turn_client *c, uint32_t mask)
{
    struct task *task = client_new_task(c, TASK_PERMIT);
    if (!task)
        return E_NOMEM;
    task->permissions = mask;
    for (size_t i = 0; i < PERMISSIONS; i++)
        if (mask >> i & 1)
            c->permissions[i].renew_ns = TIME_NEVER;
    client_send_waiting(c);
    return 0;
}

int turn_client_permit(struct turn_client *c, const struct ip_addr *peers, size_t n)
{
    uint32_t mask = 0;
    size_t found = 0;
    for (size_t i = 0; i < PERMISSIONS && found < n; i++)
        if (!c->permissions[i].ip.family) {
            c->permissions[i].ip = peers[found++];
            mask |= UINT32_C(1) << i;
        }
    int err = c->state == CLIENT_DONE ? E_NOT_FOUND : found < n ? E_NOMEM : mask ? permit_task(c, mask) : 0;
    for (size_t i = 0; i < PERMISSIONS && err; i++)
        if (mask >> i & 1)
            c->permissions[i].ip.family = IP_NONE;
    return err;
}

static void renew_permissions(struct turn_client *c)
{
    uint32_t mask = 0;
    for (size_t i = 0; i < PERMISSIONS; i++)
        if (c->permissions[i].ip.family && c->permissions[i].renew_ns <= io_now(c->io))
            mask |= UINT32_C(1) << i;
    if (!mask || permit_task(c, mask) == 0)
        return;
    for (size_t i = 0; i < PERMISSIONS; i++) /* all tasks are busy: a second later */
        if (mask >> i & 1)
            c->permissions[i].renew_ns = io_now(c->io) + NS_S;
}

static void permitted(struct turn_client *c, const struct task *task, int code, int err)
{
    for (size_t i = 0; i < PERMISSIONS; i++) {
        struct client_permission *p = &c->permissions[i];
        if (!(task->permissions >> i & 1))
            continue;
        struct turn_client_event *ev = client_tell(c, TURN_CLIENT_PERMITTED);
        ev->peer.ip = p->ip;
        ev->code = code;
        ev->err = err;
        p->renew_ns = io_now(c->io) + PERMISSION_RENEW_NS;
        if (code || err)
            p->ip.family = IP_NONE;
    }
}

/* ---- peers ---- */

int turn_client_connect(struct turn_client *c, const struct endpoint *peer)
{
    for (size_t i = 0; i < TASKS; i++)
        if (c->tasks[i].kind == TASK_CONNECT && endpoint_equal(&c->tasks[i].peer, peer))
            return E_EXISTS; /* 6062 4.3: not two at once */
    struct task *task = c->state == CLIENT_DONE ? NULL : client_new_task(c, TASK_CONNECT);
    if (!task)
        return c->state == CLIENT_DONE ? E_NOT_FOUND : E_NOMEM;
    task->peer = *peer;
    for (size_t i = 0; i < REFUSALS; i++)
        if (endpoint_equal(&c->refusals[i].peer, peer) && c->refusals[i].again_ns > task->at)
            task->at = c->refusals[i].again_ns;
    client_send_waiting(c);
    return 0;
}

static int bind_to(struct turn_client *c, uint32_t connection, const struct endpoint *peer)
{
    struct task *task = client_new_task(c, TASK_BIND);
    if (!task)
        return E_NOMEM;
    task->connection = connection;
    task->peer = *peer;
    client_send_waiting(c);
    return 0;
}

int turn_client_accept(struct turn_client *c, uint32_t connection)
{
    for (size_t i = 0; connection && i < ATTEMPTS; i++)
        if (c->attempts[i].connection == connection) {
            c->attempts[i].connection = 0;
            return bind_to(c, connection, &c->attempts[i].peer);
        }
    return E_NOT_FOUND;
}

static void connection_attempt(struct turn_client *c, const struct stun_msg *m)
{
    struct client_attempt a;
    if (stun_get_u32(m, ATTR_CONNECTION_ID, &a.connection) || !a.connection ||
        stun_get_address(m, ATTR_XOR_PEER_ADDRESS, &a.peer) || stun_unknown(m, NULL, 0) || c->state != CLIENT_LIVE)
        return;
    c->attempts[c->next_attempt++ % ATTEMPTS] = a;
    struct turn_client_event *ev = client_tell(c, TURN_CLIENT_INCOMING);
    ev->peer = a.peer;
    ev->connection = a.connection;
}

static void connected(struct turn_client *c, const struct task *task, const struct stun_msg *m)
{
    uint32_t connection;
    if (stun_get_u32(m, ATTR_CONNECTION_ID, &connection))
        tell_peer_failed(c, task, 0, E_MALFORMED); /* 6062-4.3-3 */
    else if (bind_to(c, connection, &task->peer))
        tell_peer_failed(c, task, 0, E_NOMEM);
}

static void connect_failed(struct turn_client *c, const struct task *task, int code, int err)
{
    if (code == 447)
        c->refusals[c->next_refusal++ % REFUSALS] =
            (struct refusal){task->peer, io_now(c->io) + RETRY_447_NS};
    tell_peer_failed(c, task, code, err);
}

/* ---- how a task ends ---- */

/* m: the response that ended it, or NULL. The task's slot is free again, its contents still to be read. */
static void task_failed(struct turn_client *c, struct task *task, const struct stun_msg *m, int code, int err)
{
    enum task_kind kind = task->kind;
    task->kind = TASK_FREE;
    switch (kind) {
    case TASK_ALLOCATE:
        allocate_failed(c, m, code, err);
        break;
    case TASK_REFRESH:
        finish(c, code, err);
        break;
    case TASK_PERMIT:
        permitted(c, task, code, err);
        break;
    case TASK_CONNECT:
        connect_failed(c, task, code, err);
        break;
    case TASK_BIND:
        if (task->io)
            io_close(c->io, task->io);
        task->io = IO_NONE;
        tell_peer_failed(c, task, code, err);
        break;
    case TASK_CHANNEL:
        client_channel_done(c, task, code, err);
        break;
    case TASK_FREE:
        break;
    }
    if (code == 437 && kind != TASK_ALLOCATE) /* 8656 5: the allocation is gone */
        finish(c, code, 0);
}

/* rest: what the stream has behind the response. */
static void task_succeeded(struct turn_client *c, struct task *task, const struct stun_msg *m, const uint8_t *rest,
                           size_t len)
{
    enum task_kind kind = task->kind;
    const struct task done = *task;
    task->kind = TASK_FREE;
    task->io = IO_NONE;
    uint32_t lifetime;
    struct turn_client_event *ev;
    switch (kind) {
    case TASK_ALLOCATE:
        allocated(c, m);
        break;
    case TASK_REFRESH:
        if (c->state == CLIENT_RELEASING)
            finish(c, 0, 0);
        else if (!stun_get_u32(m, ATTR_LIFETIME, &lifetime))
            set_lifetime(c, lifetime);
        break;
    case TASK_PERMIT:
        permitted(c, &done, 0, 0);
        break;
    case TASK_CONNECT:
        connected(c, &done, m);
        break;
    case TASK_BIND:
        io_read(c->io, done.io, false); /* from here on it is the user's */
        ev = client_tell(c, TURN_CLIENT_BOUND);
        ev->peer = done.peer;
        ev->connection = done.connection;
        ev->data = done.io;
        ev->bytes = rest;
        ev->bytes_len = len;
        break;
    case TASK_CHANNEL:
        client_channel_done(c, &done, 0, 0);
        break;
    case TASK_FREE:
        break;
    }
}

static void response(struct turn_client *c, struct task *task, const struct stun_msg *m, const uint8_t *rest,
                     size_t len)
{
    int code, err;
    switch (client_judge(c, task, m, &code, &err)) {
    case VERDICT_SUCCESS:
        task_succeeded(c, task, m, rest, len);
        break;
    case VERDICT_ERROR:
        task_failed(c, task, m, code, 0);
        break;
    case VERDICT_BROKEN:
        task_failed(c, task, m, 0, err);
        break;
    case VERDICT_RETRY:
        client_send(c, task);
        break;
    case VERDICT_IGNORE:
        break;
    }
}

/* ---- streams ---- */

static struct task *task_of(struct turn_client *c, io_id io, const struct stun_id *id)
{
    for (size_t i = 0; i < TASKS; i++) {
        struct task *task = &c->tasks[i];
        if (task->kind != TASK_FREE && task->state == TASK_SENT && (task->io ? task->io : c->control) == io &&
            memcmp(&task->id, id, sizeof *id) == 0)
            return task;
    }
    return NULL;
}

void client_message(struct turn_client *c, io_id io, const uint8_t *bytes, size_t len, const uint8_t *rest,
                    size_t rest_len)
{
    struct stun_msg m;
    if (stun_parse(&stun_rfc8489, bytes, len, &m) || stun_check_fingerprint(&m) == E_INTEGRITY)
        return;
    struct task *task = task_of(c, io, &m.id);
    if (m.cls == STUN_INDICATION && m.method == TURN_CONNECTION_ATTEMPT && io == c->control)
        connection_attempt(c, &m);
    else if (m.cls == STUN_INDICATION && m.method == TURN_DATA && io == c->control)
        client_indication(c, &m);
    else if (task)
        response(c, task, &m, rest, rest_len);
}

static bool still_ours(const struct turn_client *c, io_id io)
{
    for (size_t i = 0; i < TASKS; i++)
        if (c->tasks[i].kind == TASK_BIND && c->tasks[i].io == io)
            return true;
    return io == c->control;
}

/* Takes messages out of a stream, one at a time and never a byte more than the message has: what follows the answer to
 * ConnectionBind belongs to the user. E_MALFORMED: the server does not speak STUN. */
static int stream(struct turn_client *c, io_id io, uint8_t *buf, size_t *have, const uint8_t *data, size_t len)
{
    while (len && still_ours(c, io)) {
        long want = *have < 8 ? 8 : stun_stream_len(&stun_rfc8489, buf, *have, STUN_MAX);
        if (want < 0)
            return E_MALFORMED;
        size_t n = (size_t)want - *have < len ? (size_t)want - *have : len;
        memcpy(buf + *have, data, n);
        *have += n;
        data += n;
        len -= n;
        want = *have < 8 ? 0 : stun_stream_len(&stun_rfc8489, buf, *have, STUN_MAX);
        if (want < 0)
            return E_MALFORMED;
        if (want && (size_t)want == *have) {
            *have = 0;
            client_message(c, io, buf, (size_t)want, data, len);
        }
    }
    return 0;
}

/* ---- io events ---- */

/* 8489 6.2.1: what the server's host has refused will not be answered. Port or protocol unreachable only: the others
 * may pass. */
static void unreachable(struct turn_client *c, const struct io_in *in)
{
    bool v4 = in->remote.ip.family == IP_V4;
    unsigned type = in->icmp.type, code = in->icmp.code;
    bool hard = v4 ? type == 3 && (code == 2 || code == 3) : type == 1 && code == 4;
    if (!hard || !endpoint_equal(&in->remote, &c->server))
        return;
    for (size_t i = 0; i < TASKS; i++)
        if (c->tasks[i].kind != TASK_FREE && c->tasks[i].state == TASK_SENT)
            task_failed(c, &c->tasks[i], NULL, 0, E_REFUSED);
}

static void control_event(struct turn_client *c, const struct io_in *in)
{
    switch (in->event) {
    case IO_OPENED:
        c->state = CLIENT_ALLOCATING;
        c->expires_ns = TIME_NEVER;
        if (!c->cfg.over_udp)
            io_read(c->io, c->control, true);
        client_new_task(c, TASK_ALLOCATE); /* nothing else is under way before */
        break;
    case IO_DATA:
        if (c->cfg.udp_relay ? client_frames(c, in->data, in->len)
                             : stream(c, in->id, c->in[0], &c->have, in->data, in->len))
            finish(c, 0, E_MALFORMED);
        break;
    case IO_DATAGRAM:
        client_datagram(c, in);
        break;
    case IO_ICMP:
        unreachable(c, in);
        break;
    case IO_EOF:
        finish(c, 0, E_RESET);
        break;
    case IO_FAILED:
    case IO_CLOSED:
        c->control = IO_NONE;
        finish(c, 0, in->err ? in->err : E_RESET);
        break;
    default:
        break;
    }
}

static void bind_event(struct turn_client *c, struct task *task, const struct io_in *in)
{
    switch (in->event) {
    case IO_OPENED:
        io_read(c->io, task->io, true);
        task->state = TASK_WAITING;
        task->at = io_now(c->io);
        break;
    case IO_DATA:
        if (stream(c, in->id, task->bytes, &task->have, in->data, in->len))
            task_failed(c, task, NULL, 0, E_MALFORMED);
        break;
    case IO_EOF:
        task_failed(c, task, NULL, 0, E_RESET);
        break;
    case IO_FAILED:
    case IO_CLOSED:
        task->io = IO_NONE;
        task_failed(c, task, NULL, 0, in->err ? in->err : E_RESET);
        break;
    default:
        break;
    }
}

static void timers(struct turn_client *c)
{
    uint64_t now = io_now(c->io);
    for (size_t i = 0; i < TASKS; i++) {
        struct task *task = &c->tasks[i];
        if (task->kind == TASK_FREE || task->state == TASK_WAITING || task->at > now)
            continue;
        if (c->cfg.over_udp && task->sends < SENDS)
            client_send_again(c, task);
        else
            task_failed(c, task, NULL, 0, E_TIMED_OUT);
    }
    if (now >= c->expires_ns)
        finish(c, 0, E_TIMED_OUT);
    if (c->state != CLIENT_LIVE)
        return;
    if (now >= c->refresh_ns) {
        c->refresh_ns = TIME_NEVER;
        if (!has_task(c, TASK_REFRESH))
            refresh(c, wanted_lifetime(c));
    }
    renew_permissions(c);
    client_renew_channels(c);
}

io_id turn_client_control(const struct turn_client *c)
{
    return c->control;
}

void turn_client_input(struct turn_client *c, const struct io_in *in)
{
    timers(c);
    if (in->id && in->id == c->control)
        control_event(c, in);
    else
        for (size_t i = 0; i < TASKS; i++)
            if (in->id && c->tasks[i].kind == TASK_BIND && c->tasks[i].io == in->id) {
                bind_event(c, &c->tasks[i], in);
                break;
            }
    client_send_waiting(c);
}

uint64_t turn_client_deadline(const struct turn_client *c)
{
    uint64_t at = time_min(c->refresh_ns, c->expires_ns);
    bool room = in_flight(c) < IN_FLIGHT;
    for (size_t i = 0; i < TASKS; i++)
        if (c->tasks[i].kind != TASK_FREE &&
            (c->tasks[i].state != TASK_WAITING || (room && may_be_sent(c, &c->tasks[i]))))
            at = time_min(at, c->tasks[i].at);
    for (size_t i = 0; i < PERMISSIONS && c->state == CLIENT_LIVE; i++)
        if (c->permissions[i].ip.family)
            at = time_min(at, c->permissions[i].renew_ns);
    return c->state == CLIENT_LIVE ? time_min(at, client_channels_deadline(c)) : at;
}
