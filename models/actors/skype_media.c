/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/skype_media.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/time.h"

/* The exchange of offer and answer under way (RFC 3261 14.1: one at a time). */
enum exchange { EXCHANGE_NONE, EXCHANGE_MAKING, EXCHANGE_MADE, EXCHANGE_SENT };

struct skype_media {
    struct io *io;
    const struct call_plan *plan;
    struct session *session;
    char *offer;
    enum exchange exchange;
    uint64_t begun_ns; /* TIME_NEVER: not begun */
    bool answered, up, muted, held, closed;
};

struct skype_media *skype_media_new(struct io *io, unsigned owner, const struct call_plan *plan,
                                    const struct session_config *cfg)
{
    struct session_config session = *cfg;
    struct skype_media *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    session.name = plan->name;
    session.controlling = true;
    session.media = plan->media & (CALL_AUDIO | CALL_VIDEO);
    *m = (struct skype_media){.io = io, .plan = plan, .begun_ns = TIME_NEVER};
    m->session = session_new(io, owner, &session);
    if (m->session)
        return m;
    free(m);
    return NULL;
}

void skype_media_free(struct skype_media *m)
{
    if (!m)
        return;
    session_free(m->session);
    free(m->offer);
    free(m);
}

static void offer(struct skype_media *m)
{
    m->exchange = EXCHANGE_MAKING;
    session_offer(m->session);
}

void skype_media_begin(struct skype_media *m)
{
    m->begun_ns = io_now(m->io);
    call_note_signalling(m->io, m->plan->name, "wanted");
    call_note_media(m->io, m->plan->name, m->plan->media, "wanted");
    offer(m);
}

bool skype_media_answered(struct skype_media *m, const struct sip_msg *answer)
{
    struct sdp sdp;
    m->exchange = EXCHANGE_NONE;
    if (m->closed || sdp_parse(answer->body.p, answer->body.len, &sdp) || session_answered(m->session, &sdp))
        return false;
    if (!m->answered)
        call_note_signalling(m->io, m->plan->name, "up INVITE answered");
    m->answered = true;
    return true;
}

void skype_media_close(struct skype_media *m)
{
    if (m->closed || m->begun_ns == TIME_NEVER)
        return;
    m->closed = true;
    session_close(m->session);
    call_note_signalling(m->io, m->plan->name, m->answered ? "done" : "failed SIP signalling: the call never came up");
    if (!m->up)
        call_note_media(m->io, m->plan->name, m->plan->media & ~(unsigned)CALL_SHARE, "failed there is no call");
}

static void follow_plan(struct skype_media *m)
{
    uint64_t since = io_now(m->io) - m->begun_ns;
    bool muted = call_in_span(m->plan->mute, m->plan->mute_count, since);
    bool held = call_in_span(m->plan->hold, m->plan->hold_count, since);
    if (muted != m->muted)
        session_mute(m->session, m->muted = muted);
    if (held == m->held || m->exchange != EXCHANGE_NONE)
        return;
    session_hold(m->session, m->held = held);
    offer(m);
}

static void keep_offer(struct skype_media *m, const char *text)
{
    free(m->offer);
    m->offer = strdup(text);
    assert(m->offer);
    m->exchange = EXCHANGE_MADE;
}

void skype_media_input(struct skype_media *m, const struct io_in *in)
{
    struct session_event ev;
    session_input(m->session, in);
    if (m->answered && !m->closed)
        follow_plan(m);
    while (session_poll(m->session, &ev)) {
        if (ev.kind == SESSION_DESCRIBED && m->exchange == EXCHANGE_MAKING)
            keep_offer(m, ev.text);
        m->up = m->up || ev.kind == SESSION_UP;
        if (ev.kind == SESSION_FAILED || ev.kind == SESSION_LOST)
            session_close(m->session); /* the call goes on: a share may do without */
    }
}

uint64_t skype_media_deadline(const struct skype_media *m)
{
    uint64_t t = session_deadline(m->session);
    if (!m->answered || m->closed)
        return t;
    uint64_t next = call_next(m->plan, io_now(m->io) - m->begun_ns);
    return next == TIME_NEVER ? t : time_min(t, m->begun_ns + next);
}

const char *skype_media_offer(struct skype_media *m)
{
    if (m->exchange != EXCHANGE_MADE)
        return NULL;
    m->exchange = EXCHANGE_SENT;
    return m->offer;
}
