/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/skype_client.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/actors/audio_video.h"
#include "models/actors/share.h"
#include "models/actors/skype_edge.h"
#include "models/actors/skype_media.h"
#include "models/base/err.h"
#include "models/base/time.h"
#include "models/msturn/msturn.h"
#include "models/sip/ua.h"

enum { OWNER_SIP = 1, OWNER_RELAY = 2, OWNER_MEDIA = 3, OWNER_AUDIO_VIDEO = 4 };

/* The call to the conference is tried again this often, for this long: systems do not start at the same
 * moment. */
#define CALL_RETRY_NS (3 * NS_S)
#define CALL_TRIES_NS (30 * NS_S)

enum state {
    CLIENT_IDLE,       /* until call_at */
    CLIENT_GATHERING,  /* audio and video of a planned call: an offer is being made */
    CLIENT_CALLING,    /* ... INVITE sent */
    CLIENT_IN_CALL,    /* ... up; until share_at */
    CLIENT_ALLOCATING, /* at the Edge's relay */
    CLIENT_INVITING,   /* the share's INVITE is sent */
    CLIENT_CHECKING,   /* answered: connectivity checks */
    CLIENT_REINVITING, /* a pair is nominated: re-INVITE sent */
    CLIENT_SHARING,
    CLIENT_ENDING,  /* all is sent and received: BYE */
    CLIENT_TALKING, /* a planned call goes on without a share, until its end */
    CLIENT_OVER,    /* ended, or failed */
};

static const char *const state_names[] = {[CLIENT_IDLE] = "IDLE",
                                          [CLIENT_GATHERING] = "GATHERING",
                                          [CLIENT_CALLING] = "CALLING",
                                          [CLIENT_IN_CALL] = "IN_CALL",
                                          [CLIENT_ALLOCATING] = "ALLOCATING",
                                          [CLIENT_INVITING] = "INVITING",
                                          [CLIENT_CHECKING] = "CHECKING",
                                          [CLIENT_REINVITING] = "REINVITING",
                                          [CLIENT_SHARING] = "SHARING",
                                          [CLIENT_ENDING] = "ENDING",
                                          [CLIENT_TALKING] = "TALKING",
                                          [CLIENT_OVER] = "OVER"};

struct skype_client {
    struct io *io;
    struct skype_client_config cfg;
    struct sip_ua *ua;
    struct ms_turn_client *relay;
    struct share *share;
    struct skype_media *media;          /* of a planned call; NULL: there is no plan */
    struct sip_call *call, *share_call; /* NULL: none, or over */
    io_id listener;
    enum state state;
    uint64_t deadline_ns;
    uint64_t begun_ns;
    char from[192]; /* who calls: a planned call goes by its name */
    char *offer;    /* of a planned call; NULL: not made yet */
    char relay_problem[160]; /* why there is no relayed candidate; empty: there is, or is not known yet */
};

static uint64_t until(const struct skype_client *c, uint64_t when_ns)
{
    return when_ns > io_now(c->io) ? when_ns - io_now(c->io) : 0;
}

static void enter(struct skype_client *c, enum state state, uint64_t timeout_ns)
{
    io_note(c->io, NOTE_STATE, "client %s -> %s", state_names[c->state], state_names[state]);
    c->state = state;
    c->deadline_ns = timeout_ns == TIME_NEVER ? TIME_NEVER : io_now(c->io) + timeout_ns;
}

/* Media go on until the other side knows of the end: a relay that is given back before would answer what still comes
 * with ICMP. */
static void end_call(struct skype_client *c)
{
    if (c->call)
        sip_ua_hangup(c->ua, c->call, "");
    else if (c->media)
        skype_media_close(c->media);
}

/* The share comes to its end, and both calls do, unless the planned one has time left; what is left of them runs on
 * timers of its own. */
static void wind_up(struct skype_client *c, const char *headers)
{
    const struct call_plan *plan = c->cfg.call;
    uint64_t end_ns = plan && plan->for_ns != TIME_NEVER ? c->begun_ns + plan->for_ns : 0;
    bool talk_on = c->call && c->state >= CLIENT_IN_CALL && io_now(c->io) < end_ns;
    if (c->share_call)
        sip_ua_hangup(c->ua, c->share_call, headers);
    if (!talk_on)
        end_call(c);
    if (c->state >= CLIENT_ALLOCATING)
        ms_turn_client_release(c->relay);
    share_close(c->share);
    if (c->listener != IO_NONE)
        io_close(c->io, c->listener);
    c->listener = IO_NONE;
    enter(c, talk_on ? CLIENT_TALKING : CLIENT_OVER, talk_on ? until(c, end_ns) : TIME_NEVER);
}

static void note_share(struct skype_client *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void note_share(struct skype_client *c, const char *fmt, ...)
{
    char what[256];
    va_list ap;
    if (!c->cfg.call || !(c->cfg.call->media & CALL_SHARE))
        return;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    call_note_media(c->io, c->cfg.call->name, CALL_SHARE, what);
}

static void fail(struct skype_client *c, const struct endpoint *remote, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void fail(struct skype_client *c, const struct endpoint *remote, const char *fmt, ...)
{
    char text[224], headers[320];
    va_list ap;
    if (c->state == CLIENT_OVER)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    io_fail(c->io, remote, "%s", text);
    /* SIP-6 of the catalogue: the class of media connectivity failures */
    snprintf(headers, sizeof headers, "ms-client-diagnostics: 23; reason=\"%s\"\r\n", text);
    note_share(c, "%s %s", c->state >= CLIENT_SHARING ? "lost" : "failed", text);
    if (c->state >= CLIENT_SHARING)
        share_results(c->share);
    wind_up(c, headers);
}

/* ---- the audio and video call ---- */

static void place_call(struct skype_client *c)
{
    char sdp[AUDIO_VIDEO_SDP_MAX];
    c->call = c->media ? sip_ua_invite_as(c->ua, c->from, c->cfg.conference, c->offer, "")
                       : sip_ua_invite(c->ua, c->cfg.conference, audio_video_describe(sdp, &c->cfg.address), "");
    enter(c, CLIENT_CALLING, c->call ? c->cfg.answer_timeout_ns : CALL_RETRY_NS);
}

static void begin_call(struct skype_client *c)
{
    c->begun_ns = io_now(c->io);
    if (!c->media) {
        place_call(c);
        return;
    }
    enter(c, CLIENT_GATHERING, c->cfg.answer_timeout_ns);
    skype_media_begin(c->media);
}

static void call_answered(struct skype_client *c, const struct sip_msg *m)
{
    if (c->media && !skype_media_answered(c->media, m)) {
        fail(c, NULL, "the answer to the audio/video call has no media that we can take");
        return;
    }
    if (c->state != CLIENT_CALLING)
        return; /* a re-INVITE's: held, or not any more */
    const struct call_plan *plan = c->cfg.call;
    if (!plan || plan->media & CALL_SHARE)
        enter(c, CLIENT_IN_CALL, until(c, c->cfg.share_at_ns));
    else
        enter(c, CLIENT_TALKING, plan->for_ns == TIME_NEVER ? TIME_NEVER : until(c, c->begun_ns + plan->for_ns));
}

static void call_ended(struct skype_client *c)
{
    c->call = NULL;
    if (c->media)
        skype_media_close(c->media);
    if (c->state == CLIENT_TALKING)
        enter(c, CLIENT_OVER, TIME_NEVER);
}

static void call_refused(struct skype_client *c, unsigned code)
{
    c->call = NULL;
    if (c->state == CLIENT_OVER && c->media)
        skype_media_close(c->media);
    if (c->state != CLIENT_CALLING)
        return;
    if (code == 503 && io_now(c->io) < c->cfg.call_at_ns + CALL_TRIES_NS)
        c->deadline_ns = io_now(c->io) + CALL_RETRY_NS;
    else
        fail(c, NULL, "the audio/video call was answered with %u %s", code, sip_reason(code));
}

static void call_timer(struct skype_client *c)
{
    if (c->call)
        fail(c, NULL, "the audio/video call was not answered within %u s",
             (unsigned)(c->cfg.answer_timeout_ns / NS_S));
    else if (!sip_ua_linked(c->ua) && io_now(c->io) >= c->cfg.call_at_ns + CALL_TRIES_NS)
        fail(c, &c->cfg.edge_sip, "no SIP connection to %s", c->cfg.peer);
    else
        place_call(c);
}

/* ---- the share ---- */

static void invite(struct skype_client *c)
{
    char headers[64];
    snprintf(headers, sizeof headers, CONFERENCE_ROLE ": %s\r\n", c->cfg.attendee ? "attendee" : "presenter");
    c->share_call =
        sip_ua_invite_as(c->ua, c->from, c->cfg.conference, share_describe(c->share, &c->cfg.address), headers);
    if (!c->share_call) {
        fail(c, &c->cfg.edge_sip, "no SIP connection to %s", c->cfg.peer);
        return;
    }
    io_note(c->io, NOTE_PHASE, "invite");
    enter(c, CLIENT_INVITING, c->cfg.answer_timeout_ns);
}

static void add_candidates(struct skype_client *c, enum ice_type type, const struct endpoint *at,
                           const struct endpoint *related)
{
    share_add_local(c->share, type, ICE_TCP_PASS, ice_priority(type, ICE_TCP_PASS, 1), at, related);
    share_add_local(c->share, type, ICE_TCP_ACT, ice_priority(type, ICE_TCP_ACT, 1), at, related);
}

static void begin_share(struct skype_client *c)
{
    struct endpoint host = {c->cfg.address, c->cfg.media_port};
    if (c->cfg.host_candidates)
        c->listener = io_listen(c->io, OWNER_MEDIA, &host);
    if (c->cfg.edge_turn.port)
        ms_turn_client_start(c->relay);
    enter(c, CLIENT_ALLOCATING, c->cfg.allocate_timeout_ns);
    if (!c->cfg.edge_turn.port) {
        add_candidates(c, ICE_HOST, &host, NULL);
        invite(c);
    }
}

/* Without a relay the client's own address is what is left; a client tries that. */
static void allocation_failed(struct skype_client *c, const char *why)
{
    snprintf(c->relay_problem, sizeof c->relay_problem, "no relay at the Skype Edge: %s", why);
    if (c->state != CLIENT_ALLOCATING)
        return;
    io_note(c->io, NOTE_HINT, "%s", c->relay_problem);
    if (c->listener == IO_NONE) {
        fail(c, &c->cfg.edge_turn, "%s", c->relay_problem);
        return;
    }
    struct endpoint host = {c->cfg.address, c->cfg.media_port};
    add_candidates(c, ICE_HOST, &host, NULL);
    invite(c);
}

static void allocated(struct skype_client *c, const struct ms_turn_event *ev)
{
    char at[ENDPOINT_TEXT];
    struct endpoint host = {c->cfg.address, c->cfg.media_port};
    if (c->state != CLIENT_ALLOCATING)
        return;
    io_note(c->io, NOTE_STATE, "relay NONE -> ALLOCATED %s", endpoint_text(&ev->relayed, at));
    add_candidates(c, ICE_RELAY, &ev->relayed, &ev->mapped); /* first: the default candidate (c= and m=) */
    if (c->listener != IO_NONE)
        add_candidates(c, ICE_HOST, &host, NULL);
    invite(c);
}

static void share_answered(struct skype_client *c, const struct sip_msg *m)
{
    struct sdp d;
    if (c->state == CLIENT_REINVITING) {
        enter(c, CLIENT_SHARING, TIME_NEVER);
        note_share(c, "up");
        share_begin(c->share);
        return;
    }
    const struct sdp_media *media =
        sdp_parse(m->body.p, m->body.len, &d) == 0 ? sdp_find(&d, "applicationsharing") : NULL;
    if (c->state != CLIENT_INVITING)
        return;
    if (!media || !media->port || share_set_remote(c->share, media)) {
        fail(c, NULL, "the answer to the share's INVITE has no TCP candidates for application sharing");
        return;
    }
    enter(c, CLIENT_CHECKING, TIME_NEVER); /* ended by ICE's own timer */
    share_check(c->share);
}

static void share_refused(struct skype_client *c, const struct sip_ua_event *ev)
{
    struct sip_str why;
    c->share_call = NULL;
    if (c->state == CLIENT_OVER)
        return;
    bool said = ev->msg && sip_find(ev->msg, "ms-diagnostics-public", &why);
    if (said && why.len >= 5 && memcmp(why.p, "21002", 5) == 0)
        fail(c, NULL,
             "the share was answered with %u %s, ms-diagnostics-public: %.*s: make the attendee a presenter",
             ev->code, sip_reason(ev->code), SIP_STR(why));
    else if (said)
        fail(c, NULL, "the share was answered with %u %s, ms-diagnostics-public: %.*s", ev->code,
             sip_reason(ev->code), SIP_STR(why));
    else
        fail(c, NULL, "the share was answered with %u %s", ev->code, sip_reason(ev->code));
}

static void share_ended(struct skype_client *c, unsigned code)
{
    c->share_call = NULL;
    if (c->state == CLIENT_ENDING && code == 408) {
        share_results(c->share);
        fail(c, &c->cfg.edge_sip, "the screen arrived, but the BYE that ends the share was never answered");
    } else if (c->state == CLIENT_ENDING && code >= 300) {
        share_results(c->share);
        fail(c, &c->cfg.edge_sip, "the screen arrived, but the BYE that ends the share was answered with %u %s", code,
             sip_reason(code));
    } else if (c->state == CLIENT_ENDING) {
        share_results(c->share);
        note_share(c, "done");
        wind_up(c, "");
    } else {
        fail(c, NULL, "the conference ended the share (BYE) while the client was %s", state_names[c->state]);
    }
}

/* ---- events of its parts ---- */

static void on_sip(struct skype_client *c, const struct sip_ua_event *ev)
{
    bool share = ev->call && ev->call == c->share_call;
    switch (ev->kind) {
    case SIP_LINK_UP:
    case SIP_LINK_DOWN:
        io_note(c->io, NOTE_STATE, "sip connection with %s %s%s%s", c->cfg.peer,
                ev->kind == SIP_LINK_UP ? "DOWN -> UP" : "DOWN", ev->err ? " cause=" : "",
                ev->err ? err_text(ev->err) : "");
        break;
    case SIP_ANSWERED:
        if (share)
            share_answered(c, ev->msg);
        else
            call_answered(c, ev->msg);
        break;
    case SIP_REFUSED:
        if (share)
            share_refused(c, ev);
        else
            call_refused(c, ev->code);
        break;
    case SIP_REINVITE_REFUSED:
        fail(c, NULL, "the re-INVITE to the nominated pair was answered with %u %s", ev->code,
             sip_reason(ev->code));
        break;
    case SIP_ENDED:
        if (share)
            share_ended(c, ev->code);
        else
            call_ended(c);
        break;
    case SIP_INVITED:
    case SIP_REINVITED:
        sip_ua_refuse(c->ua, ev->call, 488, ""); /* a client that only shares takes no calls */
        break;
    case SIP_PROGRESS:
    case SIP_CONFIRMED:
        break;
    }
}

static void on_relay(struct skype_client *c, const struct ms_turn_event *ev)
{
    char why[64];
    struct endpoint none = {0};
    switch (ev->kind) {
    case MS_TURN_ALLOCATED:
        allocated(c, ev);
        break;
    case MS_TURN_REFUSED:
        snprintf(why, sizeof why, "Allocate error %d", ev->code);
        allocation_failed(c, ev->code ? why : err_text(ev->err));
        break;
    case MS_TURN_GONE:
        if (c->state >= CLIENT_INVITING && c->state < CLIENT_ENDING)
            fail(c, &c->cfg.edge_turn, "the connection to the Skype Edge's relay was lost");
        else
            allocation_failed(c, err_text(ev->err));
        break;
    case MS_TURN_FRAME:
        share_relayed(c->share, &none, &ev->peer, ev->data, ev->len);
        break;
    case MS_TURN_ACTIVE:
        if (ev->code)
            io_note(c->io, NOTE_STATE, "relay active destination refused cause=%d", ev->code);
        break;
    case MS_TURN_BLOCKED:
    case MS_TURN_WRITABLE:
        share_relay_blocked(c->share, ev->kind == MS_TURN_BLOCKED);
        break;
    }
}

static void open_pair(struct skype_client *c, const struct share_event *ev)
{
    if (ev->local.type == ICE_RELAY)
        share_via_relay(c->share, ev->pair, &ev->remote.address);
    else
        share_connect(c->share, ev->pair, OWNER_MEDIA, &ev->remote.address);
}

static void on_share(struct skype_client *c, const struct share_event *ev)
{
    const struct endpoint *remote = &ev->remote.address;
    switch (ev->kind) {
    case SHARE_OPEN:
        open_pair(c, ev);
        break;
    case SHARE_NOMINATED:
        if (ev->local.type == ICE_RELAY)
            ms_turn_client_set_active(c->relay, remote);
        sip_ua_reinvite(c->ua, c->share_call, share_describe(c->share, &c->cfg.address));
        enter(c, CLIENT_REINVITING, c->cfg.answer_timeout_ns);
        break;
    case SHARE_NO_PAIR:
        fail(c, remote->port ? remote : NULL, "no media path: %s%s%s", ev->text,
             c->relay_problem[0] ? "; " : "", c->relay_problem);
        break;
    case SHARE_FINISHED:
        enter(c, CLIENT_ENDING, TIME_NEVER); /* ended by timer F */
        sip_ua_hangup(c->ua, c->share_call, "");
        break;
    case SHARE_STALLED:
        fail(c, remote, "the share stalled: nothing more came through for %u s",
             (unsigned)(c->cfg.stall_timeout_ns / NS_S));
        break;
    case SHARE_BROKEN:
        fail(c, remote, "the share broke: %s", ev->text);
        break;
    }
}

static void on_deadline(struct skype_client *c)
{
    c->deadline_ns = TIME_NEVER;
    switch (c->state) {
    case CLIENT_IDLE:
        begin_call(c);
        break;
    case CLIENT_GATHERING:
        fail(c, NULL, "the audio/video call has no media to offer");
        break;
    case CLIENT_CALLING:
        call_timer(c);
        break;
    case CLIENT_IN_CALL:
        begin_share(c);
        break;
    case CLIENT_ALLOCATING:
        allocation_failed(c, "no answer to Allocate");
        break;
    case CLIENT_INVITING:
        fail(c, NULL, "the share's INVITE was not answered within %u s",
             (unsigned)(c->cfg.answer_timeout_ns / NS_S));
        break;
    case CLIENT_REINVITING:
        fail(c, NULL, "the re-INVITE was not answered within %u s",
             (unsigned)(c->cfg.answer_timeout_ns / NS_S));
        break;
    case CLIENT_TALKING:
        wind_up(c, "");
        break;
    case CLIENT_CHECKING:
    case CLIENT_SHARING:
    case CLIENT_ENDING:
    case CLIENT_OVER:
        break;
    }
}

/* ---- the core ---- */

/* What the planned call's media have to say: a first offer, or that they are on hold. */
static void on_audio_video(struct skype_client *c, const struct io_in *in)
{
    skype_media_input(c->media, in);
    const char *offer = skype_media_offer(c->media);
    if (offer && c->state == CLIENT_GATHERING) {
        c->offer = strdup(offer);
        assert(c->offer);
        place_call(c);
    } else if (offer && c->call && c->state != CLIENT_OVER) {
        sip_ua_reinvite(c->ua, c->call, offer);
    }
}

static void on_media(struct skype_client *c, const struct io_in *in)
{
    char why[64];
    if (in->event == IO_ACCEPTED)
        share_stream(c->share, in->id, &in->local, &in->remote);
    else if (in->event == IO_FAILED && in->id == c->listener) {
        snprintf(why, sizeof why, "host candidate NONE cause=%s", err_text(in->err));
        io_note(c->io, NOTE_STATE, "%s", why);
        c->listener = IO_NONE;
    } else
        share_input(c->share, in);
}

static void input(void *self, const struct io_in *in)
{
    struct skype_client *c = self;
    struct sip_ua_event sip;
    struct ms_turn_event relay;
    struct share_event share;
    unsigned owner = io_owner(in->id);
    if (in->event == IO_START)
        c->deadline_ns = io_now(c->io) + until(c, c->cfg.call_at_ns);
    if (in->id == IO_NONE || owner == OWNER_SIP)
        sip_ua_input(c->ua, in);
    if (in->id == IO_NONE || owner == OWNER_RELAY)
        ms_turn_client_input(c->relay, in);
    if (owner == OWNER_MEDIA)
        on_media(c, in);
    share_tick(c->share);
    if (io_now(c->io) >= c->deadline_ns)
        on_deadline(c);
    if (c->media && (in->id == IO_NONE || owner == OWNER_AUDIO_VIDEO))
        on_audio_video(c, in);
    bool more = true;
    while (more) {
        more = false;
        while (sip_ua_poll(c->ua, &sip) && (more = true))
            on_sip(c, &sip);
        while (ms_turn_client_poll(c->relay, &relay) && (more = true))
            on_relay(c, &relay);
        while (share_poll(c->share, &share) && (more = true))
            on_share(c, &share);
    }
}

static uint64_t deadline(const void *self)
{
    const struct skype_client *c = self;
    uint64_t t = time_min(sip_ua_deadline(c->ua), ms_turn_client_deadline(c->relay));
    if (c->media)
        t = time_min(t, skype_media_deadline(c->media));
    return time_min(t, time_min(c->deadline_ns, share_deadline(c->share)));
}

static void destroy(void *self)
{
    struct skype_client *c = self;
    share_free(c->share);
    skype_media_free(c->media);
    free(c->offer);
    sip_ua_free(c->ua);
    if (c->relay)
        ms_turn_client_free(c->relay);
    free(c);
}

static void name_caller(struct skype_client *c)
{
    const char *domain = strchr(c->cfg.uri, '@');
    if (c->cfg.call)
        snprintf(c->from, sizeof c->from, "sip:%s%s", c->cfg.call->name, domain ? domain : "");
    else
        snprintf(c->from, sizeof c->from, "%s", c->cfg.uri);
}

int skype_client_make(struct io *io, const struct skype_client_config *cfg, struct core *out)
{
    static const struct core_ops ops = {input, deadline, destroy};
    struct sip_ua_config sip = {.server = cfg->edge_sip, .uri = cfg->uri, .agent = "UCCAPI/16.0.4266.1001"};
    struct ms_turn_client_config relay = {
        .server = cfg->edge_turn, .user = cfg->turn_user, .password = cfg->turn_password};
    struct share_config share = {.controlling = true,
                                 .candidate_id = "2",
                                 .role = "sharer",
                                 .setup = SDP_ACTIVE,
                                 .ice_timeout_ns = cfg->ice_timeout_ns,
                                 .stall_timeout_ns = cfg->stall_timeout_ns,
                                 .screen = cfg->screen};
    struct skype_client *c = calloc(1, sizeof *c);
    if (!c)
        return E_NOMEM;
    c->io = io;
    c->cfg = *cfg;
    c->deadline_ns = TIME_NEVER;
    c->ua = sip_ua_new(io, OWNER_SIP, &sip);
    c->relay = ms_turn_client_new(io, OWNER_RELAY, &relay);
    if (cfg->call) {
        c->media = skype_media_new(io, OWNER_AUDIO_VIDEO, cfg->call, &cfg->media);
        c->cfg.call_at_ns = cfg->call->at_ns;
        c->cfg.conference = cfg->call->to;
    }
    name_caller(c);
    *out = (struct core){&ops, c, io};
    if (c->ua && c->relay && (c->media || !cfg->call)) {
        c->share = share_new(io, "share", &share, c->relay);
        return 0;
    }
    destroy(c);
    return E_NOMEM;
}
