/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One call of a phone, from its plan or another's INVITE to its end. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "models/actors/sip_phones_parts.h"
#include "models/base/time.h"

/* Systems do not start at the same moment: a call waits so long for a line. */
#define LINE_NS (30 * NS_S)

/* ---- the end ---- */

static void note(const struct phone *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void note(const struct phone *p, const char *fmt, ...)
{
    char what[224];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    call_note_signalling(p->all->io, p->name, what);
}

static unsigned media_of(const struct phone *p)
{
    return p->plan ? p->plan->media : p->all->cfg.media.media;
}

static void over(struct phone *p)
{
    if (p->session)
        session_close(p->session);
    p->call = NULL;
    p->state = PHONE_OVER;
    p->give_up_ns = TIME_NEVER;
}

/* Without signalling there is no call: what never came up has failed for the same reason. */
static void fail(struct phone *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void fail(struct phone *p, const char *fmt, ...)
{
    char why[192];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    bool was_up = p->state == PHONE_UP || p->state == PHONE_ENDING;
    if (p->call && p->state != PHONE_ENDING)
        sip_ua_hangup(p->ua, p->call, "");
    if (p->call)
        sip_call_set_user(p->call, NULL);
    over(p);
    note(p, "%s SIP signalling: %s", was_up ? "lost" : "failed", why);
    if (!p->media_up && p->plan)
        call_note_media(p->all->io, p->name, media_of(p), "failed there is no call");
}

static void hang_up(struct phone *p)
{
    session_close(p->session);
    sip_ua_hangup(p->ua, p->call, "");
    p->state = PHONE_ENDING; /* ended by timer F */
}

/* ---- making a call ---- */

static bool new_session(struct phone *p, unsigned media, bool controlling)
{
    struct session_config cfg = p->all->cfg.media;
    cfg.name = p->name;
    cfg.media = media;
    cfg.controlling = controlling;
    p->session = session_new(p->all->io, PHONES_OWNER_MEDIA, &cfg);
    return p->session != NULL;
}

static void begin(struct phone *p)
{
    p->begun_ns = io_now(p->all->io);
    p->give_up_ns = p->begun_ns + LINE_NS;
    p->state = PHONE_DIALLING;
    note(p, "wanted");
    call_note_media(p->all->io, p->name, p->plan->media, "wanted");
}

static void dial(struct phone *p)
{
    for (size_t i = 0; i < p->all->cfg.line_count && !p->ua; i++)
        if (p->all->line[i] == LINE_UP)
            p->ua = p->all->ua[i];
    if (!p->ua)
        return;
    p->state = PHONE_GATHERING;
    p->give_up_ns = TIME_NEVER; /* the session has its own patience */
    if (new_session(p, p->plan->media, true))
        session_offer(p->session);
    else
        fail(p, "no memory for its media");
}

static void invite(struct phone *p, const char *sdp)
{
    char from[PHONE_NAME_MAX + 128];
    const char *domain = strchr(p->all->cfg.uri, '@');
    snprintf(from, sizeof from, "sip:%s%s", p->name, domain ? domain : "");
    p->call = sip_ua_invite_as(p->ua, from, p->plan->to, sdp, "");
    if (!p->call) {
        fail(p, "the connection to %s was lost", p->all->cfg.peer);
        return;
    }
    sip_call_set_user(p->call, p);
    p->state = PHONE_INVITING;
    p->give_up_ns = io_now(p->all->io) + p->all->cfg.answer_ns;
}

static bool read_description(const struct sip_msg *m, struct sdp *out)
{
    return m && m->body.len && sdp_parse(m->body.p, m->body.len, out) == 0;
}

static void came_up(struct phone *p, const char *how)
{
    p->state = PHONE_UP;
    p->give_up_ns = TIME_NEVER;
    note(p, "up %s %s", how, p->all->cfg.peer);
}

static void answered(struct phone *p, const struct sip_msg *m)
{
    struct sdp sdp;
    bool right = read_description(m, &sdp) && session_answered(p->session, &sdp) == 0;
    if (p->state == PHONE_INVITING && right)
        came_up(p, "INVITE to");
    else if (p->state == PHONE_INVITING || !right)
        fail(p, "the answer to INVITE has no media that we can take");
    p->reoffer = REOFFER_NONE;
}

/* ---- taking a call ---- */

bool phone_answer(struct phone *p, const struct sip_ua_event *ev, const char *name)
{
    struct sdp sdp;
    snprintf(p->name, sizeof p->name, "%s", name);
    p->begun_ns = io_now(p->all->io);
    p->state = PHONE_ANSWERING;
    if (!read_description(ev->msg, &sdp) || !new_session(p, p->all->cfg.media.media, false) ||
        session_answer(p->session, &sdp)) {
        over(p);
        return false;
    }
    p->call = ev->call;
    sip_call_set_user(p->call, p);
    p->due_ns = 0;
    return true;
}

static void reinvited(struct phone *p, const struct sip_ua_event *ev)
{
    struct sdp sdp;
    if (p->state == PHONE_UP && p->reoffer == REOFFER_NONE && read_description(ev->msg, &sdp) &&
        session_answer(p->session, &sdp) == 0)
        p->reoffer = REOFFER_THEIRS;
    else
        sip_ua_refuse(p->ua, ev->call, p->reoffer ? 491 : 488, "");
}

/* ---- events ---- */

static void on_ended(struct phone *p, const struct sip_ua_event *ev)
{
    bool ours = p->state == PHONE_ENDING;
    p->call = NULL;
    if (ours && ev->code == 408) {
        fail(p, "BYE was never answered");
    } else if (p->state == PHONE_UP || ours) {
        over(p);
        note(p, "done");
    } else {
        fail(p, "the call was ended before it was up");
    }
}

void phone_event(struct phone *p, const struct sip_ua_event *ev)
{
    switch (ev->kind) {
    case SIP_ANSWERED:
        answered(p, ev->msg);
        break;
    case SIP_REFUSED:
        p->call = NULL;
        if (p->state == PHONE_ENDING)
            on_ended(p, &(struct sip_ua_event){0});
        else
            fail(p, "INVITE was answered with %u %s", ev->code, sip_reason(ev->code));
        break;
    case SIP_REINVITED:
        reinvited(p, ev);
        break;
    case SIP_REINVITE_REFUSED: /* the call goes on as it was; the next change offers again */
        p->reoffer = REOFFER_NONE;
        break;
    case SIP_CONFIRMED:
        if (p->state == PHONE_ANSWERING)
            came_up(p, "INVITE from");
        p->reoffer = REOFFER_NONE;
        break;
    case SIP_ENDED:
        on_ended(p, ev);
        break;
    case SIP_LINK_UP:
    case SIP_LINK_DOWN:
    case SIP_INVITED:
    case SIP_PROGRESS:
        break;
    }
}

static void describe(struct phone *p, const char *sdp)
{
    if (p->state == PHONE_GATHERING) {
        invite(p, sdp);
    } else if (p->state == PHONE_ANSWERING && !p->replied) {
        sip_ua_answer(p->ua, p->call, sdp);
        p->replied = true;
    } else if (p->reoffer == REOFFER_THEIRS) {
        sip_ua_answer(p->ua, p->call, sdp);
        p->reoffer = REOFFER_SENT;
    } else if (p->reoffer == REOFFER_OURS) {
        sip_ua_reinvite(p->ua, p->call, sdp);
        p->reoffer = REOFFER_SENT;
    }
}

static void poll_session(struct phone *p)
{
    struct session_event ev;
    while (p->session && session_poll(p->session, &ev)) {
        if (ev.kind == SESSION_DESCRIBED && p->state < PHONE_ENDING)
            describe(p, ev.text);
        else if (ev.kind == SESSION_UP)
            p->media_up = true;
        else if (ev.kind != SESSION_DESCRIBED && p->state == PHONE_GATHERING)
            fail(p, "no media can be offered: %s", ev.text);
        else if (ev.kind != SESSION_DESCRIBED && p->call && p->state < PHONE_ENDING)
            hang_up(p); /* a call without media */
    }
}

/* ---- time ---- */

static void follow_plan(struct phone *p)
{
    uint64_t since = io_now(p->all->io) - p->begun_ns;
    bool muted = call_in_span(p->plan->mute, p->plan->mute_count, since);
    bool held = call_in_span(p->plan->hold, p->plan->hold_count, since);
    if (since >= p->plan->for_ns) {
        if (p->state == PHONE_UP)
            hang_up(p);
        else
            fail(p, "it came to nothing before the call was to end");
        return;
    }
    if (p->state != PHONE_UP)
        return;
    if (muted != p->muted)
        session_mute(p->session, p->muted = muted);
    if (held != p->held && p->reoffer == REOFFER_NONE) {
        session_hold(p->session, p->held = held);
        p->reoffer = REOFFER_OURS;
        session_offer(p->session);
    }
}

static void gave_up(struct phone *p)
{
    char at[SIP_PHONES_LINES * (ENDPOINT_TEXT + 4)];
    struct text t = text_of(at, sizeof at);
    char one[ENDPOINT_TEXT];
    for (size_t i = 0; i < p->all->cfg.line_count; i++)
        text_add(&t, "%s%s", i ? " or " : "", endpoint_text(&p->all->cfg.line[i].server, one));
    if (p->state == PHONE_DIALLING)
        fail(p, "no connection to %s at TCP %s", p->all->cfg.peer, at);
    else
        fail(p, "INVITE was not answered within %u s", (unsigned)(p->all->cfg.answer_ns / NS_S));
}

static void follow_time(struct phone *p)
{
    uint64_t now = io_now(p->all->io);
    if (p->state == PHONE_IDLE && p->plan && now >= p->plan->at_ns)
        begin(p);
    if (p->state == PHONE_DIALLING)
        dial(p);
    if (p->plan && p->state > PHONE_IDLE && p->state < PHONE_ENDING)
        follow_plan(p);
    if (now >= p->give_up_ns)
        gave_up(p);
}

static uint64_t deadline_of(const struct phone *p)
{
    uint64_t t = time_min(p->give_up_ns, p->session ? session_deadline(p->session) : TIME_NEVER);
    if (!p->plan || p->state >= PHONE_ENDING)
        return t;
    if (p->state == PHONE_IDLE)
        return time_min(t, p->plan->at_ns);
    uint64_t next = call_next(p->plan, io_now(p->all->io) - p->begun_ns);
    return next == TIME_NEVER ? t : time_min(t, p->begun_ns + next);
}

void phone_time(struct phone *p)
{
    poll_session(p);
    follow_time(p);
    poll_session(p);
    p->due_ns = deadline_of(p);
}
