/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/actors/meeting_parts.h"
#include "models/actors/share.h"
#include "models/base/err.h"
#include "models/base/time.h"

enum { PERMIT_MAX = 8, REASON_MAX = 200 };

/* After its end a share is kept until its TURN client has said goodbye: longer than a request over TCP is
 * waited for (RFC 8489 6.2.2: 39.5 s). */
#define LINGER_NS (40 * NS_S)
/* From the last packet of both sides to the caller's BYE. */
#define BYE_NS (32 * NS_S)
/* From the caller's BYE to the last packets that it had sent before: a retransmission or two of the path to the relay,
 * which the signalling does not take. */
#define DRAIN_NS (5 * NS_S)

/* In the order of a call; each begins a phase of it, or belongs to the one before. */
enum state {
    CONF_FREE,
    CONF_ALLOCATING,
    CONF_PERMITTING,
    CONF_ANSWERING,  /* 200 sent: waits for the ACK */
    CONF_CONNECTING, /* waits for the peer's connection, or its own */
    CONF_BINDING,
    CONF_CHECKING,
    CONF_REINVITING, /* a pair is nominated: waits for the re-INVITE and its ACK */
    CONF_SHARING,
    CONF_DRAINING, /* BYE has overtaken the last bytes of the screen: waits for them */
    CONF_FINISHED, /* all is sent and received: waits for BYE */
    CONF_OVER,     /* lingers */
};

static const struct {
    const char *name, *phase;
} states[] = {
    [CONF_FREE] = {"FREE", NULL},
    [CONF_ALLOCATING] = {"ALLOCATING", "allocate"},
    [CONF_PERMITTING] = {"PERMITTING", NULL},
    [CONF_ANSWERING] = {"ANSWERING", "answer"},
    [CONF_CONNECTING] = {"CONNECTING", "connect"},
    [CONF_BINDING] = {"BINDING", "bind"},
    [CONF_CHECKING] = {"CHECKING", "checks"},
    [CONF_REINVITING] = {"REINVITING", "reinvite"},
    [CONF_SHARING] = {"SHARING", "share"},
    [CONF_DRAINING] = {"DRAINING", NULL},
    [CONF_FINISHED] = {"FINISHED", NULL},
    [CONF_OVER] = {"OVER", NULL},
};


/* One share of a conference. */
struct conf {
    enum meeting_call kind;
    struct meeting_shares *ms;
    unsigned slot;
    enum state state;
    uint64_t deadline_ns;
    struct sip_call *call; /* NULL: over */
    struct turn_client *turn;
    struct share *share;
    struct endpoint relayed, peer; /* ours; the other side's relayed candidate, or its first */
    struct ip_addr permit[PERMIT_MAX];
    size_t permit_count, permits_open;
    unsigned binding;         /* ConnectionBind outstanding */
    bool reconfirmed;         /* the re-INVITE's ACK has come */
    bool reoffered;           /* a re-INVITE has come */
    char problem[REASON_MAX]; /* of one connection, while another may still do */
};

struct meeting_shares {
    struct io *io;
    struct meeting_server_config cfg;
    struct sip_ua *ua;
    struct conf conf[SHARES_MAX];
};

static uint64_t timeout_of(const struct meeting_server_config *cfg, enum state s)
{
    switch (s) {
    case CONF_ALLOCATING:
    case CONF_PERMITTING:
        return cfg->allocate_timeout_ns;
    case CONF_ANSWERING:
        return TIME_NEVER; /* timer H */
    case CONF_CONNECTING:
        return cfg->connect_timeout_ns;
    case CONF_BINDING:
        return cfg->bind_timeout_ns;
    case CONF_CHECKING:
        return 2 * cfg->ice_timeout_ns; /* the agent's own comes first, and says more */
    case CONF_REINVITING:
        return cfg->reinvite_timeout_ns;
    case CONF_SHARING:
        return TIME_NEVER; /* the share watches over itself */
    case CONF_DRAINING:
        return DRAIN_NS;
    case CONF_FINISHED:
        return BYE_NS;
    case CONF_OVER:
        return LINGER_NS;
    case CONF_FREE:
        break;
    }
    return TIME_NEVER;
}

/* Forward only: what comes early (a connection before the ACK) takes the phases between with it. */
static void enter(struct conf *k, enum state state)
{
    struct io *io = k->ms->io;
    if (state <= k->state)
        return;
    io_note(io, NOTE_STATE, "conference share=%u %s -> %s", k->slot, states[k->state].name,
            states[state].name);
    for (unsigned s = k->state + 1u; s <= state && state != CONF_OVER; s++)
        if (states[s].phase)
            io_note(io, NOTE_PHASE, "%s", states[s].phase);
    uint64_t timeout = timeout_of(&k->ms->cfg, state);
    k->state = state;
    k->deadline_ns = timeout == TIME_NEVER ? TIME_NEVER : io_now(io) + timeout;
}

static void wind_up(struct conf *k, const char *headers)
{
    if (k->state >= CONF_SHARING)
        share_results(k->share);
    if (k->call && k->state < CONF_ANSWERING) {
        sip_ua_refuse(k->ms->ua, k->call, 500, headers);
        k->call = NULL;
    } else if (k->call) {
        sip_ua_hangup(k->ms->ua, k->call, headers);
    }
    share_close(k->share);
    turn_client_release(k->turn);
    enter(k, CONF_OVER);
}

/* The share is over and whole, as far as can be told here. */
static void end(struct conf *k)
{
    wind_up(k, "");
    io_note(k->ms->io, NOTE_PHASE, "%s", "");
}

static void fail(struct conf *k, const struct endpoint *remote, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void fail(struct conf *k, const struct endpoint *remote, const char *fmt, ...)
{
    char text[REASON_MAX], headers[REASON_MAX + 64];
    va_list ap;
    if (k->state == CONF_OVER)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    io_fail(k->ms->io, remote, "%s", text);
    snprintf(headers, sizeof headers, "Warning: 399 meeting-server \"%s\"\r\n", text);
    wind_up(k, headers);
}

static unsigned seconds(uint64_t ns)
{
    return (unsigned)(ns / NS_S);
}

/* ---- a new call ---- */

/* The relay that the other side's connection will come from, and whom to permit. */
static void note_peers(struct conf *k, const struct sdp_media *m)
{
    for (size_t i = 0; i < m->candidate_count; i++) {
        const struct sdp_candidate *c = &m->candidate[i];
        if (!k->peer.port || (c->type == SDP_RELAY && c->transport != SDP_UDP))
            k->peer = c->address;
        bool known = c->type != SDP_RELAY || c->transport == SDP_UDP || k->permit_count == PERMIT_MAX;
        for (size_t n = 0; n < k->permit_count && !known; n++)
            known = ip_equal(&k->permit[n], &c->address.ip);
        if (!known)
            k->permit[k->permit_count++] = c->address.ip;
    }
}

static struct conf *conf_new(struct meeting_shares *ms, struct sip_call *call)
{
    const struct meeting_server_config *cfg = &ms->cfg;
    struct share_config share = {.use_candidate_always = true,
                                 .candidate_id = "3",
                                 .role = "viewer",
                                 .setup = SDP_PASSIVE,
                                 .ice_timeout_ns = cfg->ice_timeout_ns,
                                 .stall_timeout_ns = cfg->stall_timeout_ns,
                                 .screen = cfg->screen};
    struct turn_client_config turn = {.profile = cfg->turn_profile,
                                      .server = cfg->turn,
                                      .user = cfg->turn_user,
                                      .password = cfg->turn_password};
    char name[16];
    for (unsigned i = 0; i < SHARES_MAX; i++) {
        struct conf *k = &ms->conf[i];
        if (k->state != CONF_FREE)
            continue;
        *k = (struct conf){.kind = MEETING_SHARE, .ms = ms, .slot = i, .call = call, .deadline_ns = TIME_NEVER};
        k->turn = turn_client_new(ms->io, OWNER_SHARE + i, &turn);
        if (!k->turn)
            return NULL;
        snprintf(name, sizeof name, "share%u", i);
        k->share = share_new(ms->io, name, &share, NULL);
        return k;
    }
    return NULL;
}

static void conf_free(struct conf *k)
{
    share_free(k->share);
    if (k->turn)
        turn_client_free(k->turn);
    *k = (struct conf){.state = CONF_FREE, .deadline_ns = TIME_NEVER};
}

void meeting_shares_invited(struct meeting_shares *s, struct sip_call *call, const struct sdp_media *m)
{
    struct conf *k = conf_new(s, call);
    if (!k) {
        sip_ua_refuse(s->ua, call, 486, "");
        return;
    }
    if (share_set_remote(k->share, m)) {
        sip_ua_refuse(s->ua, call, 488, "Warning: 304 meeting-server \"no TCP candidates\"\r\n");
        conf_free(k);
        return;
    }
    sip_call_set_user(call, k);
    note_peers(k, m);
    enter(k, CONF_ALLOCATING);
    turn_client_start(k->turn);
}

static void answer(struct conf *k)
{
    sip_ua_answer(k->ms->ua, k->call, share_describe(k->share, &k->relayed.ip));
    enter(k, CONF_ANSWERING);
}

/* ---- TURN ---- */

static void on_allocated(struct conf *k, const struct turn_client_event *ev)
{
    /* RFC 8445 5.1.2.1 with a type preference of 0: so that PRIORITY is as in frame 2597 of the capture. */
    static const uint32_t passive = 65535u << 8 | 255, active = 65534u << 8 | 255;
    if (k->state != CONF_ALLOCATING)
        return;
    k->relayed = ev->relayed;
    share_add_local(k->share, ICE_RELAY, ICE_TCP_PASS, passive, &ev->relayed, &ev->mapped);
    if (k->ms->cfg.connect)
        share_add_local(k->share, ICE_RELAY, ICE_TCP_ACT, active, &ev->relayed, &ev->mapped);
    if (!k->ms->cfg.create_permission || !k->permit_count) {
        answer(k);
        return;
    }
    k->permits_open = k->permit_count;
    enter(k, CONF_PERMITTING);
    turn_client_permit(k->turn, k->permit, k->permit_count);
}

static void on_permitted(struct conf *k, const struct turn_client_event *ev)
{
    if (k->state != CONF_PERMITTING)
        return;
    if (ev->code || ev->err)
        fail(k, &k->ms->cfg.turn, "the TURN server answered CreatePermission with error %d", ev->code);
    else if (--k->permits_open == 0)
        answer(k);
}

static void on_incoming(struct conf *k, const struct turn_client_event *ev)
{
    char peer[ENDPOINT_TEXT];
    if (k->state < CONF_ANSWERING || k->state >= CONF_REINVITING)
        return; /* a second way is of no use once one is nominated */
    io_note(k->ms->io, NOTE_STATE, "conference share=%u attempt from %s", k->slot,
            endpoint_text(&ev->peer, peer));
    enter(k, CONF_BINDING);
    k->binding += turn_client_accept(k->turn, ev->connection) == 0;
}

static void on_bound(struct conf *k, const struct turn_client_event *ev)
{
    k->binding -= k->binding > 0;
    if (k->state >= CONF_REINVITING) {
        io_close(k->ms->io, ev->data);
        return;
    }
    enter(k, CONF_CHECKING);
    share_stream(k->share, ev->data, &k->relayed, &ev->peer);
    /* What the peer had sent before may stand right behind the answer (6062-5.4-11): no read brings it again. */
    struct io_in early = {.event = IO_DATA, .id = ev->data, .data = ev->bytes, .len = ev->bytes_len};
    if (ev->bytes_len)
        share_input(k->share, &early);
    share_check(k->share);
}

/* One connection that did not work ends the call only when there will be no other. */
static void on_peer_failed(struct conf *k, const struct turn_client_event *ev)
{
    char peer[ENDPOINT_TEXT], why[24];
    snprintf(why, sizeof why, "error %d", ev->code);
    snprintf(k->problem, sizeof k->problem, "the TURN server could not bind the connection with %s: %s",
             endpoint_text(&ev->peer, peer), ev->code ? why : err_text(ev->err));
    io_note(k->ms->io, NOTE_STATE, "conference share=%u %s", k->slot, k->problem);
    share_none(k->share, &ev->peer);
    k->binding -= k->binding > 0;
    if (k->state == CONF_BINDING && !k->binding && !k->ms->cfg.connect)
        fail(k, &k->ms->cfg.turn, "%s", k->problem);
}

static void on_turn(struct conf *k, const struct turn_client_event *ev)
{
    const struct endpoint *server = &k->ms->cfg.turn;
    switch (ev->kind) {
    case TURN_CLIENT_ALLOCATED:
        on_allocated(k, ev);
        break;
    case TURN_CLIENT_REFUSED:
        if (ev->code)
            fail(k, server, "the TURN server answered Allocate with error %d", ev->code);
        else
            fail(k, server, "no allocation: the TURN server cannot be reached: %s", err_text(ev->err));
        break;
    case TURN_CLIENT_GONE:
        fail(k, server, "the allocation was lost while %s: %s %d", states[k->state].name,
             ev->code ? "error" : err_text(ev->err), ev->code);
        break;
    case TURN_CLIENT_INCOMING:
        on_incoming(k, ev);
        break;
    case TURN_CLIENT_BOUND:
        on_bound(k, ev);
        break;
    case TURN_CLIENT_PEER_FAILED:
        on_peer_failed(k, ev);
        break;
    case TURN_CLIENT_PERMITTED:
        on_permitted(k, ev);
        break;
    case TURN_CLIENT_CHANNEL: /* of UDP allocations, of which it has none */
    case TURN_CLIENT_DATAGRAM:
    case TURN_CLIENT_ICMP:
        break;
    }
}

/* ---- the share ---- */

static void share_now(struct conf *k)
{
    if (k->state != CONF_REINVITING || !k->reconfirmed)
        return;
    enter(k, CONF_SHARING);
    share_begin(k->share);
}

static void open_pair(struct conf *k, const struct share_event *ev)
{
    share_await(k->share, ev->pair, &ev->remote.address);
    if (turn_client_connect(k->turn, &ev->remote.address))
        share_none(k->share, &ev->remote.address);
}

static void on_share(struct conf *k, const struct share_event *ev)
{
    const struct endpoint *remote = &ev->remote.address;
    switch (ev->kind) {
    case SHARE_OPEN:
        open_pair(k, ev);
        break;
    case SHARE_NOMINATED:
        enter(k, CONF_REINVITING);
        share_now(k);
        break;
    case SHARE_NO_PAIR:
        fail(k, &k->peer, "%s%s%s", k->problem, k->problem[0] ? "; " : "", ev->text);
        break;
    case SHARE_FINISHED:
        enter(k, CONF_FINISHED);
        if (!k->call)
            end(k);
        break;
    case SHARE_STALLED:
        fail(k, remote, "the share stalled: nothing more came through for %u s",
             seconds(k->ms->cfg.stall_timeout_ns));
        break;
    case SHARE_BROKEN:
        fail(k, remote, "the share broke: %s", ev->text);
        break;
    }
}

/* ---- SIP ---- */

/* Its own connections wait for the ACK: by then the other side has told its relay whom to let in. */
static void on_confirmed(struct conf *k)
{
    k->reconfirmed = k->reoffered;
    enter(k, CONF_CONNECTING);
    share_check(k->share);
    share_now(k);
}

static void on_ended(struct conf *k, const struct sip_ua_event *ev)
{
    struct sip_str why = {"", 0};
    k->call = NULL;
    if (k->state == CONF_OVER)
        return;
    if (ev->msg)
        sip_find(ev->msg, "ms-client-diagnostics", &why);
    if (k->state >= CONF_SHARING && share_has_all(k->share) && !why.len) { /* nor would it end before it has all */
        end(k);
    } else if (k->state == CONF_SHARING && ev->msg && !why.len) {
        enter(k, CONF_DRAINING);
    } else if (ev->code == 408 && k->state == CONF_ANSWERING) {
        fail(k, NULL, "no ACK to the answer of the share's INVITE");
    } else if (ev->code == 408 || ev->code == 481) { /* asked with OPTIONS */
        fail(k, NULL, "the Skype side's end of the share is gone (%u) while %s", ev->code, states[k->state].name);
    } else {
        fail(k, NULL, "the Skype side ended the share while %s%s%.*s", states[k->state].name,
             why.len ? ": " : "", SIP_STR(why));
    }
}

void meeting_shares_sip(struct meeting_shares *s, const struct sip_ua_event *ev)
{
    struct conf *k = sip_call_user(ev->call);
    if (k->call != ev->call)
        return; /* it has let go of the call, and may be another's by now */
    switch (ev->kind) {
    case SIP_REINVITED:
        if (k->state < CONF_CONNECTING || k->state > CONF_SHARING) {
            sip_ua_refuse(s->ua, ev->call, 488, "");
            break;
        }
        k->reoffered = true;
        sip_ua_answer(s->ua, ev->call, share_describe(k->share, &k->relayed.ip));
        break;
    case SIP_CONFIRMED:
        on_confirmed(k);
        break;
    case SIP_ENDED:
        on_ended(k, ev);
        break;
    default:
        break; /* it makes no calls */
    }
}

static void on_deadline(struct conf *k)
{
    const struct meeting_server_config *cfg = &k->ms->cfg;
    char relayed[ENDPOINT_TEXT];
    k->deadline_ns = TIME_NEVER;
    switch (k->state) {
    case CONF_ALLOCATING:
        fail(k, &cfg->turn, "no allocation: the TURN server did not answer within %u s",
             seconds(cfg->allocate_timeout_ns));
        break;
    case CONF_PERMITTING:
        fail(k, &cfg->turn, "CreatePermission was not answered within %u s",
             seconds(cfg->allocate_timeout_ns));
        break;
    case CONF_CONNECTING:
        if (k->problem[0])
            fail(k, &k->peer, "%s", k->problem);
        else
            fail(k, &k->peer, "no ConnectionAttempt within %u s: nothing reached the relayed address %s",
                 seconds(cfg->connect_timeout_ns), endpoint_text(&k->relayed, relayed));
        break;
    case CONF_BINDING:
        fail(k, &cfg->turn, "ConnectionBind was not answered within %u s", seconds(cfg->bind_timeout_ns));
        break;
    case CONF_CHECKING:
        fail(k, &k->peer, "connectivity checks were not complete within %u s",
             seconds(2 * cfg->ice_timeout_ns));
        break;
    case CONF_REINVITING:
        fail(k, NULL, "no re-INVITE within %u s after the checks", seconds(cfg->reinvite_timeout_ns));
        break;
    case CONF_DRAINING:
        fail(k, NULL, "the Skype side ended the share before all of its screen had come");
        break;
    case CONF_FINISHED: /* the share is whole; the caller is gone */
        end(k);
        break;
    case CONF_OVER:
        conf_free(k);
        break;
    case CONF_ANSWERING:
    case CONF_SHARING:
    case CONF_FREE:
        break;
    }
}

/* ---- as a part of the whole ---- */

static bool poll_conf(struct conf *k)
{
    struct turn_client_event turn;
    struct share_event share;
    bool any = false;
    while (turn_client_poll(k->turn, &turn) && (any = true))
        on_turn(k, &turn);
    while (share_poll(k->share, &share) && (any = true))
        on_share(k, &share);
    if (k->state == CONF_DRAINING && share_has_all(k->share))
        end(k);
    return any;
}

bool meeting_shares_poll(struct meeting_shares *s)
{
    bool any = false;
    for (unsigned i = 0; i < SHARES_MAX; i++)
        if (s->conf[i].state != CONF_FREE)
            any = poll_conf(&s->conf[i]) || any;
    return any;
}

void meeting_shares_input(struct meeting_shares *s, const struct io_in *in)
{
    unsigned owner = io_owner(in->id);
    for (unsigned i = 0; i < SHARES_MAX; i++) {
        struct conf *k = &s->conf[i];
        if (k->state == CONF_FREE || in->event == IO_START)
            continue;
        if (in->id == IO_NONE || (owner == OWNER_SHARE + i && !share_input(k->share, in)))
            turn_client_input(k->turn, in);
        share_tick(k->share);
        if (io_now(s->io) >= k->deadline_ns)
            on_deadline(k);
    }
}

uint64_t meeting_shares_deadline(const struct meeting_shares *s)
{
    uint64_t t = TIME_NEVER;
    for (unsigned i = 0; i < SHARES_MAX; i++) {
        const struct conf *k = &s->conf[i];
        if (k->state == CONF_FREE)
            continue;
        t = time_min(t, time_min(k->deadline_ns, turn_client_deadline(k->turn)));
        t = time_min(t, share_deadline(k->share));
    }
    return t;
}

struct meeting_shares *meeting_shares_new(struct io *io, const struct meeting_server_config *cfg, struct sip_ua *ua)
{
    struct meeting_shares *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->io = io;
    s->cfg = *cfg;
    s->ua = ua;
    return s;
}

void meeting_shares_free(struct meeting_shares *s)
{
    for (unsigned i = 0; s && i < SHARES_MAX; i++)
        if (s->conf[i].state != CONF_FREE)
            conf_free(&s->conf[i]);
    free(s);
}
