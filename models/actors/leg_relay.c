/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/leg_relay.h"

#include "models/base/err.h"
#include "models/base/time.h"
#include "models/msturn/msturn.h"
#include "models/turn/turn_client.h"

static const char *const names[] = {
    [SESSION_TURN_UDP] = "TURN over udp", [SESSION_TURN_TCP] = "TURN over tcp", [SESSION_MS_TURN] = "MS-TURN over udp"};

static const struct session_relay *config_of(const struct leg_relay *r)
{
    return &r->leg->cfg->relay[r->at];
}

const char *leg_relay_name(const struct leg_relay *r, char out[LEG_TEXT])
{
    struct text t = text_of(out, LEG_TEXT);
    text_add(&t, "%s %u", names[config_of(r)->kind], config_of(r)->server.port);
    return out;
}

/* ---- the client, of either kind ---- */

static io_id client_id(const struct leg_relay *r)
{
    return r->turn ? turn_client_control(r->turn) : r->ms ? ms_turn_client_control(r->ms) : IO_NONE;
}

/* Its socket may be another by now, and its deadline. */
static void look_at_client(struct leg_relay *r)
{
    io_id id = client_id(r);
    r->client_ns = r->turn ? turn_client_deadline(r->turn) : r->ms ? ms_turn_client_deadline(r->ms) : TIME_NEVER;
    if (id == r->id)
        return;
    if (r->id)
        leg_disown(r->leg, r->id);
    if (id)
        leg_own(r->leg, id);
    r->id = id;
}

/* Whether or not it has said its good-bye. */
static void drop_client(struct leg_relay *r)
{
    if (client_id(r))
        io_close(r->leg->io, client_id(r));
    turn_client_free(r->turn);
    ms_turn_client_free(r->ms);
    r->turn = NULL;
    r->ms = NULL;
    look_at_client(r);
}

static void release_client(struct leg_relay *r)
{
    if (r->turn)
        turn_client_release(r->turn);
    if (r->ms)
        ms_turn_client_release(r->ms);
    look_at_client(r);
}

static bool make_turn(struct leg_relay *r, const struct session_relay *cfg)
{
    struct turn_client_config c = {.profile = &turn_client_plain,
                                   .server = cfg->server,
                                   .user = cfg->user,
                                   .password = cfg->password,
                                   .local = r->leg->cfg->address,
                                   .udp_relay = true,
                                   .over_udp = cfg->kind == SESSION_TURN_UDP};
    r->turn = turn_client_new(r->leg->io, r->leg->owner, &c);
    if (r->turn)
        turn_client_start(r->turn);
    return r->turn;
}

static bool make_ms(struct leg_relay *r, const struct session_relay *cfg)
{
    struct ms_turn_client_config c = {.server = cfg->server,
                                      .user = cfg->user,
                                      .password = cfg->password,
                                      .over_udp = true,
                                      .local = {.ip = r->leg->cfg->address},
                                      .stream = r->leg->medium == CALL_AUDIO ? MS_TURN_STREAM_AUDIO
                                                                             : MS_TURN_STREAM_VIDEO};
    r->ms = ms_turn_client_new(r->leg->io, r->leg->owner, &c);
    if (r->ms)
        ms_turn_client_start(r->ms);
    return r->ms;
}

/* ---- one after another ---- */

static void begin(struct leg_relay *r)
{
    r->give_up_ns = TIME_NEVER;
    for (; r->at < r->leg->cfg->relay_count; r->at++)
        if (config_of(r)->kind == SESSION_MS_TURN ? make_ms(r, config_of(r)) : make_turn(r, config_of(r))) {
            r->give_up_ns = io_now(r->leg->io) + r->leg->cfg->gather_timeout_ns;
            break;
        }
    look_at_client(r);
}

void leg_relay_start(struct leg_relay *r, const struct leg *leg)
{
    *r = (struct leg_relay){.leg = leg, .client_ns = TIME_NEVER};
    begin(r);
}

/* code: of the server's answer, or 0 and err. */
static void say_failed(struct leg_relay *r, int code, int err)
{
    char name[LEG_TEXT], before[LEG_TEXT];
    struct text b = text_of(before, sizeof before);
    text_add(&b, "%s", r->tried);
    struct text t = text_of(r->tried, sizeof r->tried);
    text_add(&t, "%s%s%s: ", before, *before ? "; " : "", leg_relay_name(r, name));
    if (code)
        text_add(&t, "refused with %d", code);
    else
        text_add(&t, "%s", err_text(err));
}

static void try_next(struct leg_relay *r, int code, int err)
{
    say_failed(r, code, err);
    release_client(r);
    drop_client(r);
    r->at++;
    begin(r);
}

/* ---- peers ---- */

/* A request each: one that is forbidden would take the others with it (RFC 8656 9.2). */
static void permit_all(struct leg_relay *r)
{
    while (r->ready && r->turn && r->permitted < r->peers &&
           turn_client_permit(r->turn, r->peer + r->permitted, 1) == 0)
        r->permitted++;
    look_at_client(r);
}

void leg_relay_permit(struct leg_relay *r, const struct ip_addr *peer)
{
    bool known = r->peers == LEG_PEERS_MAX;
    for (size_t i = 0; i < r->peers; i++)
        known |= ip_equal(&r->peer[i], peer);
    if (known || peer->family != r->leg->cfg->address.family)
        return;
    r->peer[r->peers++] = *peer;
    permit_all(r);
}

void leg_relay_prefer(struct leg_relay *r, const struct endpoint *peer)
{
    if (r->turn)
        turn_client_channel(r->turn, peer);
    if (r->ms)
        ms_turn_client_set_active(r->ms, peer);
    look_at_client(r);
}

void leg_relay_send(struct leg_relay *r, const struct endpoint *peer, const void *data, size_t len, const char *label)
{
    if (r->ready && r->turn)
        turn_client_send(r->turn, peer, data, len);
    else if (r->ready && r->ms)
        ms_turn_client_send(r->ms, peer, data, len, label);
}

/* ---- events ---- */

static void ready(struct leg_relay *r, const struct endpoint *relayed, const struct endpoint *mapped)
{
    r->ready = true;
    r->give_up_ns = TIME_NEVER;
    r->relayed = *relayed;
    r->mapped = *mapped;
    permit_all(r);
}

/* It ended, before it was ready or after: true if that is to be told. */
static bool ended(struct leg_relay *r, int code, int err)
{
    if (r->released)
        return false;
    if (!r->ready) {
        try_next(r, code, err);
        return false;
    }
    say_failed(r, code, err);
    r->ready = false;
    return true;
}

static bool take_turn(struct leg_relay *r, const struct turn_client_event *ev, struct leg_relay_event *out)
{
    char peer[ADDR_TEXT];
    switch (ev->kind) {
    case TURN_CLIENT_ALLOCATED:
        ready(r, &ev->relayed, &ev->mapped);
        out->kind = LEG_RELAY_READY;
        return true;
    case TURN_CLIENT_REFUSED:
    case TURN_CLIENT_GONE:
        out->kind = LEG_RELAY_GONE;
        return ended(r, ev->code, ev->err);
    case TURN_CLIENT_DATAGRAM:
        *out = (struct leg_relay_event){LEG_RELAY_DATAGRAM, ev->peer, ev->bytes, ev->bytes_len};
        return true;
    case TURN_CLIENT_PERMITTED:
        if (ev->code)
            io_note(r->leg->io, NOTE_HINT, "%s: the relay refuses to permit %s (%d)", r->leg->name,
                    ip_text(&ev->peer.ip, peer), ev->code);
        return false;
    default:
        return false;
    }
}

static bool take_ms(struct leg_relay *r, const struct ms_turn_event *ev, struct leg_relay_event *out)
{
    switch (ev->kind) {
    case MS_TURN_ALLOCATED:
        ready(r, &ev->relayed, &ev->mapped);
        out->kind = LEG_RELAY_READY;
        return true;
    case MS_TURN_REFUSED:
    case MS_TURN_GONE:
        out->kind = LEG_RELAY_GONE;
        return ended(r, ev->code, ev->err);
    case MS_TURN_FRAME:
        *out = (struct leg_relay_event){LEG_RELAY_DATAGRAM, ev->peer, ev->data, ev->len};
        return true;
    default:
        return false;
    }
}

bool leg_relay_poll(struct leg_relay *r, struct leg_relay_event *out)
{
    struct turn_client_event turn;
    struct ms_turn_event ms;
    if (!r->leg)
        return false;
    while (r->turn && turn_client_poll(r->turn, &turn))
        if (take_turn(r, &turn, out))
            return true;
    while (r->ms && ms_turn_client_poll(r->ms, &ms))
        if (take_ms(r, &ms, out))
            return true;
    if (r->at < r->leg->cfg->relay_count || r->told_none)
        return false;
    r->told_none = true;
    out->kind = LEG_RELAY_NONE;
    return true;
}

bool leg_relay_input(struct leg_relay *r, const struct io_in *in)
{
    bool ours = in->id && in->id == r->id;
    if (!r->leg || (in->id && !ours))
        return false;
    if (!ours && io_now(r->leg->io) < leg_relay_deadline(r))
        return false;
    if (r->turn)
        turn_client_input(r->turn, in);
    if (r->ms)
        ms_turn_client_input(r->ms, in);
    look_at_client(r);
    if (io_now(r->leg->io) >= r->give_up_ns)
        try_next(r, 0, E_TIMED_OUT);
    return ours;
}

uint64_t leg_relay_deadline(const struct leg_relay *r)
{
    return r->leg ? time_min(r->give_up_ns, r->client_ns) : TIME_NEVER;
}

/* ---- the end ---- */

void leg_relay_release(struct leg_relay *r)
{
    if (!r->leg || r->released)
        return;
    r->released = true;
    r->ready = false;
    r->give_up_ns = TIME_NEVER;
    release_client(r);
}

bool leg_relay_released(const struct leg_relay *r)
{
    return !r->leg || (r->released && !r->id);
}

void leg_relay_free(struct leg_relay *r)
{
    if (r->leg)
        drop_client(r);
}
